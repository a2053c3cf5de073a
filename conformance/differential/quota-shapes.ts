// Random limits and quotas, and objects that they are about. Used by quotas.ts.
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Draw } from './mutations.ts'
import { perhaps, several } from './both.ts'

const AMOUNTS: Readonly<{ [resource: string]: readonly string[] }> = {
  cpu: ['100m', '250m', '1', '2', '0', '1500m'],
  memory: ['64Mi', '128Mi', '1Gi', '1000000', '0', '1.5Gi'],
  'ephemeral-storage': ['1Gi', '2Gi', '10M'],
  'example.com/gpu': ['1', '2', '3'],
  'hugepages-2Mi': ['2Mi', '4Mi'],
  storage: ['1Gi', '2Gi', '500Mi', '10Gi'],
}
const amount = (draw: Draw, resource: string): string => draw.of(AMOUNTS[resource] ?? ['1', '2', '5'])
const amounts = (draw: Draw, names: readonly string[], least: number, most: number): JsonObject =>
  Object.fromEntries(several(draw, names, least, most).map((name) => [name, amount(draw, name)]))

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage', 'example.com/gpu']

function limitOf(draw: Draw, type: string): JsonObject {
  const names = type === 'PersistentVolumeClaim' ? ['storage'] : COMPUTE
  const list = (share: number, key: string): JsonObject =>
    perhaps(draw, share, () => ({ [key]: amounts(draw, names, 1, 2) }))
  const defaults = type === 'Container' ? { ...list(0.5, 'default'), ...list(0.4, 'defaultRequest') } : {}
  const ratio = perhaps(draw, 0.3, () => ({
    maxLimitRequestRatio: { [draw.of(names)]: draw.of(['1', '2', '1500m', '4']) },
  }))
  return { type, ...list(0.6, 'max'), ...list(0.5, 'min'), ...defaults, ...ratio }
}

export const limitRange = (draw: Draw, name: string): JsonObject => ({
  metadata: { name },
  spec: {
    limits: several(draw, ['Container', 'Pod', 'PersistentVolumeClaim'], 1, 3).map((type) =>
      limitOf(draw, type),
    ),
  },
})

const COUNTED: Readonly<{ [resource: string]: readonly string[] }> = {
  pods: ['1', '3', '5', '0'],
  'count/pods': ['2', '4'],
  'requests.cpu': ['500m', '1', '3'],
  'requests.memory': ['256Mi', '2Gi'],
  'limits.cpu': ['1', '4'],
  'limits.memory': ['1Gi', '4Gi'],
  cpu: ['1', '2'],
  memory: ['512Mi', '1Gi'],
  'ephemeral-storage': ['3Gi'],
  'requests.ephemeral-storage': ['2Gi', '5Gi'],
  'limits.ephemeral-storage': ['4Gi'],
  'requests.example.com/gpu': ['2', '4'],
  'hugepages-2Mi': ['4Mi'],
  services: ['2', '4'],
  'services.nodeports': ['1', '2'],
  'services.loadbalancers': ['1', '0'],
  secrets: ['1', '3'],
  configmaps: ['1', '2'],
  'count/configmaps': ['2'],
  'count/deployments.apps': ['1', '2'],
  'count/secrets': ['2'],
  persistentvolumeclaims: ['1', '3'],
  'requests.storage': ['3Gi', '10Gi'],
  'gold.storageclass.storage.k8s.io/requests.storage': ['2Gi'],
  'gold.storageclass.storage.k8s.io/persistentvolumeclaims': ['1', '2'],
  'count/persistentvolumeclaims': ['3'],
  resourcequotas: ['3', '5'],
  replicationcontrollers: ['1'],
}
const OF_PODS = Object.keys(COUNTED).slice(0, 10)

const SCOPES: readonly JsonObject[] = [
  { scopeName: 'Terminating', operator: 'Exists' },
  { scopeName: 'NotTerminating', operator: 'Exists' },
  { scopeName: 'PriorityClass', operator: 'In', values: ['high'] },
  { scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] },
  { scopeName: 'PriorityClass', operator: 'Exists' },
  { scopeName: 'PriorityClass', operator: 'DoesNotExist' },
  { scopeName: 'CrossNamespacePodAffinity', operator: 'Exists' },
  { scopeName: 'BestEffort', operator: 'Exists' },
  { scopeName: 'NotBestEffort', operator: 'Exists' },
  { scopeName: 'VolumeAttributesClass', operator: 'In', values: ['fast'] },
  { scopeName: 'BestEffort', operator: 'In', values: ['x'] },
  { scopeName: 'Other', operator: 'Exists' },
]

export function quota(draw: Draw, name: string): JsonObject {
  const scoped = draw.chance(0.45)
  const names = scoped ? (draw.chance(0.5) ? ['pods'] : OF_PODS) : Object.keys(COUNTED)
  const chosen = several(draw, names, 1, 4)
  const hard = Object.fromEntries(chosen.map((resource) => [resource, draw.of(COUNTED[resource] ?? ['1'])]))
  const scopes = perhaps(draw, 0.4, () => ({
    scopes: several(
      draw,
      ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'CrossNamespacePodAffinity'],
      1,
      2,
    ),
  }))
  const scopeSelector = { matchExpressions: several(draw, SCOPES, 1, 2) }
  return {
    metadata: { name },
    spec: { hard, ...(scoped ? (draw.chance(0.4) ? scopes : { scopeSelector }) : {}) },
  }
}

/** What containers ask for; sometimes nothing, sometimes more than they may have. */
export function resources(draw: Draw): JsonObject {
  const names = draw.chance(0.8) ? COMPUTE.slice(0, 2) : [...COMPUTE, 'hugepages-2Mi']
  return {
    ...perhaps(draw, 0.6, () => ({ requests: amounts(draw, names, 1, names.length) })),
    ...perhaps(draw, 0.6, () => ({ limits: amounts(draw, names, 1, names.length) })),
  }
}

export function pod(draw: Draw, name: string): JsonObject {
  const container =
    (prefix: string) =>
    (_: unknown, i: number): JsonObject => ({
      name: `${prefix}${i}`,
      image: 'i',
      ...perhaps(draw, 0.85, () => ({ resources: resources(draw) })),
    })
  const term = {
    topologyKey: 'zone',
    labelSelector: {},
    ...perhaps(draw, 0.6, () => draw.of<JsonObject>([{ namespaces: ['other'] }, { namespaceSelector: {} }])),
  }
  return {
    metadata: { name },
    spec: {
      containers: Array.from({ length: draw.of([1, 1, 2]) }, container('c')),
      ...perhaps(draw, 0.25, () => ({
        initContainers: Array.from({ length: draw.of([1, 2]) }, container('i')).map((one) => ({
          ...one,
          ...perhaps(draw, 0.5, () => ({ restartPolicy: 'Always' })),
        })),
      })),
      ...perhaps(draw, 0.25, () => ({ activeDeadlineSeconds: draw.of([0, 5, 100]) })),
      ...perhaps(draw, 0.25, () => ({
        priorityClassName: draw.of(['high', 'low', 'absent', 'system-node-critical']),
      })),
      ...perhaps(draw, 0.1, () => ({ resources: resources(draw) })),
      ...perhaps(draw, 0.1, () => ({ runtimeClassName: draw.of(['heavy', 'absent']) })),
      ...perhaps(draw, 0.15, () => ({
        affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
      })),
    },
  }
}

export const claim = (draw: Draw, name: string): JsonObject => ({
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    volumeName: 'v',
    resources: {
      requests: { storage: amount(draw, 'storage') },
      ...perhaps(draw, 0.1, () => ({ limits: { storage: '2Gi' } })),
    },
    ...perhaps(draw, 0.6, () => ({ storageClassName: draw.of(['gold', 'other', '']) })),
    ...perhaps(draw, 0.2, () => ({ volumeAttributesClassName: draw.of(['fast', 'slow']) })),
  },
})

const port = (draw: Draw, i: number): JsonObject => ({
  name: `p${i}`,
  port: 80 + i,
  protocol: draw.of(['TCP', 'TCP', 'UDP']),
})
export const service = (draw: Draw, name: string): JsonObject => ({
  metadata: { name },
  spec: {
    type: draw.of(['ClusterIP', 'NodePort', 'LoadBalancer', 'ClusterIP']),
    ports: Array.from({ length: draw.of([1, 2]) }, (_, i) => port(draw, i)),
    ...perhaps(draw, 0.1, () => ({ allocateLoadBalancerNodePorts: false })),
  },
})

export const deployment = (name: string): JsonObject => ({
  metadata: { name },
  spec: {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
})
