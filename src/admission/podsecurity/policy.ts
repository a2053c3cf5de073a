// What a namespace's labels ask of its pods. Follows k8s.io/pod-security-admission/api (helpers.go).
import type { StatusCause } from '../../machinery/status.ts'
import { cause } from '../../machinery/status.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

/** `minor` of v1.x; Infinity is "latest". */
export interface LevelVersion {
  readonly level: Level
  readonly minor: number
}

export interface Policy {
  readonly enforce: LevelVersion
  readonly audit: LevelVersion
  readonly warn: LevelVersion
}

export const MODES = ['enforce', 'audit', 'warn'] as const
export type Mode = (typeof MODES)[number]

/** Of labels and of audit annotations. */
export const PREFIX = 'pod-security.kubernetes.io/'
export const LATEST = Infinity
const PRIVILEGED: LevelVersion = { level: 'privileged', minor: LATEST }
export const PRIVILEGED_POLICY: Policy = { enforce: PRIVILEGED, audit: PRIVILEGED, warn: PRIVILEGED }

const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted']
const VERSION = /^v1\.([0-9]|[1-9][0-9]*)$/
/** Beyond what upstream's integers hold, a version is none. */
const MAX_MINOR = 2n ** 63n - 1n

export const parseLevel = (text: string): Level | undefined =>
  LEVELS.includes(text) ? (text as Level) : undefined

export function parseVersion(text: string): number | undefined {
  if (text === 'latest') return LATEST
  const minor = VERSION.exec(text)?.[1]
  return minor === undefined || BigInt(minor) > MAX_MINOR ? undefined : Number(minor)
}

export const LEVEL_FAULT = 'must be one of privileged, baseline, restricted'
export const VERSION_FAULT = 'must be "latest" or "v1.x"'

export const shown = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === LATEST ? 'latest' : `v1.${minor}`}`

/** Negative where `a` asks for less than `b`. */
export const compareLevels = (a: Level, b: Level): number => LEVELS.indexOf(a) - LEVELS.indexOf(b)

export const isSame = (a: LevelVersion, b: LevelVersion): boolean =>
  a.level === b.level && a.minor === b.minor

/** Whatever the versions, privileged is privileged. */
export const isEquivalent = (a: Policy, b: Policy): boolean =>
  MODES.every((mode) => {
    const bothFree = a[mode].level === 'privileged' && b[mode].level === 'privileged'
    return bothFree || isSame(a[mode], b[mode])
  })

export const isFullyPrivileged = (policy: Policy): boolean =>
  MODES.every((mode) => policy[mode].level === 'privileged')

export interface Evaluated {
  readonly policy: Policy
  readonly faults: readonly StatusCause[]
}

/** The policy of a namespace with these labels. A level that is none is restricted to enforce, privileged else. */
export function policyOf(labels: Readonly<Record<string, string>>, defaults: Policy): Evaluated {
  const faults: StatusCause[] = []
  const read = (mode: Mode, otherwise: Level): LevelVersion => {
    let { level, minor } = defaults[mode]
    const levelText = labels[PREFIX + mode]
    if (levelText !== undefined) {
      level = parseLevel(levelText) ?? otherwise
      note(faults, mode, levelText, parseLevel(levelText) === undefined && LEVEL_FAULT)
    }
    const versionText = labels[`${PREFIX}${mode}-version`]
    if (versionText !== undefined) {
      minor = parseVersion(versionText) ?? LATEST
      note(faults, `${mode}-version`, versionText, parseVersion(versionText) === undefined && VERSION_FAULT)
    }
    return { level, minor }
  }
  const enforce = read('enforce', 'restricted')
  const audit = read('audit', 'privileged')
  const warn = withEnforced(read('warn', 'privileged'), enforce, labels)
  return { policy: { enforce, audit, warn }, faults }
}

function note(faults: StatusCause[], label: string, value: string, why: string | false): void {
  if (why) faults.push(cause.invalid(`metadata.labels[${PREFIX}${label}]`, value, why))
}

/** Who enforces more than is warned of is warned of that, too. */
function withEnforced(
  warn: LevelVersion,
  enforce: LevelVersion,
  labels: Readonly<Record<string, string>>,
): LevelVersion {
  const asked = labels[`${PREFIX}enforce`]
  const isRaised = asked !== undefined && parseLevel(asked) !== undefined
  if (!isRaised || labels[`${PREFIX}warn`] !== undefined) return warn
  if (compareLevels(enforce.level, warn.level) <= 0) return warn
  const minor = labels[`${PREFIX}warn-version`] === undefined ? enforce.minor : warn.minor
  return { level: enforce.level, minor }
}
