// Nodes that are not ready are asked after in the cloud: those whose machine is gone are deleted, those whose machine is
// switched off are tainted. Follows k8s.io/cloud-provider/controllers/nodelifecycle.
import { sleep } from '../client/clock.ts'
import type { Controller, ControllerContext } from '../client/controller.ts'
import type { Node } from '../client/kinds/core.v1.gen.ts'
import { NODES } from '../client/resources.ts'
import { SHUTDOWN, setTaint } from './cloudtaint.ts'
import type { CloudProvider } from './provider.ts'

const NAME = 'cloud-node-lifecycle-controller'

export interface CloudNodeLifecycleOptions {
  readonly provider: CloudProvider
  /** How often all nodes are looked at. */
  readonly periodMs: number
}

export function cloudNodeLifecycleController(
  context: ControllerContext,
  { provider, periodMs }: CloudNodeLifecycleOptions,
): Controller {
  const { informers, clock, log } = context
  const nodes = informers.of(NODES)
  return {
    name: NAME,
    async run(signal) {
      while (!signal.aborted) {
        for (const node of nodes.reader.list()) {
          if (signal.aborted) return
          try {
            await lookAt(context, provider, node)
          } catch (error) {
            const details = { node: node.metadata.name, error: String(error) }
            log.error(details, 'could not ask after a node in the cloud')
          }
        }
        await sleep(clock, periodMs, signal)
      }
    },
  }
}

async function lookAt({ api, recorder }: ControllerContext, provider: CloudProvider, node: Node) {
  const isReady = node.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True'
  if (isReady) return setTaint(api, node, SHUTDOWN, false)
  if (await provider.instances.exists(node)) {
    if (await provider.instances.isShutDown(node)) await setTaint(api, node, SHUTDOWN, true)
    return
  }
  const { name = '', uid } = node.metadata
  const about = { resource: NODES, object: { metadata: { name, uid } } }
  const message = `Deleting node ${name} because it does not exist in the cloud provider`
  recorder.event(about, 'Normal', 'DeletingNode', message)
  try {
    await api.delete(NODES, { name })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    recorder.event(about, 'Warning', 'DeletingNodeFailed', `Failed deleting node ${name}: ${why}`)
    throw error
  }
}
