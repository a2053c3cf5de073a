// The cloud's routes lead to the nodes that have the ranges of pods, and nodes without a route say that their network is
// not available. Follows k8s.io/cloud-provider/controllers/route.
import { isConflict, isNotFound } from '../client/api.ts'
import { sleep, timeOf } from '../client/clock.ts'
import type { Controller, ControllerContext } from '../client/controller.ts'
import type { Node } from '../client/kinds/core.v1.gen.ts'
import { NODES } from '../client/resources.ts'
import type { Json } from '../machinery/json.ts'
import type { CloudProvider } from './provider.ts'
import { routeChanges } from './routing.ts'

const NAME = 'node-route-controller'
/** As upstream: how many routes are made or taken away at a time. */
const AT_ONCE = 200

export interface NodeRouteOptions {
  readonly provider: CloudProvider
  /** The ranges of all pods: routes elsewhere are left alone. */
  readonly clusterCidrs: readonly string[]
  readonly periodMs: number
}

export function nodeRouteController(context: ControllerContext, options: NodeRouteOptions): Controller {
  const { clock, log, recorder } = context
  const told = { ...context, recorder: recorder.as({ component: 'route_controller' }) }
  return {
    name: NAME,
    async run(signal) {
      while (!signal.aborted) {
        try {
          await reconcile(told, options)
        } catch (error) {
          log.error({ error: String(error) }, "could not reconcile nodes' routes")
        }
        await sleep(clock, options.periodMs, signal)
      }
    },
  }
}

async function reconcile(context: ControllerContext, { provider, clusterCidrs }: NodeRouteOptions) {
  const { routes } = provider
  const nodes = context.informers.of(NODES).reader.list()
  const changes = routeChanges(nodes, await routes.list(), clusterCidrs)
  await eachOf(changes.remove, (route) =>
    routes.remove(route).catch((error: unknown) => {
      context.log.error({ route: route.name, error: String(error) }, 'could not delete a route')
    }),
  )
  const missing = new Set<string>()
  await eachOf(changes.create, async ({ node, cidr }) => {
    const { name = '', uid = '' } = node.metadata
    try {
      await routes.create(uid, { node: name, cidr })
    } catch (error) {
      missing.add(name)
      const why = error instanceof Error ? error.message : String(error)
      const message = `Could not create route ${uid} ${cidr} for node ${name}: ${why}`
      context.recorder.event({ resource: NODES, object: node }, 'Warning', 'FailedToCreateRoute', message)
    }
  })
  await eachOf(nodes, (node) => {
    const hasRoutes = (node.spec.podCIDRs ?? []).length > 0 && !missing.has(node.metadata.name ?? '')
    return writeCondition(context, node, hasRoutes)
  })
}

async function eachOf<T>(items: readonly T[], call: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const one = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await call(next)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, one))
}

async function writeCondition({ api, clock, log }: ControllerContext, node: Node, hasRoutes: boolean) {
  const [status, reason, message] = hasRoutes
    ? ['False', 'RouteCreated', 'RouteController created a route']
    : ['True', 'NoRouteCreated', 'RouteController failed to create a route']
  const type = 'NetworkUnavailable'
  const known = node.status.conditions?.find((one) => one.type === type)
  if (known?.status === status && known?.reason === reason) return
  const now = timeOf(clock)
  const condition = { type, status, reason, message, lastTransitionTime: now, lastHeartbeatTime: now }
  const body = { status: { conditions: [condition] } } as unknown as Json
  try {
    const place = { name: node.metadata.name ?? '', subresource: 'status' }
    await api.patch(NODES, place, body, { type: 'strategic' })
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return
    log.error(
      { node: node.metadata.name, error: String(error) },
      'could not write a node’s network condition',
    )
  }
}
