// Namespaces, priority classes, the service CIDR and the local APIServices that every cluster starts with.
// Follows k8s.io/kubernetes/pkg/controlplane, pkg/apis/scheduling and kube-aggregator's autoregistration.
import {
  builtinRegistration,
  MANAGED_LABEL,
  type Registration,
  REGISTRATION_GROUP,
  registrationName,
} from '../../machinery/apiregistration.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Resource } from '../../schema/resource.ts'

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

/** One for each group and version that this server serves itself. */
export function apiServices(resources: readonly Resource[]): KubeObject[] {
  const services = new Map<string, KubeObject>()
  for (const { group, version } of resources) {
    const name = registrationName({ group, version })
    const registration = builtinRegistration(group, version)
    if (group === REGISTRATION_GROUP || !registration || services.has(name)) continue
    services.set(name, apiServiceObject(registration, 'onstart'))
  }
  return [...services.values()]
}

/** The APIService of what this server serves itself. */
export const apiServiceObject = (one: Registration, managed: 'onstart' | 'true'): KubeObject => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: registrationName(one), labels: { [MANAGED_LABEL]: managed } },
  spec: {
    ...(one.group ? { group: one.group } : {}),
    version: one.version,
    groupPriorityMinimum: one.groupPriority,
    versionPriority: one.versionPriority,
  },
})
