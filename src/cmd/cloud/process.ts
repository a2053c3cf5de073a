// `dinghy cloud-controller-manager`: the controllers that ask a cloud in a process of their own, against any API server, under
// upstream's flags. The one cloud that there is is this machine. Follows k8s.io/cloud-provider/app.
import { CLOUD_SETTINGS, cloudControllers, type CloudSettings } from '../controllers/cloud-controllers.ts'
import { CLOUD_MANAGER } from './part.ts'
import { SETTINGS } from '../controllers/settings.ts'
import { chosenControllers } from '../controllers/controllers.ts'
import { boolean, commandLine, durationMs, integer, listOf, oneOf, text, type Values } from '../flags.ts'
import { managerFlags, managerLog, runManager } from '../controllers/process.ts'
import { MAX_ZONES } from '../nodes/range.ts'
import { StartError } from '../options.ts'

const MAX_INT32 = 2 ** 31 - 1

const FLAGS = {
  ...managerFlags(CLOUD_MANAGER, '10258'),
  controllers: listOf(
    '"*": all that are on by default; "name": this one too; "-name": not this one',
    'NAMES',
  ),
  'cloud-provider': oneOf('whom nodes and balancers come from: this machine', ['dinghy'], 'dinghy'),
  'cloud-config': text('accepted for compatibility', 'FILE'),
  'cluster-name': text('accepted for compatibility', 'NAME', 'kubernetes'),
  'load-balancer-range': text("addresses of balancers, which must be this machine's", 'CIDR'),
  zones: integer('how many zones the nodes are in', '1', 1, MAX_ZONES),
  'allocate-node-cidrs': boolean('accepted for compatibility', false),
  'cluster-cidr': listOf('ranges of pods, whose routes are the cloud’s', 'CIDRS'),
  'configure-cloud-routes': boolean('routes to the nodes’ ranges of pods are made', true),
  'route-reconciliation-period': text('how often routes are looked at', 'DURATION', '10s'),
  'concurrent-service-syncs': integer('Services that are worked on at once', '1', 1, MAX_INT32),
  'concurrent-node-syncs': integer('nodes that are worked on at once', '1', 1, MAX_INT32),
  'node-monitor-period': text(
    'how often the cloud is asked after nodes that are not ready',
    'DURATION',
    '5s',
  ),
  'node-status-update-frequency': text(
    'how often the cloud is asked for addresses of nodes',
    'DURATION',
    '5m0s',
  ),
} as const

export async function cloudControllerManager(argv: readonly string[]): Promise<void> {
  const about = 'Runs the controllers that ask a cloud: this machine is one.'
  const flags = commandLine('dinghy cloud-controller-manager', about, FLAGS, argv)
  if (!flags) return
  const rows = chosenControllers(flags.controllers ?? ['*'], cloudControllers(settingsOf(flags)))
  await runManager(flags, { name: CLOUD_MANAGER, rows, settings: SETTINGS }, managerLog(flags))
}

/** Throws StartError for values that mean nothing. */
function settingsOf(flags: Values<typeof FLAGS>): CloudSettings {
  const ms = (
    flag: 'route-reconciliation-period' | 'node-monitor-period' | 'node-status-update-frequency',
  ): number => durationMs(flag, flags[flag])
  const clusterCidrs = flags['cluster-cidr'] ?? []
  const withRoutes = flags['configure-cloud-routes']
  if (withRoutes && clusterCidrs.length === 0)
    throw new StartError('--cluster-cidr is needed for routes, else --configure-cloud-routes=false')
  return {
    ...CLOUD_SETTINGS,
    balancerRange: flags['load-balancer-range'],
    zones: flags.zones,
    serviceWorkers: flags['concurrent-service-syncs'],
    nodeWorkers: flags['concurrent-node-syncs'],
    nodeStatusPeriodMs: ms('node-status-update-frequency'),
    nodeMonitorPeriodMs: ms('node-monitor-period'),
    routes: withRoutes ? { clusterCidrs, periodMs: ms('route-reconciliation-period') } : undefined,
  }
}
