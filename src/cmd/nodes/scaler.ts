// Adds simulated nodes until there are as many as are wanted. Fewer are had by deleting Node objects, as everywhere: whoever
// asks for fewer deletes them (scale.ts).
import type { Api } from '../../client/api.ts'
import { sleep, SYSTEM_CLOCK } from '../../client/clock.ts'
import { NODES } from '../../client/resources.ts'
import { machineLabels } from '../../cloud/initialized.ts'
import { metadataOf } from '../../cloud/local/machines.ts'
import type { NodeAgent } from '../../kubelet/agent.ts'
import { nodeObject, type NodeSpecimen } from '../../kubelet/nodeobject.ts'
import type { Log } from '../log.ts'
import type { CloudSettings } from '../controllers/cloud-controllers.ts'
import { fleet, NODE_CAPACITY, NODE_PREFIX, POD_RANGE } from './simulated-nodes.ts'

/** How soon it is looked again whether a node that is gone has been noticed. */
const LOOK_AGAIN_MS = 50
const RETRY_MS = 1000

export interface ScalerParts {
  readonly log: Log
  readonly signal: AbortSignal
  /** What nodes say of their machines; undefined: there is no cloud. */
  readonly cloud: CloudSettings | undefined
}

/** One call after the other; each resolves when its nodes are registered, and never rejects. */
export function scaler(
  api: Api,
  agent: NodeAgent,
  { log, signal, cloud }: ScalerParts,
): (count: number) => Promise<void> {
  let last = Promise.resolve()
  const scale = async (count: number): Promise<void> => {
    const shape = { podRange: POD_RANGE, capacity: NODE_CAPACITY, labels: {} }
    const { items } = await api.list(NODES)
    const wanted = fleet({ prefix: NODE_PREFIX, count, ...shape }, items)
    const there = new Set(items.map(({ metadata }) => metadata.name ?? ''))
    const missing = wanted
      .filter(({ name }) => !there.has(name) || !agent.has(name))
      .map((specimen) => (cloud ? knownToCloud(specimen, cloud) : specimen))
    // A node whose object was deleted a moment ago must be let go first.
    while (!signal.aborted && missing.some(({ name }) => agent.has(name)))
      await sleep(SYSTEM_CLOCK, LOOK_AGAIN_MS, signal)
    await agent.add(missing, signal)
  }
  const scaleAtLast = async (count: number): Promise<void> => {
    while (!signal.aborted) {
      try {
        return await scale(count)
      } catch (error) {
        log.warn({ error: String(error) }, 'could not look at the nodes; it will be tried again')
        await sleep(SYSTEM_CLOCK, RETRY_MS, signal)
      }
    }
  }
  return (count) => (last = last.then(() => scaleAtLast(count)))
}

/** As with --provider-id and --node-labels: the cloud is here, so that thousands need not wait for a write by its controller. */
function knownToCloud(specimen: NodeSpecimen, { zones }: CloudSettings): NodeSpecimen {
  const metadata = metadataOf(nodeObject(specimen, 0), zones)
  const labels = { ...specimen.labels, ...machineLabels(metadata) }
  return { ...specimen, labels, providerId: metadata.providerId }
}
