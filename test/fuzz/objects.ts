// What the fuzzer's bodies begin as: objects of every kind, made from the facts of the release; some that are valid
// and stored for the fuzzer to patch; and upstream's own samples, where these are at hand.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiVersionOf } from '../../src/machinery/gvk.ts'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { builtinResources, type ResourceRow } from '../../src/schema/resources.ts'
import type { ScalarType, StructType, Type } from '../../src/schema/type.ts'
import { typeOf } from '../../src/schema/types.ts'
import type { Random } from './random.ts'

const ROUNDTRIP = join(import.meta.dirname, '../../../shared/upstream/roundtrip')

/** The namespaces that the fuzzer writes to. */
export const NAMESPACES = ['fuzz-0', 'fuzz-1', 'default']
/** Names of stored objects; few, so that requests meet. */
export const NAMES = ['a', 'b', 'c', 'web', 'x-0']

const LABELS = { app: 'web' }
const CONTAINERS = [{ name: 'c', image: 'nginx:1', resources: { requests: { cpu: '100m' } } }]
const TEMPLATE = { metadata: { labels: LABELS }, spec: { containers: CONTAINERS, restartPolicy: 'Always' } }
const WORKLOAD = { selector: { matchLabels: LABELS }, template: TEMPLATE }
const JOB_TEMPLATE = { spec: { containers: CONTAINERS, restartPolicy: 'Never' } }
const PORTS = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }]

/** Valid objects of kinds whose rules are many, by resource; the rest is made from the schema. */
const VALID: Readonly<Record<string, JsonObject>> = {
  '/pods': { spec: { containers: CONTAINERS, volumes: [{ name: 'v', emptyDir: {} }] } },
  '/configmaps': { data: { a: '1', b: 'two' }, binaryData: { c: 'AQID' } },
  '/secrets': { type: 'Opaque', data: { a: 'AQID' } },
  '/services': { spec: { selector: LABELS, ports: PORTS } },
  '/endpoints': {
    subsets: [{ addresses: [{ ip: '10.1.2.3' }], ports: [{ port: 80, name: 'http', protocol: 'TCP' }] }],
  },
  '/persistentvolumeclaims': {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
  '/persistentvolumes': {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
  },
  '/replicationcontrollers': { spec: { selector: LABELS, template: TEMPLATE } },
  '/limitranges': { spec: { limits: [{ type: 'Container', default: { cpu: '1' } }] } },
  '/resourcequotas': { spec: { hard: { pods: '1000000' } } },
  '/events': { involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' }, reason: 'R', message: 'm' },
  '/nodes': { spec: { podCIDR: '10.1.0.0/24', taints: [{ key: 'k', effect: 'NoSchedule' }] } },
  'apps/deployments': { spec: WORKLOAD },
  'apps/replicasets': { spec: WORKLOAD },
  'apps/statefulsets': { spec: { ...WORKLOAD, serviceName: 's' } },
  'apps/daemonsets': { spec: WORKLOAD },
  'batch/jobs': { spec: { template: JOB_TEMPLATE } },
  'batch/cronjobs': { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: JOB_TEMPLATE } } } },
  'networking.k8s.io/ingresses': {
    spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
  },
  'networking.k8s.io/networkpolicies': { spec: { podSelector: {}, policyTypes: ['Ingress'] } },
  'policy/poddisruptionbudgets': { spec: { minAvailable: '50%', selector: { matchLabels: LABELS } } },
  'rbac.authorization.k8s.io/roles': { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  'rbac.authorization.k8s.io/clusterroles': {
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  },
  'autoscaling/horizontalpodautoscalers': {
    spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' } },
  },
  'coordination.k8s.io/leases': { spec: { holderIdentity: 'h', leaseDurationSeconds: 10 } },
  'discovery.k8s.io/endpointslices': {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.2.3'] }],
    ports: [{ port: 80, name: 'http', protocol: 'TCP' }],
  },
  'storage.k8s.io/storageclasses': { provisioner: 'example.com/p' },
  'scheduling.k8s.io/priorityclasses': { value: 1000 },
}

/** One kind with where it is served, and a valid object of it where one is known. */
export interface Kind {
  readonly resource: ResourceRow
  readonly apiVersion: string
  readonly type: StructType
  readonly valid: JsonObject | undefined
}

let kinds: readonly Kind[] | undefined

export function allKinds(): readonly Kind[] {
  kinds ??= builtinResources().map((resource) => ({
    resource,
    apiVersion: apiVersionOf(resource),
    type: typeOf(resource.definition) as StructType,
    valid: resource.version.startsWith('v1') ? VALID[`${resource.group}/${resource.name}`] : undefined,
  }))
  return kinds
}

/** Kinds that the fuzzer keeps objects of. */
export const storedKinds = (): readonly Kind[] => allKinds().filter((kind) => kind.valid !== undefined)

/** The collection's path. */
export function collectionPath({ resource, apiVersion }: Kind, namespace: string): string {
  const root = resource.group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`
  return resource.namespaced && namespace !== ''
    ? `${root}/namespaces/${namespace}/${resource.name}`
    : `${root}/${resource.name}`
}

/** A valid object with a name. */
export function validObject(kind: Kind, name: string): JsonObject {
  return {
    apiVersion: kind.apiVersion,
    kind: kind.resource.kind,
    metadata: { name, labels: LABELS },
    ...kind.valid,
  }
}

let samples: readonly JsonObject[] | undefined

/** Upstream's samples, full of every field; empty where they are not at hand. */
function upstreamSamples(): readonly JsonObject[] {
  if (samples === undefined) {
    const files = existsSync(ROUNDTRIP) ? readdirSync(ROUNDTRIP).filter((file) => file.endsWith('.json')) : []
    samples = files.map((file) => JSON.parse(readFileSync(join(ROUNDTRIP, file), 'utf8')) as JsonObject)
  }
  return samples
}

/** An object of the kind: valid, made from the schema, or one of upstream's. */
export function anyObject(kind: Kind, random: Random): JsonObject {
  const name = random.chance(0.7) ? random.pick(NAMES) : `n${random.int(50)}`
  if (kind.valid && random.chance(0.6)) return validObject(kind, name)
  const sample = random.chance(0.4) ? sampleOf(kind, random) : undefined
  const object = sample ?? (generate(kind.type, random, { depth: 0, budget: 120 }) as JsonObject)
  const metadata = object['metadata'] as JsonObject | undefined
  return {
    ...object,
    apiVersion: kind.apiVersion,
    kind: kind.resource.kind,
    metadata: random.chance(0.5) ? { name } : { ...metadata, name },
  }
}

function sampleOf(kind: Kind, random: Random): JsonObject | undefined {
  const all = upstreamSamples()
  if (all.length === 0) return undefined
  if (random.chance(0.05)) return random.pick(all)
  return all.find((one) => one['kind'] === kind.resource.kind && one['apiVersion'] === kind.apiVersion)
}

interface Effort {
  readonly depth: number
  budget: number
}

const MAX_DEPTH = 8

/** A value of the type: what it requires, and some of what it allows. */
export function generate(type: Type, random: Random, effort: Effort): Json {
  effort.budget--
  const inner = { ...effort, depth: effort.depth + 1 }
  switch (type.kind) {
    case 'struct': {
      const share = effort.depth > MAX_DEPTH || effort.budget < 0 ? 0 : 0.35
      const chosen = type.fields.filter((field) => field.required || random.chance(share))
      const members = chosen.map((field) => {
        inner.budget = effort.budget -= 1
        return [field.name, generate(field.type, random, inner)] as const
      })
      return Object.fromEntries(members)
    }
    case 'map':
      return { [random.pick(['a', 'b.c/d', 'cpu', 'memory'])]: generate(type.value, random, inner) }
    case 'list':
      if (effort.depth > MAX_DEPTH) return []
      return Array.from({ length: 1 + random.int(2) }, () => generate(type.item, random, inner))
    case 'any':
      return random.pick<Json>([{}, { a: 1 }, [], 'x', 1, null])
    default:
      return scalar(type, random)
  }
}

function scalar(type: ScalarType, random: Random): Json {
  if (type.enum && random.chance(0.8)) return random.pick(type.enum)
  switch (type.kind) {
    case 'string':
      return random.pick(['a', 'b', 'web', 'default', 'v1', 'Pod', '10.1.2.3', 'example.com/x', '/x'])
    case 'integer':
      return random.pick([0, 1, 2, 80, 443, 1000, 30080])
    case 'number':
      return random.pick([0, 0.5, 1])
    case 'boolean':
      return random.chance(0.5)
    case 'bytes':
      return 'AQID'
    case 'quantity':
      return random.pick(['1', '100m', '1Gi', 2])
    case 'time':
      return '2026-01-02T03:04:05Z'
    case 'microtime':
      return '2026-01-02T03:04:05.000006Z'
    case 'duration':
      return random.pick(['1s', '1h30m', '0s'])
    case 'intOrString':
      return random.pick<Json>([80, '50%', 'http'])
  }
}
