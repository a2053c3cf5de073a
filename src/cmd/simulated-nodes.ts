// Simulated nodes as rows of numbers: names, addresses, sizes. Their agent reads as one user and writes as each node's.
import type { Taint } from '../client/kinds/core.v1.gen.ts'
import type { NodeSpecimen } from '../kubelet/nodeobject.ts'
import { ipText, parseRange, subRange } from '../kubelet/addresses.ts'
import { KUBERNETES_VERSION } from '../server/version.ts'

/** As a kubelet with --cloud-provider=external has it. */
const UNINITIALIZED: Taint = {
  key: 'node.cloudprovider.kubernetes.io/uninitialized',
  value: 'true',
  effect: 'NoSchedule',
}

/** Nodes of a cluster in one process are node-0, node-1, … */
export const NODE_PREFIX = 'node'

/** Room for 32,768 nodes of 254 pods each; apart from the services' ranges. */
export const POD_RANGE = '10.128.0.0/9'
const NODE_MASK = 24
/** The part of it that simulated nodes bring with them, 8,192 of them; others are given ranges out of the rest. */
export const FLEET_RANGE = '10.128.0.0/11'
/** For carriers' own networks: no machine of the user's has such an address. */
const NODE_RANGE = '100.64.0.0/10'

/** As upstream's performance tests have nodes, and twice the CPU of them. */
export const NODE_CAPACITY: Readonly<Record<string, string>> = {
  cpu: '8',
  memory: '32Gi',
  'ephemeral-storage': '256Gi',
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  pods: '110',
}

export interface Fleet {
  /** "node": node-0, node-1, … */
  readonly prefix: string
  readonly count: number
  readonly podRange: string
  readonly capacity: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** That they come with. */
  readonly taints?: readonly Taint[]
  /** They take no pods before a cloud controller manager has told of them. */
  readonly waitsForCloud?: boolean
}

export function fleet({
  prefix,
  count,
  podRange,
  capacity,
  labels,
  taints = [],
  waitsForCloud,
}: Fleet): NodeSpecimen[] {
  const pods = parseRange(podRange)
  const hosts = parseRange(NODE_RANGE)
  if (!pods || !hosts) throw new Error(`${podRange} is no range of IPv4 addresses`)
  const first = waitsForCloud ? [...taints, UNINITIALIZED] : taints
  return Array.from({ length: count }, (_, i) => ({
    name: `${prefix}-${i}`,
    podCidr: subRange(pods, NODE_MASK, i),
    address: ipText(hosts.first + 1 + i),
    capacity,
    labels,
    ...(first.length > 0 ? { taints: first } : {}),
    version: KUBERNETES_VERSION,
  }))
}
