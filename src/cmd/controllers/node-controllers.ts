// The controllers of nodes and volumes, as rows of the table of controllers.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/core.go.
import type { Controller, ControllerContext } from '../../client/controller.ts'
import type { ControllerRow } from './row.ts'
import type { ControllerSettings } from './settings.ts'
import { StartError } from '../options.ts'

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
      (await import('../../controllers/node-lifecycle/node-lifecycle.ts')).nodeLifecycleController(context, {
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
      (await import('../../controllers/persistentvolume-binder/persistentvolume-binder.ts')).volumeBinder(
        context,
        claimBinderSyncMs,
      ),
  },
  {
    name: 'persistentvolume-attach-detach-controller',
    alias: 'attachdetach',
    user: 'attachdetach-controller',
    make: async (context, { forcesDetach }) =>
      (
        await import('../../controllers/persistentvolume-attach-detach/persistentvolume-attach-detach.ts')
      ).attachDetachController(context, forcesDetach),
  },
  {
    name: 'persistentvolume-expander-controller',
    alias: 'persistentvolume-expander',
    user: 'expand-controller',
    make: async (context) =>
      (await import('../../controllers/persistentvolume-expander.ts')).volumeExpander(context),
  },
  {
    name: 'volumeattributesclass-protection-controller',
    user: 'volumeattributesclass-protection-controller',
    make: async (context) =>
      (await import('../../controllers/volumeattributesclass-protection.ts')).attributesClassProtection(
        context,
      ),
  },
  {
    name: 'resourceclaim-controller',
    alias: 'resource-claim-controller',
    user: 'resource-claim-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/resourceclaim/resourceclaim.ts')).resourceClaimController(
        context,
        workers.resourceclaim,
      ),
  },
  {
    name: 'device-taint-eviction-controller',
    user: 'device-taint-eviction-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/device-taint-eviction/device-taint-eviction.ts')).deviceTaintEviction(
        context,
        workers['device-taint-eviction'],
      ),
  },
]

async function nodeIpam(context: ControllerContext, settings: ControllerSettings): Promise<Controller> {
  const { nodeIpamController } = await import('../../controllers/node-ipam/node-ipam.ts')
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
