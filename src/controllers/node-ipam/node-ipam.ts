// Gives each node a range of addresses for its pods out of each of the cluster's ranges.
// Follows the RangeAllocator of k8s.io/kubernetes/pkg/controller/nodeipam.
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { keyOf } from '../../client/resource.ts'
import { NODES } from '../../client/resources.ts'
import { syncedOrAborted } from '../../client/synced.ts'
import type { EventRecorder } from '../../client/recorder.ts'
import { parseRange, Pieces, type Range, rangeText } from './ranges.ts'

const NAME = 'node-ipam-controller'
/** As upstream's cidrUpdateWorkers. */
const WORKERS = 30
const MAX_RANGES = 2

export interface NodeIpamOptions {
  /** The cluster's: one, or one of each family. */
  readonly clusterCidrs: readonly string[]
  /** Not given out: the services', and what others give out themselves. */
  readonly reservedCidrs: readonly string[]
  /** Bits of a node's range, by family. */
  readonly maskSize: { readonly 4: number; readonly 6: number }
}

/** Throws Error, as the whole manager's reason to end, for ranges that cannot be. */
export function nodeIpamController(context: ControllerContext, options: NodeIpamOptions): Controller {
  const { informers, recorder, log } = context
  const nodes = informers.of(NODES)
  const queue = queueOf(context, 'cidrallocator_node')
  const ranges = new NodeRanges(options)
  const told = recorder.as({ component: 'cidrAllocator' })
  const look = (node: Node): void => queue.add(keyOf(node))
  nodes.handle({ added: look, updated: look, deleted: (node) => ranges.forget(node) })
  const reconcile = async (name: string): Promise<void> => {
    const node = nodes.reader.get(name)
    if (node && node.metadata.deletionTimestamp === undefined) await allot(context, told, { ranges, node })
  }
  return {
    name: NAME,
    async run(signal) {
      if (!(await syncedOrAborted([nodes], signal))) return
      // What others have is known before anything is given out.
      for (const node of nodes.reader.list()) if (node.spec.podCIDRs?.length) ranges.occupy(node)
      await work({ name: NAME, queue, workers: WORKERS, reconcile, log }, signal)
    },
  }
}

async function allot(
  { api }: ControllerContext,
  recorder: EventRecorder,
  { ranges, node }: { ranges: NodeRanges; node: Node },
): Promise<void> {
  if (node.spec.podCIDRs?.length) return ranges.occupy(node)
  const { name = '', uid } = node.metadata
  const tell = (what: string): void => {
    const about = { resource: NODES, object: { metadata: { name, uid } } }
    recorder.event(about, 'Normal', what, `Node ${name} status is now: ${what}`)
  }
  const podCIDRs = ranges.take(node)
  if (!podCIDRs) {
    tell('CIDRNotAvailable')
    throw new Error(
      'CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range',
    )
  }
  try {
    const spec = { podCIDR: podCIDRs[0] ?? '', podCIDRs: [...podCIDRs] }
    await api.patch(NODES, { name }, { metadata: { uid: uid ?? '' }, spec }, { type: 'strategic' })
  } catch (error) {
    tell('CIDRAssignmentFailed')
    throw error
  }
}

/** Who has which ranges. What was promised to a node stays its own until the node is gone. */
export class NodeRanges {
  readonly #pieces: readonly Pieces[]
  readonly #promised = new Map<string, readonly Range[]>()

  constructor({ clusterCidrs, reservedCidrs, maskSize }: NodeIpamOptions) {
    const ranges = clusterCidrs.map(parsed)
    checkFamilies(ranges)
    this.#pieces = ranges.map((range) => new Pieces(range, maskSize[range.family]))
    for (const reserved of reservedCidrs.map(parsed)) for (const one of this.#pieces) one.reserve(reserved)
  }

  /** The ranges that the node has are nobody else's. Throws Error for those that are not the cluster's. */
  occupy({ metadata: { name, uid = '' }, spec: { podCIDRs = [] } }: Node): void {
    this.#promised.delete(uid)
    for (const [index, cidr] of podCIDRs.entries()) {
      const range = parsed(cidr)
      const pieces = this.#pieces[index]
      if (!pieces) {
        throw new Error(
          `node:${name} has an allocated cidr: ${cidr} at index:${index} that does not exist in cluster cidrs configuration`,
        )
      }
      if (!pieces.occupy(range)) {
        throw new Error(
          `failed to mark cidr[${cidr}] at idx [${index}] as occupied for node: ${name}: it is out of the range of the cluster's`,
        )
      }
    }
  }

  /** One of each of the cluster's; the same when asked again. Undefined where one of them is full. */
  take({ metadata: { uid = '' } }: Node): readonly string[] | undefined {
    const known = this.#promised.get(uid)
    if (known) return known.map(rangeText)
    const taken: Range[] = []
    for (const pieces of this.#pieces) {
      const range = pieces.take()
      if (!range) {
        taken.forEach((one, index) => this.#pieces[index]?.release(one))
        return undefined
      }
      taken.push(range)
    }
    this.#promised.set(uid, taken)
    return taken.map(rangeText)
  }

  forget({ metadata: { uid = '' }, spec: { podCIDRs = [] } }: Node): void {
    const ranges = this.#promised.get(uid) ?? podCIDRs.map(parseRange)
    this.#promised.delete(uid)
    ranges.forEach((range, index) => range && this.#pieces[index]?.release(range))
  }
}

function parsed(cidr: string): Range {
  const range = parseRange(cidr)
  if (!range) throw new Error(`invalid CIDR address: ${cidr}`)
  return range
}

function checkFamilies(ranges: readonly Range[]): void {
  const count = ranges.length
  if (count === 0) throw new Error('Controller: Must specify --cluster-cidr if --allocate-node-cidrs is set')
  if (count > 1 && new Set(ranges.map(({ family }) => family)).size === 1) {
    throw new Error(
      `len of ClusterCIDRs==${count} and they are not configured as dual stack (at least one from each IPFamily`,
    )
  }
  if (count > MAX_RANGES) throw new Error(`length of clusterCIDRs is:${count} more than max allowed of 2`)
}
