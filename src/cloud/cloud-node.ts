// Nodes that come with the taint "uninitialized" get their provider's id, zone, region and instance type from the cloud, and
// lose the taint. Follows k8s.io/cloud-provider/controllers/node.
import { isNotFound } from '../client/api.ts'
import { sleep } from '../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../client/controller.ts'
import type { Node, NodeAddress } from '../client/kinds/core.v1.gen.ts'
import { NODES } from '../client/resources.ts'
import type { Json } from '../machinery/json.ts'
import { addressesToSet, initialized, isUninitialized, labelsToFollow } from './initialized.ts'
import type { CloudProvider } from './provider.ts'

const NAME = 'cloud-node-controller'

export interface CloudNodeOptions {
  readonly provider: CloudProvider
  /** Nodes at a time. */
  readonly workers: number
  /** How often the cloud is asked for the addresses of all nodes. */
  readonly statusPeriodMs: number
}

export function cloudNodeController(context: ControllerContext, options: CloudNodeOptions): Controller {
  const { informers, log } = context
  const queue = queueOf(context, 'Nodes')
  const see = ({ metadata }: Node): void => queue.add(metadata.name ?? '')
  informers.of(NODES).handle({ added: see, updated: see })
  const reconcile = (name: string): Promise<void> => syncNode(context, options.provider, name)
  return {
    name: NAME,
    async run(signal) {
      const updating = updateStatuses(context, options, signal)
      await work({ name: NAME, queue, workers: options.workers, reconcile, log }, signal)
      await updating
    },
  }
}

async function syncNode(context: ControllerContext, provider: CloudProvider, name: string): Promise<void> {
  const { api, informers, recorder } = context
  const node = informers.of(NODES).reader.get(name)
  if (!node) return
  if (!isUninitialized(node)) {
    const labels = labelsToFollow(node)
    if (labels) await api.patch(NODES, { name }, { metadata: { labels } }, { type: 'strategic' })
    return
  }
  const metadata = await provider.instances.metadata(node)
  // Throws before anything is written.
  addressesToSet(node, metadata.addresses)
  const updated = await api.update(NODES, initialized(node, metadata))
  await writeAddresses(context, updated, metadata.addresses)
  recorder.event({ resource: NODES, object: node }, 'Normal', 'Synced', 'Node synced successfully')
}

async function updateStatuses(
  context: ControllerContext,
  { provider, statusPeriodMs }: CloudNodeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, informers, log } = context
  while (!signal.aborted) {
    for (const node of informers.of(NODES).reader.list()) {
      if (signal.aborted) return
      if (isUninitialized(node)) continue
      try {
        await writeAddresses(context, node, (await provider.instances.metadata(node)).addresses)
      } catch (error) {
        log.error({ node: node.metadata.name, error: String(error) }, 'could not update a node’s addresses')
      }
    }
    await sleep(clock, statusPeriodMs, signal)
  }
}

async function writeAddresses(
  { api }: ControllerContext,
  node: Node,
  told: readonly NodeAddress[],
): Promise<void> {
  const addresses = addressesToSet(node, told)
  if (!addresses) return
  const { name = '' } = node.metadata
  // A list with addresses that are gone would be merged by their types.
  const replaced = [{ $patch: 'replace' }, ...addresses]
  const body = { status: { addresses: replaced } } as unknown as Json
  try {
    await api.patch(NODES, { name, subresource: 'status' }, body, { type: 'strategic' })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
