// Every controller that exists: upstream's name, whom it acts as, how it is made. One row a controller; its code is
// loaded when the row is chosen. Follows k8s.io/kubernetes/cmd/kube-controller-manager/{app,names}.
import type { ControllerRow } from './row.ts'
import { NODES_AND_VOLUMES } from './node-controllers.ts'
import { StartError } from '../options.ts'
import { IDENTITIES } from './identity-controllers.ts'
import { WORKLOADS } from './workload-controllers.ts'

export const CONTROLLERS: readonly ControllerRow[] = [
  ...WORKLOADS,
  ...NODES_AND_VOLUMES,
  ...IDENTITIES,
  {
    name: 'namespace-controller',
    alias: 'namespace',
    user: 'namespace-controller',
    make: async (context, { workers, namespaceGraceMs: graceMs }) =>
      (await import('../../controllers/namespace/namespace.ts')).namespaceController(context, {
        workers: workers.namespace,
        graceMs,
      }),
  },
  {
    name: 'serviceaccount-controller',
    alias: 'serviceaccount',
    user: 'service-account-controller',
    make: async (context) =>
      (await import('../../controllers/serviceaccount.ts')).serviceAccountController(context),
  },
  {
    name: 'garbage-collector-controller',
    alias: 'garbagecollector',
    user: 'generic-garbage-collector',
    make: async (context, { workers }) =>
      (await import('../../controllers/garbagecollector/garbagecollector.ts')).garbageCollector(
        context,
        workers.gc,
      ),
  },
  {
    name: 'endpoints-controller',
    alias: 'endpoint',
    user: 'endpoint-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/endpoints/endpoints.ts')).endpointsController(
        context,
        workers.endpoint,
      ),
  },
  {
    name: 'endpointslice-controller',
    alias: 'endpointslice',
    user: 'endpointslice-controller',
    make: async (context, { workers, maxEndpointsPerSlice }) =>
      (await import('../../controllers/endpointslice/endpointslice.ts')).endpointSliceController(
        context,
        workers['service-endpoint'],
        maxEndpointsPerSlice,
      ),
  },
  {
    name: 'endpointslice-mirroring-controller',
    alias: 'endpointslicemirroring',
    user: 'endpointslicemirroring-controller',
    make: async (context, { workers }) =>
      (
        await import('../../controllers/endpointslicemirroring/endpointslicemirroring.ts')
      ).endpointSliceMirroring(context, workers['service-endpoint']),
  },
  {
    name: 'pod-garbage-collector-controller',
    alias: 'podgc',
    user: 'pod-garbage-collector',
    make: async (context, { terminatedPodThreshold: threshold }) =>
      (await import('../../controllers/pod-garbage-collector.ts')).podGarbageCollector(context, {
        threshold,
      }),
  },
  {
    name: 'resourcequota-controller',
    alias: 'resourcequota',
    user: 'resourcequota-controller',
    make: async (context, { workers, resourceQuotaSyncMs: syncMs }) =>
      (await import('../../controllers/resourcequota/resourcequota.ts')).resourceQuotaController(context, {
        workers: workers['resource-quota'],
        syncMs,
      }),
  },
  {
    name: 'service-cidr-controller',
    user: 'service-cidrs-controller',
    make: async (context, { serviceCidrGraceMs }) =>
      (await import('../../controllers/service-cidr/service-cidr.ts')).serviceCidrController(
        context,
        serviceCidrGraceMs,
      ),
  },
  {
    name: 'horizontal-pod-autoscaler-controller',
    alias: 'horizontalpodautoscaling',
    user: 'horizontal-pod-autoscaler',
    make: async (context, { workers, autoscaler }) =>
      (await import('../../controllers/horizontal-pod-autoscaler/autoscaler.ts')).autoscalerController(
        context,
        {
          workers: workers['horizontal-pod-autoscaler'],
          ...autoscaler,
        },
      ),
  },
  {
    name: 'disruption-controller',
    alias: 'disruption',
    user: 'disruption-controller',
    make: async (context) =>
      (await import('../../controllers/disruption/disruption.ts')).disruptionController(context),
  },
  {
    name: 'clusterrole-aggregation-controller',
    alias: 'clusterrole-aggregation',
    user: 'clusterrole-aggregation-controller',
    make: async (context) =>
      (await import('../../controllers/clusterrole-aggregation.ts')).clusterRoleAggregation(context),
  },
  {
    name: 'persistentvolumeclaim-protection-controller',
    alias: 'pvc-protection',
    user: 'pvc-protection-controller',
    make: async (context) =>
      (await import('../../controllers/persistentvolumeclaim-protection.ts')).claimProtection(context),
  },
  {
    name: 'persistentvolume-protection-controller',
    alias: 'pv-protection',
    user: 'pv-protection-controller',
    make: async (context) =>
      (await import('../../controllers/persistentvolume-protection.ts')).volumeProtection(context),
  },
  {
    name: 'ephemeral-volume-controller',
    alias: 'ephemeral-volume',
    user: 'ephemeral-volume-controller',
    make: async (context, { workers }) =>
      (await import('../../controllers/ephemeral-volume.ts')).ephemeralVolumeController(
        context,
        workers.ephemeralvolume,
      ),
  },
  {
    name: 'taint-eviction-controller',
    user: 'node-controller',
    make: async (context) =>
      (await import('../../controllers/taint-eviction/taint-eviction.ts')).taintEvictionController(context),
  },
  {
    name: 'certificatesigningrequest-cleaner-controller',
    alias: 'csrcleaner',
    user: 'certificate-controller',
    make: async (context) =>
      (await import('../../controllers/certificatesigningrequest-cleaner.ts')).requestCleaner(context),
  },
  {
    name: 'ttl-controller',
    alias: 'ttl',
    user: 'ttl-controller',
    make: async (context) => (await import('../../controllers/ttl.ts')).ttlController(context),
  },
  {
    name: 'validatingadmissionpolicy-status-controller',
    user: 'validatingadmissionpolicy-status-controller',
    make: async (context, { workers }) =>
      (
        await import('../../controllers/validatingadmissionpolicy-status/validatingadmissionpolicy-status.ts')
      ).policyStatusController(context, workers['validating-admission-policy-status']),
  },
  {
    name: 'root-ca-certificate-publisher-controller',
    alias: 'root-ca-cert-publisher',
    user: 'root-ca-cert-publisher',
    make: async (context, { rootCa }) =>
      rootCa === undefined
        ? undefined
        : (await import('../../controllers/root-ca-certificate-publisher.ts')).rootCaPublisher(
            context,
            rootCa,
          ),
  },
]

/**
 * The rows that `--controllers` chooses: "*" is all that are on by default, "name" adds one, "-name" takes one out;
 * of several words about one controller the first counts. Throws StartError for names that nobody knows.
 */
export function chosenControllers(
  words: readonly string[],
  rows: readonly ControllerRow[] = CONTROLLERS,
): readonly ControllerRow[] {
  const named = words.map((word) => canonical(word, rows))
  return rows.filter(({ name, offByDefault }) => {
    const word = named.find((one) => one === name || one === `-${name}`)
    if (word !== undefined) return word === name
    return named.includes('*') && !offByDefault
  })
}

/** Names among the words of controllers that upstream has and this has not. */
export const missingControllers = (words: readonly string[]): readonly string[] =>
  words.filter(
    (word) => NOT_YET.has(word) && !CONTROLLERS.some(({ name, alias }) => name === word || alias === word),
  )

function canonical(word: string, rows: readonly ControllerRow[]): string {
  if (word === '*') return word
  const sign = word.startsWith('-') ? '-' : ''
  const bare = word.slice(sign.length)
  const row = rows.find(({ name, alias }) => name === bare || alias === bare)
  if (row) return sign + row.name
  if (NOT_YET.has(bare)) return word
  throw new StartError(`--controllers: ${JSON.stringify(bare)} is not in the list of known controllers`)
}

/** Upstream's that do not run here: command lines that name them start all the same. */
const NOT_YET: ReadonlySet<string> = new Set([
  'storageversion-garbage-collector-controller',
  'storage-version-gc',
  'storage-version-migrator-controller',
  'svm',
  'podcertificaterequest-cleaner-controller',
  'kube-apiserver-serving-clustertrustbundle-publisher-controller',
  'podgroup-protection-controller',
  'resourcepoolstatusrequest-controller',
  'selinux-warning-controller',
  'service-lb-controller',
  'service',
  'cloud-node-lifecycle-controller',
  'cloud-node-lifecycle',
  'node-route-controller',
  'route',
])
