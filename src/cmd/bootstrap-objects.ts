// Namespaces, priority classes, the service CIDR and the local APIServices that every cluster starts with.
// Follows k8s.io/kubernetes/pkg/controlplane, pkg/apis/scheduling and kube-aggregator's autoregistration.
import type { KubeObject } from '../machinery/object.ts'
import type { Resource } from '../schema/resource.ts'

export const systemNamespaces = (): KubeObject[] =>
  ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }))

export const priorityClasses = (): KubeObject[] =>
  [
    {
      name: 'system-node-critical',
      value: 2000001000,
      description: 'Pods without which their node cannot work.',
    },
    {
      name: 'system-cluster-critical',
      value: 2000000000,
      description: 'Pods without which the cluster cannot work.',
    },
  ].map(({ name, value, description }) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
    description,
    preemptionPolicy: 'PreemptLowerPriority',
  }))

export const serviceCidr = (cidrs: readonly string[]): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes' },
  spec: { cidrs: [...cidrs] },
})

/** Sorting weights of the legacy group and the rest, as discovery orders them. */
const CORE_PRIORITY = 18000
const GROUP_PRIORITY = 17800
const VERSION_PRIORITY = 15

/** Registration itself is not registered. */
const OWN_GROUP = 'apiregistration.k8s.io'

/** One for each group and version that this server serves itself. */
export function apiServices(resources: readonly Resource[]): KubeObject[] {
  const seen = new Set<string>()
  const services: KubeObject[] = []
  for (const { group, version } of resources) {
    const name = `${version}.${group}`
    if (group === OWN_GROUP || seen.has(name)) continue
    seen.add(name)
    services.push({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: {
        ...(group ? { group } : {}),
        version,
        groupPriorityMinimum: group ? GROUP_PRIORITY : CORE_PRIORITY,
        versionPriority: group ? VERSION_PRIORITY : 1,
      },
    })
  }
  return services
}
