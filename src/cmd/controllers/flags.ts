// The flags of `dinghy controller-manager`, and the settings that they make.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/options.
import { SETTINGS, type ControllerSettings, type SigningAuthority, WORKERS } from './settings.ts'
import { fileText } from '../files.ts'
import { boolean, durationMs, integer, listOf, text, type IntegerFlag, type Values } from '../flags.ts'
import { managerFlags } from './process.ts'
import { StartError } from '../options.ts'
import { accepted } from '../parts/serving-flags.ts'
import { certificatesOf, servingPair } from '../apiserver/tlsfiles.ts'

const MAX_INT32 = 2 ** 31 - 1

/** Upstream's names of its signers' files, by what they sign. */
const SIGNERS = {
  'kubelet-serving': 'kubelet-serving',
  'kube-apiserver-client-kubelet': 'kubelet-client',
  'kube-apiserver-client': 'kube-apiserver-client',
  'legacy-unknown': 'legacy-unknown',
} as const

/** Upstream's, of what is done otherwise here, or at once. */
const VAIN = accepted(
  [
    'attach-detach-reconcile-sync-period',
    'cidr-allocator-type',
    'cloud-config',
    'cloud-provider',
    'cluster-name',
    'concurrent-service-syncs',
    'controller-shutdown-timeout',
    'controller-start-interval',
    'endpoint-updates-batch-period',
    'endpointslice-updates-batch-period',
    'external-cloud-volume-plugin',
    'flex-volume-plugin-dir',
    'kube-api-content-type',
    'leader-migration-config',
    'min-resync-period',
    'mirroring-concurrent-service-endpoint-syncs',
    'mirroring-endpointslice-updates-batch-period',
    'mirroring-max-endpoints-per-subset',
    'namespace-sync-period',
    'pv-recycler-increment-timeout-nfs',
    'pv-recycler-minimum-timeout-hostpath',
    'pv-recycler-minimum-timeout-nfs',
    'pv-recycler-pod-template-filepath-hostpath',
    'pv-recycler-pod-template-filepath-nfs',
    'pv-recycler-timeout-increment-hostpath',
    'route-reconciliation-period',
  ],
  [
    'configure-cloud-routes',
    'disable-attach-detach-reconcile-sync',
    'enable-dynamic-provisioning',
    'enable-hostpath-provisioner',
    'enable-leader-migration',
  ],
)

const count = (what: string, value: number): IntegerFlag => integer(what, String(value), 1, MAX_INT32)

function workerFlags(): Record<`concurrent-${keyof typeof WORKERS}-syncs`, IntegerFlag> {
  const flags = Object.entries(WORKERS).map(([name, value]) => [
    `concurrent-${name}-syncs`,
    count('keys that are worked on at once', value),
  ])
  return Object.fromEntries(flags) as Record<`concurrent-${keyof typeof WORKERS}-syncs`, IntegerFlag>
}

const signingFile = (what: string) => text(`${what} that signs requests of one signer, PEM`, 'FILE')

export const CONTROLLER_FLAGS = {
  ...managerFlags('kube-controller-manager', '10257'),
  controllers: listOf(
    '"*": all that are on by default; "name": this one too; "-name": not this one',
    'NAMES',
  ),
  ...workerFlags(),
  ...VAIN,
  'root-ca-file': text('CAs that pods check the API server with, PEM', 'FILE'),
  'service-account-private-key-file': text('key that signs tokens in secrets, PEM', 'FILE'),
  'cluster-signing-cert-file': text('CA that signs requests, PEM', 'FILE'),
  'cluster-signing-key-file': text('its key, PEM', 'FILE'),
  'cluster-signing-duration': text('how long its certificates last at most', 'DURATION', '8760h0m0s'),
  'cluster-signing-kubelet-serving-cert-file': signingFile('CA'),
  'cluster-signing-kubelet-serving-key-file': signingFile('key'),
  'cluster-signing-kubelet-client-cert-file': signingFile('CA'),
  'cluster-signing-kubelet-client-key-file': signingFile('key'),
  'cluster-signing-kube-apiserver-client-cert-file': signingFile('CA'),
  'cluster-signing-kube-apiserver-client-key-file': signingFile('key'),
  'cluster-signing-legacy-unknown-cert-file': signingFile('CA'),
  'cluster-signing-legacy-unknown-key-file': signingFile('key'),
  'allocate-node-cidrs': boolean('give each node a range of addresses for its pods', false),
  'cluster-cidr': listOf('ranges of all pods', 'CIDRS'),
  'service-cluster-ip-range': listOf('addresses of Services, kept out of the ranges of pods', 'CIDRS'),
  'node-cidr-mask-size': integer("bits of a node's range; 0: 24, or 64 for IPv6", '0', 0, 128),
  'node-cidr-mask-size-ipv4': integer('the same for IPv4', '0', 0, 32),
  'node-cidr-mask-size-ipv6': integer('the same for IPv6', '0', 0, 128),
  'node-monitor-grace-period': text('how long a node may be silent', 'DURATION', '50s'),
  'node-monitor-period': text('how often nodes are looked at', 'DURATION', '5s'),
  'node-startup-grace-period': text('how long a new node may be silent', 'DURATION', '1m0s'),
  'node-eviction-rate': text('nodes a second whose pods are evicted', 'RATE', '0.1'),
  'secondary-node-eviction-rate': text('the same in a zone that is unhealthy', 'RATE', '0.01'),
  'large-cluster-size-threshold': integer('nodes from which the second rate is used', '50', 0, MAX_INT32),
  'unhealthy-zone-threshold': text('part of the nodes that makes a zone unhealthy', 'PART', '0.55'),
  'terminated-pod-gc-threshold': integer('finished pods that are kept', '12500', 0, MAX_INT32),
  'disable-force-detach-on-timeout': boolean(
    'volumes stay attached to a node that is silent, however long, unless it is tainted as out of service',
    false,
  ),
  'enable-garbage-collector': boolean('objects whose owners are gone go, too', true),
  'max-endpoints-per-slice': integer('endpoints in one slice', '100', 1, 1000),
  'pvclaimbinder-sync-period': text('how often claims and volumes are looked at', 'DURATION', '15s'),
  'resource-quota-sync-period': text('how often use is counted anew', 'DURATION', '5m0s'),
  'legacy-service-account-token-clean-up-period': text(
    'how long a token in a secret that nobody asked for may lie unused',
    'DURATION',
    '8760h0m0s',
  ),
  'horizontal-pod-autoscaler-sync-period': text('how often autoscalers look', 'DURATION', '15s'),
  'horizontal-pod-autoscaler-downscale-stabilization': text(
    'how long a higher recommendation holds',
    'DURATION',
    '5m0s',
  ),
  'horizontal-pod-autoscaler-cpu-initialization-period': text(
    'how long the CPU that a starting pod uses is not believed',
    'DURATION',
    '5m0s',
  ),
  'horizontal-pod-autoscaler-initial-readiness-delay': text(
    'how long after its start a pod may become unready and count as never ready',
    'DURATION',
    '30s',
  ),
  'horizontal-pod-autoscaler-tolerance': text('how far from its target a metric may be', 'PART', '0.1'),
} as const

export type ManagerFlags = Values<typeof CONTROLLER_FLAGS>

/** Throws StartError for files that cannot be read and values that mean nothing. */
export function settingsOf(flags: ManagerFlags): ControllerSettings {
  const rootCa = flags['root-ca-file']
  const key = flags['service-account-private-key-file']
  const mask = flags['node-cidr-mask-size']
  return {
    workers: workersOf(flags),
    namespaceGraceMs: SETTINGS.namespaceGraceMs,
    serviceCidrGraceMs: SETTINGS.serviceCidrGraceMs,
    rootCa: rootCa === undefined ? undefined : certificatesOf(rootCa),
    serviceAccountKey: key === undefined ? undefined : fileText(key),
    signers: signersOf(flags),
    signingDurationSeconds: durationMs('cluster-signing-duration', flags['cluster-signing-duration']) / 1000,
    allocateNodeCidrs: flags['allocate-node-cidrs'],
    clusterCidrs: flags['cluster-cidr'] ?? [],
    serviceCidrs: flags['service-cluster-ip-range'] ?? [],
    nodeCidrMaskSizeIpv4: flags['node-cidr-mask-size-ipv4'] || mask || SETTINGS.nodeCidrMaskSizeIpv4,
    nodeCidrMaskSizeIpv6: flags['node-cidr-mask-size-ipv6'] || mask || SETTINGS.nodeCidrMaskSizeIpv6,
    nodeMonitorGraceMs: durationMs('node-monitor-grace-period', flags['node-monitor-grace-period']),
    nodeMonitorPeriodMs: durationMs('node-monitor-period', flags['node-monitor-period']),
    nodeStartupGraceMs: durationMs('node-startup-grace-period', flags['node-startup-grace-period']),
    nodeEvictionRate: rate(flags, 'node-eviction-rate'),
    secondaryNodeEvictionRate: rate(flags, 'secondary-node-eviction-rate'),
    largeClusterSizeThreshold: flags['large-cluster-size-threshold'],
    unhealthyZoneThreshold: rate(flags, 'unhealthy-zone-threshold'),
    forcesDetach: !flags['disable-force-detach-on-timeout'],
    maxEndpointsPerSlice: flags['max-endpoints-per-slice'],
    terminatedPodThreshold: flags['terminated-pod-gc-threshold'],
    autoscaler: autoscalerOf(flags),
    legacyTokenUnusedMs: durationMs(
      'legacy-service-account-token-clean-up-period',
      flags['legacy-service-account-token-clean-up-period'],
    ),
    claimBinderSyncMs: durationMs('pvclaimbinder-sync-period', flags['pvclaimbinder-sync-period']),
    resourceQuotaSyncMs: durationMs('resource-quota-sync-period', flags['resource-quota-sync-period']),
  }
}

function workersOf(flags: ManagerFlags): ControllerSettings['workers'] {
  const names = Object.keys(WORKERS) as (keyof typeof WORKERS)[]
  return Object.fromEntries(names.map((name) => [name, flags[`concurrent-${name}-syncs`]])) as Record<
    keyof typeof WORKERS,
    number
  >
}

function autoscalerOf(flags: ManagerFlags): ControllerSettings['autoscaler'] {
  const ms = (
    flag: 'sync-period' | 'downscale-stabilization' | 'cpu-initialization-period' | 'initial-readiness-delay',
  ): number => {
    const name = `horizontal-pod-autoscaler-${flag}` as const
    return durationMs(name, flags[name])
  }
  return {
    syncMs: ms('sync-period'),
    downscaleStabilizationMs: ms('downscale-stabilization'),
    cpuInitializationMs: ms('cpu-initialization-period'),
    readinessDelayMs: ms('initial-readiness-delay'),
    tolerance: rate(flags, 'horizontal-pod-autoscaler-tolerance'),
  }
}

function rate(
  flags: ManagerFlags,
  flag:
    | 'node-eviction-rate'
    | 'secondary-node-eviction-rate'
    | 'unhealthy-zone-threshold'
    | 'horizontal-pod-autoscaler-tolerance',
): number {
  const value = Number(flags[flag])
  if (flags[flag].trim() === '' || !(value >= 0))
    throw new StartError(`--${flag}: ${flags[flag]} is no number from 0 on`)
  return value
}

/** A signer's own files, or those for all. */
function signersOf(flags: ManagerFlags): ReadonlyMap<string, SigningAuthority> {
  const all = authority(
    flags['cluster-signing-cert-file'],
    flags['cluster-signing-key-file'],
    'cluster-signing',
  )
  const signers = new Map<string, SigningAuthority>()
  for (const [signer, flag] of Object.entries(SIGNERS)) {
    const prefix = `cluster-signing-${flag}` as const
    const own = authority(flags[`${prefix}-cert-file`], flags[`${prefix}-key-file`], prefix)
    if (own && all)
      throw new StartError('--cluster-signing-cert-file and files of single signers exclude each other')
    const signs = own ?? all
    if (signs) signers.set(signer, signs)
  }
  return signers
}

function authority(
  cert: string | undefined,
  key: string | undefined,
  flag: string,
): SigningAuthority | undefined {
  if ((cert === undefined) !== (key === undefined))
    throw new StartError(`--${flag}-cert-file and --${flag}-key-file go together`)
  if (cert === undefined || key === undefined) return undefined
  servingPair(cert, key)
  // Files may change while the controllers run.
  return {
    get cert() {
      return fileText(cert)
    },
    get key() {
      return fileText(key)
    },
  }
}
