// The parts of pods that the checks look at, and how checks word what they find.
// Follows k8s.io/pod-security-admission/policy (visitor.go, helpers.go).
import type { JsonObject } from '../../machinery/json.ts'

interface Typed {
  type?: string
}

interface SecurityContext {
  privileged?: boolean
  allowPrivilegeEscalation?: boolean
  procMount?: string
  runAsNonRoot?: boolean
  runAsUser?: number
  appArmorProfile?: Typed
  seccompProfile?: Typed
  seLinuxOptions?: Typed & { user?: string; role?: string }
  windowsOptions?: { hostProcess?: boolean }
  capabilities?: { add?: string[]; drop?: string[] }
  sysctls?: { name: string }[]
}

interface Handler {
  httpGet?: { host?: string }
  tcpSocket?: { host?: string }
}

export interface CheckedContainer {
  name: string
  image?: string
  securityContext?: SecurityContext
  ports?: { hostPort?: number }[]
  livenessProbe?: Handler
  readinessProbe?: Handler
  startupProbe?: Handler
  lifecycle?: { postStart?: Handler; preStop?: Handler }
}

export interface CheckedSpec {
  containers?: CheckedContainer[]
  initContainers?: CheckedContainer[]
  ephemeralContainers?: CheckedContainer[]
  securityContext?: SecurityContext
  hostNetwork?: boolean
  hostPID?: boolean
  hostIPC?: boolean
  hostUsers?: boolean
  volumes?: (JsonObject & { name: string })[]
  os?: { name?: string }
  runtimeClassName?: string
}

export interface CheckedPod {
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: CheckedSpec
}

/** Why a check does not let a pod in: the reason for lists of pods, with the detail for one. */
export interface Finding {
  readonly reason: string
  readonly detail: string
}

export type Check = (pod: CheckedPod) => Finding | undefined

export const containersOf = ({ initContainers, containers, ephemeralContainers }: CheckedSpec) => [
  ...(initContainers ?? []),
  ...(containers ?? []),
  ...(ephemeralContainers ?? []),
]

/** The names of the containers for which it holds. */
export const whose = (pod: CheckedPod, holds: (container: CheckedContainer) => boolean): string[] =>
  containersOf(pod.spec)
    .filter(holds)
    .map(({ name }) => name)

export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`)
export const quoted = (items: Iterable<string>): string => [...items].map((item) => `"${item}"`).join(', ')
/** `containers "a", "b"` */
export const named = (what: string, names: readonly string[]): string =>
  `${plural(what, names.length)} ${quoted(names)}`

export const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort()

/** "pod and containers "a", "b"", or "" where nobody is to blame. */
export function setters(pod: boolean, containers: readonly string[]): string {
  const who = [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [named('container', containers)] : [])]
  return who.join(' and ')
}

/** What is set to a value that is not allowed, by the pod and by its containers. */
export interface BadValues {
  readonly setters: string
  readonly values: readonly string[]
}

/** `valueOf` of the pod's and of each container's security context; undefined where it says nothing. */
export function badValues(
  { spec }: CheckedPod,
  valueOf: (context: SecurityContext) => string | undefined,
  isAllowed: (value: string) => boolean,
): BadValues {
  const bad = (context: SecurityContext | undefined): string | undefined => {
    const value = context && valueOf(context)
    return value === undefined || isAllowed(value) ? undefined : value
  }
  const ofPod = bad(spec.securityContext)
  const guilty = containersOf(spec).filter(({ securityContext }) => bad(securityContext) !== undefined)
  const values = [ofPod, ...guilty.map(({ securityContext }) => bad(securityContext))]
  return {
    setters: setters(
      ofPod !== undefined,
      guilty.map(({ name }) => name),
    ),
    values: sorted(values.filter((value) => value !== undefined)),
  }
}
