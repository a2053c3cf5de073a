// The controllers of nodes and volumes, as rows of the table of controllers.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/core.go.
import type { Controller, ControllerContext } from '../client/controller.ts'
import type { ControllerRow } from './controller-row.ts'
import type { ControllerSettings } from './controller-settings.ts'
import { StartError } from './options.ts'

export const NODES_AND_VOLUMES: readonly ControllerRow[] = [
  {
    name: 'node-ipam-controller',
    alias: 'nodeipam',
    user: 'node-controller',
    make: async (context, settings) => (settings.allocateNodeCidrs ? nodeIpam(context, settings) : undefined),
  },
  {
    name: 'node-lifecycle-controller',
    alias: 'nodelifecycle',
    user: 'node-controller',
    make: async (context, settings) =>
      (await import('../controllers/node-lifecycle/node-lifecycle.ts')).nodeLifecycleController(context, {
        periodMs: settings.nodeMonitorPeriodMs,
        graceMs: settings.nodeMonitorGraceMs,
        startupMs: settings.nodeStartupGraceMs,
        rate: settings.nodeEvictionRate,
        secondaryRate: settings.secondaryNodeEvictionRate,
        largeZone: settings.largeClusterSizeThreshold,
        unhealthyPart: settings.unhealthyZoneThreshold,
      }),
  },
  {
    name: 'persistentvolume-binder-controller',
    alias: 'persistentvolume-binder',
    user: 'persistent-volume-binder',
    make: async (context, { claimBinderSyncMs }) =>
      (await import('../controllers/persistentvolume-binder/persistentvolume-binder.ts')).volumeBinder(
        context,
        claimBinderSyncMs,
      ),
  },
]

async function nodeIpam(context: ControllerContext, settings: ControllerSettings): Promise<Controller> {
  const { nodeIpamController } = await import('../controllers/node-ipam/node-ipam.ts')
  try {
    return nodeIpamController(context, {
      clusterCidrs: settings.clusterCidrs,
      reservedCidrs: settings.serviceCidrs,
      maskSize: { 4: settings.nodeCidrMaskSizeIpv4, 6: settings.nodeCidrMaskSizeIpv6 },
    })
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : String(error))
  }
}
