// The controllers of nodes and volumes, as rows of the table of controllers.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/core.go.
import type { ControllerRow } from './controller-row.ts'

export const NODES_AND_VOLUMES: readonly ControllerRow[] = [
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
]
