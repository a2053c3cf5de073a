// The Node object of a simulated node, which says everywhere that it is one.
// Follows k8s.io/kubernetes/pkg/kubelet/kubelet_node_status.go and nodestatus/setters.go.
import { createHash } from 'node:crypto'
import type { Node, NodeCondition, NodeStatus, Taint } from '../client/kinds/core.v1.gen.ts'
import { SIMULATED_LABEL } from '../client/simulated.ts'
import { timeText } from './podstatus.ts'

export interface NodeSpecimen {
  readonly name: string
  /** "10.128.3.0/24"; absent: somebody else gives nodes their ranges. */
  readonly podCidr?: string | undefined
  readonly address: string
  /** Where somebody answers for its kubelet; absent: nobody listens. */
  readonly endpoint?: { readonly host: string; readonly port: number }
  /** Amounts by resource, pods among them. */
  readonly capacity: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Absent: none. */
  readonly taints?: readonly Taint[]
  /** "dinghy://node-0"; absent: a cloud controller manager may tell. */
  readonly providerId?: string
  /** "v1.36.3" */
  readonly version: string
}

/** Volumes of drivers are attached and detached by the controller, as with every kubelet by default. */
const MANAGED_ATTACHMENTS = 'volumes.kubernetes.io/controller-managed-attach-detach'

/** What a kubelet of this release can do that others could not, of what takes no containers. */
const DECLARED = ['InPlacePodLevelResourcesVerticalScaling', 'InPlacePodVerticalScalingInitContainers']

export function nodeObject(node: NodeSpecimen, now: number): Node {
  const labels = {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': node.name,
    'kubernetes.io/os': 'linux',
    [SIMULATED_LABEL]: 'true',
    ...node.labels,
  }
  const ranges = node.podCidr === undefined ? {} : { podCIDR: node.podCidr, podCIDRs: [node.podCidr] }
  const taints = node.taints === undefined ? {} : { taints: [...node.taints] }
  return {
    metadata: { name: node.name, labels, annotations: { [MANAGED_ATTACHMENTS]: 'true' } },
    spec: { ...ranges, ...taints, ...(node.providerId ? { providerID: node.providerId } : {}) },
    status: nodeStatus(node, now),
  }
}

export function nodeStatus(
  node: NodeSpecimen,
  now: number,
  before: readonly NodeCondition[] = [],
): NodeStatus {
  const idOf = (what: string): string =>
    createHash('sha256').update(`${what} ${node.name}`).digest('hex').slice(0, 32)
  return {
    capacity: { ...node.capacity },
    allocatable: { ...node.capacity },
    conditions: CONDITIONS.map(([type, status, reason, message]) => {
      const known = before.find((one) => one.type === type)
      const since = known?.status === status ? known.lastTransitionTime : undefined
      return {
        type,
        status,
        reason,
        message,
        lastHeartbeatTime: timeText(now),
        lastTransitionTime: since ?? timeText(now),
      }
    }),
    addresses: [
      { type: 'InternalIP', address: node.address },
      { type: 'Hostname', address: node.endpoint?.host ?? node.name },
    ],
    declaredFeatures: [...DECLARED],
    daemonEndpoints: { kubeletEndpoint: { Port: node.endpoint?.port ?? 0 } },
    nodeInfo: {
      machineID: idOf('machine'),
      systemUUID: idOf('system'),
      bootID: idOf('boot'),
      kernelVersion: 'simulated',
      osImage: 'Dinghy simulated node',
      containerRuntimeVersion: 'dinghy-simulated://1',
      kubeletVersion: node.version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  }
}

const CONDITIONS: readonly (readonly [type: string, status: string, reason: string, message: string])[] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status (simulated)'],
]
