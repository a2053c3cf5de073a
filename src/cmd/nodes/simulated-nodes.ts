// Simulated nodes as rows of numbers: names, addresses, sizes. Their agent reads as one user and writes as each node's.
import { createHash } from 'node:crypto'
import type { Node, Taint } from '../../client/kinds/core.v1.gen.ts'
import type { NodeSpecimen } from '../../kubelet/nodeobject.ts'
import { ipText, parseRange, subRange } from '../../kubelet/addresses.ts'
import { KUBERNETES_VERSION } from '../../server/version.ts'

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
const FLEET_SIZE = 8192
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

/** The nodes, each with the ranges and addresses that it has, or with those that nobody of `present` has. */
export function fleet(wanted: Fleet, present: readonly Node[] = []): NodeSpecimen[] {
  const { prefix, count, podRange, capacity, labels, taints = [], waitsForCloud } = wanted
  const pods = parseRange(podRange)
  const hosts = parseRange(NODE_RANGE)
  if (!pods || !hosts) throw new Error(`${podRange} is no range of IPv4 addresses`)
  const known = new Map(present.map((node) => [node.metadata.name ?? '', node]))
  const start = placeOf(prefix)
  const ranges = untaken(
    { size: 2 ** (NODE_MASK - pods.bits), start, textOf: (i) => subRange(pods, NODE_MASK, i) },
    new Set(present.flatMap(({ spec }) => spec.podCIDRs ?? [])),
  )
  const addresses = untaken(
    { size: 2 ** (32 - hosts.bits) - 2, start, textOf: (i) => ipText(hosts.first + 1 + i) },
    new Set(present.map(addressOf)),
  )
  const first = waitsForCloud ? [...taints, UNINITIALIZED] : taints
  return Array.from({ length: count }, (_, i) => {
    const name = `${prefix}-${i}`
    const own = known.get(name)
    return {
      name,
      podCidr: own ? own.spec.podCIDR : ranges(),
      address: (own && addressOf(own)) ?? addresses() ?? '',
      capacity,
      labels,
      ...(first.length > 0 ? { taints: first } : {}),
      version: KUBERNETES_VERSION,
    }
  })
}

const addressOf = ({ status }: Node): string | undefined =>
  status.addresses?.find(({ type }) => type === 'InternalIP')?.address

/** Where the nodes of this prefix begin: apart from those of other processes that begin at the same time. */
const placeOf = (prefix: string): number =>
  prefix === NODE_PREFIX ? 0 : createHash('sha256').update(prefix).digest().readUInt16BE() % FLEET_SIZE

interface Numbered {
  readonly size: number
  readonly start: number
  textOf(index: number): string | undefined
}

/** Gives the texts by number from `start` on, around the end, less those that are taken; undefined where all are. */
function untaken(
  { size, start, textOf }: Numbered,
  taken: ReadonlySet<string | undefined>,
): () => string | undefined {
  let given = 0
  return () => {
    while (given < size) {
      const text = textOf((start + given++) % size)
      if (!taken.has(text)) return text
    }
    return undefined
  }
}
