// Versions: semver("1.2.3-rc.1"). Follows k8s.io/apiserver/pkg/cel/library/semverlib.go and blang/semver.
import { CelError } from './fault.ts'
import type { Library } from './overload.ts'
import { walk } from './size.ts'
import { OpaqueValue, type Value } from './values.ts'

const TYPE = 'kubernetes.Semver'
const NUMBER = '(0|[1-9]\\d*)'
const FORM = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z.-]+))?(?:\\+([0-9A-Za-z.-]+))?$`)

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly pre: readonly string[]
}

function parse(text: string): Version | undefined {
  const match = FORM.exec(text)
  if (!match) return undefined
  const [, major = '', minor = '', patch = '', pre, build] = match
  const parts = pre?.split('.') ?? []
  if ([...parts, ...(build?.split('.') ?? [])].some((part) => part === '')) return undefined
  if (parts.some((part) => /^0\d+$/.test(part))) return undefined
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], pre: parts }
}

/** Without a "v" and zeros in front, and with all three numbers. */
function normalize(text: string): string {
  const [, head = '', rest = ''] = /^([^-+]*)(.*)$/s.exec(text.replace(/^v/, '')) ?? []
  const parts = head.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + rest
}

function compare(a: Version, b: Version): number {
  for (const i of [0, 1, 2] as const) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i] ? -1 : 1
  }
  if (!a.pre.length || !b.pre.length) return Math.sign(b.pre.length - a.pre.length)
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const order = comparePart(a.pre[i], b.pre[i])
    if (order) return order
  }
  return 0
}

/** Numbers come before words; less comes before more. */
function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (x && y) return BigInt(a) < BigInt(b) ? -1 : 1
  if (x !== y) return x ? -1 : 1
  return a < b ? -1 : 1
}

const versionOf = (value: Value | undefined): Version => (value as OpaqueValue).data as Version

function make(text: string): OpaqueValue {
  const version = parse(text)
  if (!version && text.split('.').length < 3) throw new CelError('No Major.Minor.Patch elements found')
  if (!version) throw new CelError(`Invalid character(s) found in version number ${JSON.stringify(text)}`)
  return new OpaqueValue(TYPE, version, [...version.numbers, ...version.pre].join('.'))
}

export const semvers: Library = (define) => {
  const given = (text: Value | undefined, loose: Value | undefined): string =>
    loose === true ? normalize(text as string) : (text as string)
  for (const params of ['string', 'string, bool']) {
    define(`semver(${params}) ${TYPE}`, ([text, loose]) => make(given(text, loose)), walk)
    define(`isSemver(${params}) bool`, ([text, loose]) => parse(given(text, loose)) !== undefined, walk)
  }
  define(`${TYPE}->isGreaterThan(${TYPE}) bool`, ([a, b]) => compare(versionOf(a), versionOf(b)) > 0)
  define(`${TYPE}->isLessThan(${TYPE}) bool`, ([a, b]) => compare(versionOf(a), versionOf(b)) < 0)
  define(`${TYPE}->compareTo(${TYPE}) int`, ([a, b]) => BigInt(compare(versionOf(a), versionOf(b))))
  for (const [i, name] of ['major', 'minor', 'patch'].entries()) {
    define(`${TYPE}->${name}() int`, ([version]) => versionOf(version).numbers[i as 0 | 1 | 2])
  }
}
