// Defaults beside what kube-apiserver 1.36.3 answered (recordings in ../shared, where they are), and the rules that no
// recording shows.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseGroupVersion } from '../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { decoderFor, normalise } from '../schema/decode.ts'
import { typeForKind } from '../schema/types.ts'
import { defaultsFor } from './defaults.ts'
import { imageTag } from './defaults/image.ts'

/** Decodes a body and fills in what it leaves out. */
function filled(body: JsonObject): KubeObject {
  const gv = parseGroupVersion(String(body.apiVersion))
  if (!gv) throw new Error(`no group and version: ${String(body.apiVersion)}`)
  const gvk = { ...gv, kind: String(body.kind) }
  const type = typeForKind(gvk)
  if (!type) throw new Error(`no type for ${gvk.kind}`)
  const { object } = decoderFor(type)(body)
  defaultsFor(gvk)?.(object)
  return normalise(object, type)
}

const pod = (spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec,
})
const specOf = (object: KubeObject): JsonObject => object.spec as JsonObject
const container = (more: JsonObject = {}): JsonObject => ({ name: 'c', image: 'i', ...more })

describe('imageTag', () => {
  it.each([
    ['nginx', 'latest'],
    ['nginx:latest', 'latest'],
    ['nginx:1.27', '1.27'],
    ['localhost:5000/a/b', 'latest'],
    ['localhost:5000/a/b:x', 'x'],
    ['REG/a', 'latest'],
    ['reg.example.com:80/a--b__c.d', 'latest'],
    [`a@sha256:${'0'.repeat(64)}`, ''],
    [`a:latest@sha256:${'0'.repeat(64)}`, 'latest'],
    [`a:latest@sha256:${'0'.repeat(63)}`, ''],
    ['', ''],
    ['a:', ''],
    ['a/', ''],
    ['a___b', ''],
    ['Upper', ''],
    ['a b', ''],
    ['f'.repeat(64), ''],
    ['y'.repeat(247), 'latest'],
    ['y'.repeat(248), ''],
    [`docker.io/${'y'.repeat(248)}`, ''],
    [`x/${'y'.repeat(253)}`, 'latest'],
    [`x/${'y'.repeat(254)}`, ''],
  ])('%s: "%s"', (image, tag) => expect(imageTag(image)).toBe(tag))

  it('takes no longer for a name that nearly matches', () => {
    const started = process.cpuUsage()
    imageTag(`${'a-'.repeat(120)}!`)
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_000)
  })
})

describe('defaultsFor', () => {
  it('knows nothing of kinds without defaults, whatever their name', () => {
    expect(defaultsFor({ group: '', version: 'v1', kind: 'Event' })).toBeUndefined()
    expect(defaultsFor({ group: 'example.com', version: 'v1', kind: 'Pod' })).toBeUndefined()
    expect(defaultsFor({ group: '', version: 'v9', kind: 'Pod' })).toBeUndefined()
    expect(defaultsFor({ group: '', version: '', kind: '__proto__' })).toBeUndefined()
  })

  it('gives no two objects the same mutable value', () => {
    const a = specOf(filled(pod({ containers: [container()] })))
    const b = specOf(filled(pod({ containers: [container()] })))
    expect(a.securityContext).toEqual({})
    expect(a.securityContext).not.toBe(b.securityContext)
  })

  it('changes nothing when run again', () => {
    const once = filled(
      pod({ hostNetwork: true, containers: [container({ ports: [{ containerPort: 1 }] })] }),
    )
    expect(filled(structuredClone(once))).toEqual(once)
  })

  it('keeps the old and the new name of the service account in step', () => {
    expect(specOf(filled(pod({ serviceAccount: 'old' })))).toMatchObject({ serviceAccountName: 'old' })
    const both = specOf(filled(pod({ serviceAccount: 'old', serviceAccountName: 'new' })))
    expect(both).toMatchObject({ serviceAccount: 'new', serviceAccountName: 'new' })
  })

  it('takes the old single field before the list that differs from it', () => {
    const node = (spec: JsonObject): JsonObject =>
      specOf(filled({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec }))
    expect(node({ podCIDR: '10.0.0.0/24' })).toMatchObject({ podCIDRs: ['10.0.0.0/24'] })
    expect(node({ podCIDRs: ['a', 'b'] })).toMatchObject({ podCIDR: 'a', podCIDRs: ['a', 'b'] })
    expect(node({ podCIDR: 'c', podCIDRs: ['a', 'b'] })).toMatchObject({ podCIDR: 'c', podCIDRs: ['c'] })
  })

  it('rounds resources to thousandths, away from zero', () => {
    const requests = { cpu: '1500u', memory: '1e-9', 'example.com/x': '5.000100', 'example.com/y': '1.500' }
    const [only] = specOf(filled(pod({ containers: [container({ resources: { requests } })] })))
      .containers as JsonObject[]
    expect((only?.resources as JsonObject).requests).toEqual({
      cpu: '2m',
      memory: '1e-3',
      'example.com/x': '5001m',
      'example.com/y': '1.500',
    })
  })

  it('keeps of the annotations of autoscaling/v1 only what another version could read', () => {
    const prefix = 'autoscaling.alpha.kubernetes.io/'
    const scaler = (annotations: JsonObject): KubeObject =>
      filled({
        apiVersion: 'autoscaling/v1',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h', annotations },
        spec: { maxReplicas: 3, scaleTargetRef: { kind: 'X', name: 'y' } },
      })
    const nothing = scaler({ [`${prefix}metrics`]: 'nope', [`${prefix}behavior`]: '{}' })
    expect(nothing.metadata.annotations).toBeUndefined()
    expect(specOf(nothing)).toMatchObject({ minReplicas: 1, targetCPUUtilizationPercentage: 80 })
    const metrics = { [`${prefix}metrics`]: '[{"type":"Resource"}]' }
    expect(scaler(metrics).metadata.annotations).toEqual(metrics)
    expect(specOf(scaler(metrics)).targetCPUUtilizationPercentage).toBeUndefined()
  })

  it('drops the old marker of a disruption budget unless it stands alone', () => {
    const marker = { key: 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match', operator: 'Exists' }
    const selector = (given: JsonObject): unknown => {
      const metadata = { name: 'b' }
      return specOf(
        filled({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: { selector: given } }),
      ).selector
    }
    expect(selector({ matchExpressions: [marker] })).toEqual({ matchExpressions: [marker] })
    expect(selector({ matchExpressions: [{ ...marker, operator: 'DoesNotExist' }] })).toEqual({})
    expect(selector({ matchLabels: { a: 'b' }, matchExpressions: [marker] })).toEqual({
      matchLabels: { a: 'b' },
    })
  })

  it('forces a negative grace period of pods, not of templates', () => {
    const spec = { containers: [container()], terminationGracePeriodSeconds: -5 }
    expect(specOf(filled(pod(spec))).terminationGracePeriodSeconds).toBe(1)
    const template = filled({
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata: { name: 't' },
      template: { spec },
    })
    expect((template.template as JsonObject).spec).toMatchObject({ terminationGracePeriodSeconds: -5 })
  })

  it('keeps data under names that mean something to JavaScript', () => {
    const stringData = JSON.parse('{"__proto__":"x","constructor":"y"}') as JsonObject
    const { data } = filled({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData })
    expect(Object.entries(data as JsonObject).sort()).toEqual([
      ['__proto__', 'eA=='],
      ['constructor', 'eQ=='],
    ])
  })

  it('fills a pod in a few microseconds', () => {
    const defaults = defaultsFor({ group: '', version: 'v1', kind: 'Pod' })
    const bodies = Array.from({ length: 20_000 }, () => pod({ containers: [container()] }) as KubeObject)
    for (const body of bodies.slice(0, 10_000)) defaults?.(body)
    const started = process.cpuUsage()
    for (const body of bodies.slice(10_000)) defaults?.(body)
    const microseconds = process.cpuUsage(started).user / 10_000
    // Many times what it takes on a slow machine: this is against quadratic work, not a benchmark.
    expect(microseconds).toBeLessThan(500)
  })
})

// ---- beside the recordings

const ORACLE = '../shared/oracle'

/** What admission, allocators and strategies write, by kind; "status" is theirs in most kinds. */
const NOT_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  Pod: [
    'spec.tolerations',
    'spec.serviceAccount',
    'spec.serviceAccountName',
    'spec.priority',
    'spec.preemptionPolicy',
  ].concat([
    'spec.imagePullSecrets',
    'spec.overhead',
    'spec.nodeSelector',
    'spec.topologySpreadConstraints',
    'status',
  ]),
  Service: [
    'spec.clusterIP',
    'spec.clusterIPs',
    'spec.ipFamilies',
    'spec.ipFamilyPolicy',
    'spec.healthCheckNodePort',
  ],
  PersistentVolume: ['status.lastPhaseTransitionTime'],
  PersistentVolumeClaim: ['spec.dataSource', 'spec.dataSourceRef', 'spec.storageClassName'],
  Node: ['spec.taints'],
  Namespace: ['spec.finalizers'],
  Lease: ['spec.strategy', 'spec.preferredHolder'],
  Job: ['spec.selector', 'spec.template.metadata.labels'],
  CertificateSigningRequest: ['spec.username', 'spec.groups', 'spec.uid'],
  SelfSubjectReview: ['status'],
  SelfSubjectAccessReview: ['status'],
  TokenReview: ['status'],
  APIService: ['status'],
  FlowSchema: ['status'],
  PriorityLevelConfiguration: ['status'],
  ServiceCIDR: ['status'],
}

interface Step {
  readonly do?: string
  readonly body?: Json
  readonly pick?: readonly string[]
}
interface Answer {
  readonly status?: number
  readonly body?: JsonObject
}

function at(value: Json | undefined, path: string): Json | undefined {
  let now: Json | undefined = value
  for (const key of path.split('.')) {
    now = typeof now === 'object' && now !== null ? (now as JsonObject)[key] : undefined
  }
  return now
}

function without(object: JsonObject, paths: readonly string[]): JsonObject {
  const copy = structuredClone(object)
  for (const path of paths) {
    const keys = path.split('.')
    const last = keys.pop() as string
    const parent = keys.length ? at(copy, keys.join('.')) : copy
    if (isObject(parent)) delete parent[last]
  }
  return copy
}

/** Given by an allocator; dropped by a feature gate. */
const NOT_COMPARED = new Set(['nodePort', 'clusterTrustBundle'])

/** Shows generated texts as the recordings do. */
function comparable(value: Json | undefined, recorded: Json | undefined): Json | undefined {
  if (typeof recorded === 'string' && recorded.includes('<')) return recorded
  // Upstream's way through the store makes an empty list null where it is written at all.
  if (recorded === null && Array.isArray(value) && value.length === 0) return null
  if (Array.isArray(value) && Array.isArray(recorded)) {
    return value.map((item, index) => comparable(item, recorded[index]) as Json)
  }
  if (!isObject(value) || !isObject(recorded)) return value
  const out: JsonObject = {}
  for (const [key, item] of Object.entries(value)) out[key] = comparable(item, recorded[key])
  return out
}

/** Drops what carries a service account's token, and what is not compared. */
function withoutToken(value: Json): Json {
  if (Array.isArray(value)) {
    return value
      .filter((item) => !(isObject(item) && String(item.name).startsWith('kube-api-access-')))
      .map(withoutToken)
  }
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const [key, item] of Object.entries(value)) {
    const now = withoutToken(item as Json)
    const emptied = Array.isArray(item) && item.length > 0 && Array.isArray(now) && now.length === 0
    if (!emptied && !NOT_COMPARED.has(key)) out[key] = now
  }
  return out
}

function recordings(): {
  name: string
  body: JsonObject
  answer: JsonObject
  pick: readonly string[] | undefined
}[] {
  const read = (path: string): unknown => JSON.parse(readFileSync(`${ORACLE}/${path}`, 'utf8'))
  const creates = []
  for (const file of ['core', 'other', 'pods', 'workloads'].map((part) => `defaults-${part}.json`)) {
    const { scenarios } = read(`scenarios/${file}`) as { scenarios: { name: string; steps: Step[] }[] }
    const recorded = read(`recorded/${file}`) as Record<string, Answer[]>
    for (const { name, steps } of scenarios) {
      for (const [index, step] of steps.entries()) {
        const answer = recorded[name]?.[index]
        if (!step.do?.startsWith('POST') || answer?.status !== 201 || !answer.body || !isObject(step.body))
          continue
        const text = JSON.stringify(step.body).replaceAll('${ID}', '<id>').replaceAll('${NS}', '<ns>')
        const body = JSON.parse(text) as JsonObject
        creates.push({ name: `${name}, step ${index + 1}`, body, answer: answer.body, pick: step.pick })
      }
    }
  }
  return creates
}

describe.skipIf(!existsSync(`${ORACLE}/recorded`))('what kube-apiserver answered (needs ../shared)', () => {
  const creates = existsSync(`${ORACLE}/recorded`) ? recordings() : []

  it('was recorded', () => expect(creates.length).toBeGreaterThan(200))

  it.each(creates.map((create) => [create.name, create] as const))('%s', (_, { body, answer, pick }) => {
    const dropped = ['apiVersion', 'kind', 'metadata', ...(NOT_DEFAULTS[String(body.kind)] ?? [])]
    const ours = filled(body)
    if (pick) {
      for (const [path, value] of Object.entries(answer)) {
        if (dropped.some((drop) => path === drop || path.startsWith(`${drop}.`))) continue
        expect(comparable(withoutToken(at(ours, path) ?? null), value)).toEqual(withoutToken(value ?? null))
      }
      return
    }
    const theirs = withoutToken(without(answer, dropped))
    expect(comparable(withoutToken(without(ours, dropped)), theirs)).toEqual(theirs)
    expect(ours.metadata.labels).toEqual(at(answer, 'metadata.labels'))
  })
})
