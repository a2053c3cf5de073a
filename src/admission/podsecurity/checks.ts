// Which checks a level has in which version, and what they say together.
// Follows k8s.io/pod-security-admission/policy (registry.go, checks.go).
import * as baseline from './baseline.ts'
import type { Check, CheckedPod, Finding } from './pod.ts'
import type { LevelVersion } from './policy.ts'
import * as restricted from './restricted.ts'

/** A check as it is from a minor version on. */
interface Revision {
  readonly since: number
  readonly check: Check
}

interface Versioned {
  readonly id: string
  readonly revisions: readonly Revision[]
  /** The check of baseline whose place it takes. */
  readonly overrides?: string
}

const one = (id: string, ...revisions: readonly (readonly [since: number, check: Check])[]): Versioned => ({
  id,
  revisions: revisions.map(([since, check]) => ({ since, check })),
})

const { unlessInUserNamespace, sysctls } = baseline
const { unlessWindows } = restricted
const KEEPALIVE = ['time', 'intvl', 'probes'].map((name) => `net.ipv4.tcp_keepalive_${name}`)
const SYSCTLS_27 = ['net.ipv4.ip_local_reserved_ports']
const SYSCTLS_29 = [...SYSCTLS_27, ...KEEPALIVE, 'net.ipv4.tcp_fin_timeout']
const SYSCTLS_32 = [...SYSCTLS_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

/** In the order in which they are told. */
const BASELINE: readonly Versioned[] = [
  one('appArmorProfile', [0, baseline.appArmorProfile]),
  one('capabilities_baseline', [0, baseline.capabilities]),
  one('hostNamespaces', [0, baseline.hostNamespaces]),
  one('hostPathVolumes', [0, baseline.hostPathVolumes]),
  one('hostPorts', [0, baseline.hostPorts]),
  one('hostProbesAndHostLifecycle', [34, baseline.hostProbes]),
  one('privileged', [0, baseline.privileged]),
  one('procMount', [0, baseline.procMount], [35, unlessInUserNamespace(baseline.procMount)]),
  one('seLinuxOptions', [0, baseline.seLinuxOptions()], [31, baseline.seLinuxOptions('container_engine_t')]),
  one('seccompProfile_baseline', [0, baseline.seccompAnnotations], [19, baseline.seccompProfile]),
  one(
    'sysctls',
    [0, sysctls()],
    [27, sysctls(...SYSCTLS_27)],
    [29, sysctls(...SYSCTLS_29)],
    [32, sysctls(...SYSCTLS_32)],
  ),
  one('windowsHostProcess', [0, baseline.windowsHostProcess]),
]

const since8 = restricted.allowPrivilegeEscalation
const since22 = restricted.restrictedCapabilities
const since19 = restricted.restrictedSeccomp
const RESTRICTED: readonly Versioned[] = [
  one('allowPrivilegeEscalation', [8, since8], [25, unlessWindows(since8)]),
  {
    ...one('capabilities_restricted', [22, since22], [25, unlessWindows(since22)]),
    overrides: 'capabilities_baseline',
  },
  { ...one('procMount_restricted', [35, baseline.procMount]), overrides: 'procMount' },
  { ...one('restrictedVolumes', [0, restricted.restrictedVolumes]), overrides: 'hostPathVolumes' },
  one('runAsNonRoot', [0, restricted.runAsNonRoot], [35, unlessInUserNamespace(restricted.runAsNonRoot)]),
  one('runAsUser', [23, restricted.runAsUser], [35, unlessInUserNamespace(restricted.runAsUser)]),
  {
    ...one('seccompProfile_restricted', [19, since19], [25, unlessWindows(since19)]),
    overrides: 'seccompProfile_baseline',
  },
]

const lastSince = ({ revisions }: Versioned): number => revisions.at(-1)?.since ?? 0
/** No check differs in later versions. */
const NEWEST = Math.max(...[...BASELINE, ...RESTRICTED].map(lastSince))

const made = new Map<string, readonly Check[]>()

function checksOf({ level, minor }: LevelVersion): readonly Check[] {
  if (level === 'privileged') return []
  const version = Math.min(minor, NEWEST)
  const key = `${level} ${version}`
  let checks = made.get(key)
  if (!checks) made.set(key, (checks = selected(level, version)))
  return checks
}

function selected(level: 'baseline' | 'restricted', version: number): Check[] {
  const at = ({ revisions }: Versioned): Check | undefined =>
    revisions.findLast(({ since }) => since <= version)?.check
  const added = level === 'restricted' ? RESTRICTED.filter((check) => at(check)) : []
  const overridden = new Set(added.map(({ overrides }) => overrides))
  const kept = BASELINE.filter(({ id }) => !overridden.has(id))
  return [...kept, ...added].flatMap((check) => at(check) ?? [])
}

/** What a pod breaks of a level; empty where it may run. */
export function findingsOf(pod: CheckedPod, asked: LevelVersion): Finding[] {
  return checksOf(asked).flatMap((check) => check(pod) ?? [])
}

export const reasons = (findings: readonly Finding[]): string =>
  findings.map(({ reason }) => reason).join(', ')

export const details = (findings: readonly Finding[]): string =>
  findings.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')
