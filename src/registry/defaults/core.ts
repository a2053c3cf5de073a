// Defaults of the core group. Follows k8s.io/kubernetes/pkg/apis/core/v1/defaults.go.
import { isObject, type JsonObject } from '../../machinery/json.ts'
import { alignFirst, POD, POD_TEMPLATE } from './pods.ts'
import { roundedIn } from './quantities.ts'
import { type GroupDefaults, put, type Rules, structAt, structIn, structsIn } from './rules.ts'
import { CLAIM_SPEC, PERSISTENT_SOURCES } from './volumes.ts'

const CLIENT_IP_AFFINITY_SECONDS = 10_800

/** PersistentVolumeClaim, also as a template in StatefulSets. */
export const CLAIM: Rules = {
  embedded: {
    spec: CLAIM_SPEC,
    status: { empty: { phase: 'Pending' }, last: roundedIn('capacity', 'allocatedResources') },
  },
}

/** PersistentVolumeSpec as a VolumeAttachment holds it: no defaults but those of its source. */
export const INLINE_VOLUME: Rules = { first: roundedIn('capacity'), present: PERSISTENT_SOURCES }

export const CORE: GroupDefaults = {
  'v1/Pod': () => POD,
  'v1/PodTemplate': () => ({ embedded: { template: POD_TEMPLATE } }),
  'v1/ReplicationController': () => ({
    first: labelFromTemplate,
    embedded: { spec: { absent: { replicas: 1 }, present: { template: POD_TEMPLATE } } },
  }),
  'v1/Service': () => ({ first: defaultService }),
  'v1/Endpoints': () => ({ items: { subsets: { items: { ports: { empty: { protocol: 'TCP' } } } } } }),
  'v1/Secret': () => ({ empty: { type: 'Opaque' }, last: mergeStringData }),
  'v1/Namespace': () => ({
    first: labelWithName,
    embedded: { status: { empty: { phase: 'Active' } } },
  }),
  'v1/Node': () => ({
    embedded: {
      spec: { last: (spec) => alignFirst(spec, 'podCIDR', 'podCIDRs', (cidr) => cidr) },
      status: { first: allocateCapacity, last: roundedIn('capacity', 'allocatable') },
    },
  }),
  'v1/PersistentVolume': () => ({
    embedded: {
      spec: {
        ...INLINE_VOLUME,
        empty: { persistentVolumeReclaimPolicy: 'Retain' },
        absent: { volumeMode: 'Filesystem' },
      },
      status: { empty: { phase: 'Pending' } },
    },
  }),
  'v1/PersistentVolumeClaim': () => CLAIM,
  'v1/ResourceQuota': () => ({
    embedded: { spec: { last: roundedIn('hard') }, status: { last: roundedIn('hard', 'used') } },
  }),
  'v1/LimitRange': () => ({
    embedded: {
      spec: {
        items: {
          limits: {
            first: defaultLimits,
            last: roundedIn('max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'),
          },
        },
      },
    },
  }),
}

function labelFromTemplate(controller: JsonObject): void {
  const spec = structIn(controller, 'spec')
  const template = structAt(spec, 'template')
  const labels = template && structAt(structIn(template, 'metadata'), 'labels')
  if (!labels) return
  if (isEmpty(spec.selector)) spec.selector = { ...labels }
  const metadata = structIn(controller, 'metadata')
  if (isEmpty(metadata.labels)) metadata.labels = { ...labels }
}

/** True for an absent map and for one without entries. */
export function isEmpty(value: unknown): boolean {
  return !isObject(value) || Object.keys(value).length === 0
}

function defaultService(service: JsonObject): void {
  const spec = structIn(service, 'spec')
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP' && !hasAffinityTimeout(spec)) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: CLIENT_IP_AFFINITY_SECONDS } }
  }
  spec.type ||= 'ClusterIP'
  for (const port of structsIn(spec, 'ports')) {
    port.protocol ||= 'TCP'
    if (!port.targetPort && port.port !== undefined) port.targetPort = port.port
  }
  defaultTrafficPolicies(spec)
  if (spec.type === 'LoadBalancer') defaultLoadBalancer(spec, structIn(service, 'status'))
}

function hasAffinityTimeout(spec: JsonObject): boolean {
  const config = structAt(spec, 'sessionAffinityConfig')
  const clientIP = config && structAt(config, 'clientIP')
  return typeof clientIP?.timeoutSeconds === 'number'
}

function defaultTrafficPolicies(spec: JsonObject): void {
  const external = Array.isArray(spec.externalIPs) && spec.externalIPs.length > 0
  const reachable = spec.type === 'LoadBalancer' || spec.type === 'NodePort'
  if (reachable || (spec.type === 'ClusterIP' && external)) spec.externalTrafficPolicy ||= 'Cluster'
  if (reachable || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster'
}

function defaultLoadBalancer(spec: JsonObject, status: JsonObject): void {
  spec.allocateLoadBalancerNodePorts ??= true
  const balancer = structAt(status, 'loadBalancer')
  for (const ingress of balancer ? structsIn(balancer, 'ingress') : []) {
    if (ingress.ip) ingress.ipMode ??= 'VIP'
  }
}

/** `stringData` is write-only: its entries are data in plain text, and win over those of the same name. */
function mergeStringData(secret: JsonObject): void {
  const plain = structAt(secret, 'stringData')
  delete secret.stringData
  if (!plain || isEmpty(plain)) return
  const data = structIn(secret, 'data')
  for (const [key, value] of Object.entries(plain)) {
    put(data, key, Buffer.from(String(value), 'utf8').toString('base64'))
  }
}

/** Selectors find namespaces by this label; a name still to be generated is labelled by the strategy. */
function labelWithName(namespace: JsonObject): void {
  const metadata = structIn(namespace, 'metadata')
  if (metadata.name) structIn(metadata, 'labels')['kubernetes.io/metadata.name'] = metadata.name
}

function allocateCapacity(status: JsonObject): void {
  if (isObject(status.capacity) && !isObject(status.allocatable)) status.allocatable = { ...status.capacity }
}

/** Of a container's limits: max stands in for the default limit, that or min for the default request. */
function defaultLimits(item: JsonObject): void {
  if (item.type !== 'Container') return
  const limit = structIn(item, 'default')
  const request = structIn(item, 'defaultRequest')
  fill(limit, item.max)
  fill(request, limit)
  fill(request, item.min)
  if (isEmpty(limit)) delete item.default
  if (isEmpty(request)) delete item.defaultRequest
}

function fill(target: JsonObject, source: unknown): void {
  if (!isObject(source)) return
  for (const [name, value] of Object.entries(source)) {
    if (!Object.hasOwn(target, name)) put(target, name, value)
  }
}
