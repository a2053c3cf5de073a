// The controllers that ask a cloud, as rows of a table of controllers: those of the cloud controller manager.
// Follows k8s.io/cloud-provider (app/core.go, names).
import type { CloudProvider } from '../../cloud/provider.ts'
import type { ControllerContext } from '../../client/controller.ts'
import type { Informers } from '../../client/informer.ts'
import type { ControllerRow } from './row.ts'
import { StartError } from '../options.ts'

export interface CloudSettings {
  /** Addresses for balancers; undefined: of the loopback. */
  readonly balancerRange: string | undefined
  /** How many zones the nodes are in. */
  readonly zones: number
  readonly serviceWorkers: number
  readonly nodeWorkers: number
  readonly nodeStatusPeriodMs: number
  readonly nodeMonitorPeriodMs: number
  /** Undefined: routes are somebody else's. */
  readonly routes: { readonly clusterCidrs: readonly string[]; readonly periodMs: number } | undefined
}

/** Upstream's defaults; a network of simulated nodes has no routes. */
export const CLOUD_SETTINGS: CloudSettings = {
  balancerRange: undefined,
  zones: 1,
  serviceWorkers: 1,
  nodeWorkers: 1,
  nodeStatusPeriodMs: 300_000,
  nodeMonitorPeriodMs: 5_000,
  routes: undefined,
}

/** What the controllers of one manager share. */
type ProviderOf = (context: ControllerContext) => Promise<CloudProvider>

export function cloudControllers(settings: CloudSettings): readonly ControllerRow[] {
  const providerOf = sharedProvider(settings)
  return [
    serviceRow(settings, providerOf),
    ...nodeRows(settings, providerOf),
    routeRow(settings, providerOf),
    volumeRow(providerOf),
  ]
}

const serviceRow = ({ serviceWorkers: workers }: CloudSettings, providerOf: ProviderOf): ControllerRow => ({
  name: 'service-lb-controller',
  alias: 'service',
  user: 'service-controller',
  make: async (context) =>
    (await import('../../cloud/service-lb.ts')).serviceLbController(context, {
      provider: await providerOf(context),
      workers,
    }),
})

const nodeRows = (settings: CloudSettings, providerOf: ProviderOf): readonly ControllerRow[] => [
  {
    name: 'cloud-node-controller',
    alias: 'cloud-node',
    user: 'node-controller',
    make: async (context) =>
      (await import('../../cloud/cloud-node.ts')).cloudNodeController(context, {
        provider: await providerOf(context),
        workers: settings.nodeWorkers,
        statusPeriodMs: settings.nodeStatusPeriodMs,
      }),
  },
  {
    name: 'cloud-node-lifecycle-controller',
    alias: 'cloud-node-lifecycle',
    user: 'node-controller',
    make: async (context) =>
      (await import('../../cloud/cloud-node-lifecycle.ts')).cloudNodeLifecycleController(context, {
        provider: await providerOf(context),
        periodMs: settings.nodeMonitorPeriodMs,
      }),
  },
]

const routeRow = ({ routes }: CloudSettings, providerOf: ProviderOf): ControllerRow => ({
  name: 'node-route-controller',
  alias: 'route',
  user: 'route-controller',
  make: async (context) =>
    routes &&
    (await import('../../cloud/node-route.ts')).nodeRouteController(context, {
      provider: await providerOf(context),
      ...routes,
    }),
})

const volumeRow = (providerOf: ProviderOf): ControllerRow => ({
  name: 'volume-provisioner-controller',
  alias: 'volume-provisioner',
  user: 'volume-provisioner',
  make: async (context) =>
    (await import('../../cloud/volumes.ts')).volumesController(context, await providerOf(context)),
})

/** One provider for all that read by the same informers: those of one turn as the leader. */
function sharedProvider({ balancerRange: range, zones }: CloudSettings): ProviderOf {
  const providers = new WeakMap<Informers, Promise<CloudProvider>>()
  const make = async ({ informers, clock }: ControllerContext): Promise<CloudProvider> => {
    const { localProvider } = await import('../../cloud/local/local.ts')
    try {
      return await localProvider({ informers, clock, range, zones })
    } catch (error) {
      throw new StartError(error instanceof Error ? error.message : String(error), error)
    }
  }
  return (context) => {
    const known = providers.get(context.informers) ?? make(context)
    providers.set(context.informers, known)
    return known
  }
}
