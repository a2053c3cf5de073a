// Whether a node takes a pod in that was bound to it. One that it does not take has failed.
// Follows k8s.io/kubernetes/pkg/kubelet/lifecycle/predicate.go and pkg/kubelet/sysctl.
import type { Node, Pod } from '../client/kinds/core.v1.gen.ts'
import { matchesNode } from '../client/nodefit.ts'
import type { HostPorts } from './hostports.ts'
import type { NodeRoom } from './room.ts'

/** Why a pod has failed as a whole. */
export interface Failure {
  readonly reason: string
  readonly message: string
}

export interface Place {
  readonly ports: HostPorts
  readonly room: NodeRoom
  readonly node: Node | undefined
}

const OS = 'linux'
const OS_LABEL = 'kubernetes.io/os'
/** Kernel parameters that a pod may set: they are its own, and cannot harm others. */
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
])

/** Why the node does not take the pod; undefined: it does, and the pod holds its ports and its share of the room. */
export function admit(pod: Pod, { ports, room, node }: Place): Failure | undefined {
  const refused = forbiddenSysctl(pod) ?? foreignSystem(pod) ?? misplaced(pod, node)
  if (refused) return rejected(refused)
  const lack = room.take(pod, node?.status.allocatable ?? {})
  if (lack) {
    const { resource, requested, used, capacity } = lack
    const amounts = `requested: ${requested}, used: ${used}, capacity: ${capacity}`
    return rejected({
      reason: `OutOf${resource}`,
      message: `Node didn't have enough resource: ${resource}, ${amounts}`,
    })
  }
  if (ports.take(pod)) return undefined
  room.giveBack(pod.metadata.uid ?? '')
  return rejected(failedPredicate('NodePorts', "node(s) didn't have free ports for the requested pod ports"))
}

const rejected = ({ reason, message }: Failure): Failure => ({
  reason,
  message: `Pod was rejected: ${message}`,
})

const failedPredicate = (name: string, why: string): Failure => ({
  reason: name,
  message: `Predicate ${name} failed: ${why}`,
})

function forbiddenSysctl({ spec }: Pod): Failure | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const why = sysctlFault(normalized(name), spec)
    if (why !== undefined) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${why}` }
  }
  return undefined
}

function sysctlFault(name: string, { hostNetwork, hostIPC }: Pod['spec']): string | undefined {
  const shown = JSON.stringify(name)
  if (!SAFE_SYSCTLS.has(name)) return `${shown} not allowlisted`
  if (hostIPC && name.startsWith('kernel.shm')) return `${shown} not allowed with host ipc enabled`
  return hostNetwork && name.startsWith('net.') ? `${shown} not allowed with host net enabled` : undefined
}

/** Slashes may divide a name; a dot within such a name is then part of a word. */
function normalized(name: string): string {
  const [divider] = /[./]/.exec(name) ?? ['.']
  if (divider === '.') return name
  return name.replace(/[./]/g, (one) => (one === '/' ? '.' : '/'))
}

function foreignSystem({ metadata: { labels }, spec }: Pod): Failure | undefined {
  const wanted = labels?.[OS_LABEL]
  if (wanted !== undefined && wanted !== OS)
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: `Failed to admit pod as the \`${OS_LABEL}\` label doesn't match node label`,
    }
  if (spec.os === undefined || spec.os.name === OS) return undefined
  return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
}

const misplaced = ({ spec }: Pod, node: Node | undefined): Failure | undefined =>
  node === undefined || matchesNode(spec, node)
    ? undefined
    : failedPredicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
