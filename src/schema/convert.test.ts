import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { apiVersionOf, type GroupVersionKind, parseGroupVersion } from '../machinery/gvk.ts'
import { isObject, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { convert } from './convert.ts'
import { releasedResources } from './resources.ts'
import type { Type } from './type.ts'
import { typeForKind } from './types.ts'

const gvk = (apiVersion: string, kind: string): GroupVersionKind => ({
  ...(parseGroupVersion(apiVersion) ?? { group: '', version: '' }),
  kind,
})

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

/** Converts a frozen object, which throws on any change of it. */
const to = (object: JsonObject, apiVersion: string): KubeObject => {
  const { kind, apiVersion: from } = object
  return convert(frozen(object) as KubeObject, gvk(String(from), String(kind)), gvk(apiVersion, String(kind)))
}

describe('events', () => {
  const core: JsonObject = {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', name: 'p' },
    message: 'm',
    source: { component: 'kubelet' },
    firstTimestamp: null,
    lastTimestamp: null,
    count: 3,
    eventTime: null,
    reportingComponent: '',
    reportingInstance: '',
  }

  it('have other names in events.k8s.io, in the order of Go', () => {
    expect(JSON.stringify(to(core, 'events.k8s.io/v1'))).toBe(
      '{"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{"name":"e"},"eventTime":null,' +
        '"regarding":{"kind":"Pod","name":"p"},"note":"m","deprecatedSource":{"component":"kubelet"},' +
        '"deprecatedFirstTimestamp":null,"deprecatedLastTimestamp":null,"deprecatedCount":3}',
    )
  })

  it('come back as they were', () => {
    expect(JSON.stringify(to(to(core, 'events.k8s.io/v1'), 'v1'))).toBe(JSON.stringify(core))
  })
})

describe('autoscalers', () => {
  const PREFIX = 'autoscaling.alpha.kubernetes.io/'
  const scaleTargetRef = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }
  const autoscaler = (version: string, spec: JsonObject, rest: JsonObject = {}): JsonObject => ({
    kind: 'HorizontalPodAutoscaler',
    apiVersion: `autoscaling/${version}`,
    metadata: { name: 'h' },
    spec: { scaleTargetRef, maxReplicas: 5, ...spec },
    ...rest,
  })
  const cpu = (averageUtilization: number): JsonObject => ({
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
  })
  const v1 = (annotations: Record<string, string>, spec: JsonObject = {}): JsonObject =>
    autoscaler('v1', spec, { metadata: { name: 'h', annotations } })
  const specOf = (object: JsonObject): JsonObject => object.spec as JsonObject

  it('keep what v1 cannot say in annotations, as upstream writes them', () => {
    const object = autoscaler('v2', {
      metrics: [
        cpu(60),
        {
          type: 'Pods',
          pods: { metric: { name: 'p' }, target: { type: 'AverageValue', averageValue: '1k' } },
        },
        {
          type: 'Object',
          object: {
            describedObject: scaleTargetRef,
            metric: { name: '<o>' },
            target: { type: 'AverageValue', averageValue: '7' },
          },
        },
      ],
      behavior: {
        scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }] },
      },
    })
    const result = to(object, 'autoscaling/v1')
    expect(specOf(result).targetCPUUtilizationPercentage).toBe(60)
    expect(specOf(result).metrics).toBeUndefined()
    expect(result.metadata.annotations).toEqual({
      [`${PREFIX}behavior`]:
        '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":null}}',
      [`${PREFIX}metrics`]:
        '[{"type":"Pods","pods":{"metricName":"p","targetAverageValue":"1k"}},{"type":"Object","object":{"target":{"kind":"Deployment","name":"d","apiVersion":"apps/v1"},"metricName":"\\u003co\\u003e","targetValue":"0","averageValue":"7"}}]',
    })
    const back = to(result, 'autoscaling/v2')
    expect(back.metadata.annotations).toBeUndefined()
    const [first, ...others] = specOf(object).metrics as JsonObject[]
    // The CPU target goes to the end, as upstream has it.
    expect(specOf(back)).toEqual({ ...specOf(object), metrics: [...others, first] })
  })

  it('carry the status both ways', () => {
    const condition = { type: 'AbleToScale', status: 'True', lastTransitionTime: null }
    const current = { name: 'cpu', current: { averageValue: '1', averageUtilization: 20 } }
    const currentMetrics = [{ type: 'Resource', resource: current }]
    const status = { currentReplicas: 1, desiredReplicas: 2, currentMetrics, conditions: [condition] }
    const object = autoscaler('v2', { metrics: [cpu(60)] }, { status })
    const result = to(object, 'autoscaling/v1')
    expect(result.status).toEqual({
      currentReplicas: 1,
      desiredReplicas: 2,
      currentCPUUtilizationPercentage: 20,
    })
    expect(to(result, 'autoscaling/v2').status).toEqual(status)
  })

  it('aim for 80 % of the CPU where nothing is said, and ignore annotations that make no sense', () => {
    const nonsense = {
      [`${PREFIX}metrics`]: 'nonsense',
      [`${PREFIX}behavior`]: '{"scaleUp":3}',
      [`${PREFIX}conditions`]: '[1]',
      [`${PREFIX}current-metrics`]: '{}',
      kept: 'yes',
    }
    const result = to(v1(nonsense), 'autoscaling/v2')
    expect(specOf(result)).toEqual({ scaleTargetRef, maxReplicas: 5, metrics: [cpu(80)] })
    expect(result.metadata.annotations).toEqual({ kept: 'yes' })
    expect(result.status).toEqual({ desiredReplicas: 0, currentMetrics: null })
  })

  it('read annotations in any case of letters', () => {
    const behavior = '{"scaleup":{"Policies":[{"type":"Pods","Value":3,"periodseconds":60}],"__proto__":1}}'
    expect(specOf(to(v1({ [`${PREFIX}behavior`]: behavior }), 'autoscaling/v2')).behavior).toEqual({
      scaleUp: { policies: [{ type: 'Pods', value: 3, periodSeconds: 60 }] },
    })
  })
})

describe('resource.k8s.io/v1beta1', () => {
  it('nests requests and devices otherwise', () => {
    const claim = {
      kind: 'ResourceClaim',
      apiVersion: 'resource.k8s.io/v1beta1',
      metadata: { name: 'c' },
      spec: {
        devices: {
          requests: [
            { name: 'a', deviceClassName: 'c' },
            { name: 'b', deviceClassName: '', firstAvailable: [{ name: 'x', deviceClassName: 'c' }] },
          ],
        },
      },
      status: {},
    }
    const stored = to(claim, 'resource.k8s.io/v1')
    expect((stored.spec as JsonObject).devices).toEqual({
      requests: [
        { name: 'a', exactly: { deviceClassName: 'c' } },
        { name: 'b', firstAvailable: [{ name: 'x', deviceClassName: 'c' }] },
      ],
    })
    expect(to(stored, 'resource.k8s.io/v1beta1')).toEqual(claim)

    const slice: JsonObject = {
      kind: 'ResourceSlice',
      apiVersion: 'resource.k8s.io/v1beta2',
      metadata: { name: 's' },
      spec: {
        driver: 'd',
        pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'a' }],
      },
    }
    const nested = to(slice, 'resource.k8s.io/v1beta1')
    expect((nested.spec as JsonObject).devices).toEqual([{ name: 'a', basic: {} }])
    expect(to(nested, 'resource.k8s.io/v1beta2')).toEqual(slice)
  })
})

describe('versions without a shape of their own', () => {
  const SHAPED =
    /^(autoscaling\/v1|events\.k8s\.io\/v1|resource\.k8s\.io\/v1beta1) (Horizontal|Event|ResourceClaim|ResourceSlice)/
  const rows = releasedResources().filter(
    (row) =>
      apiVersionOf(row) !== apiVersionOf(row.storage) && !SHAPED.test(`${apiVersionOf(row)} ${row.kind}`),
  )

  /** The names and kinds of all fields below a type. */
  function outline(type: Type, path: string, seen: ReadonlySet<string>): string[] {
    if (type.kind === 'list') return outline(type.item, `${path}[]`, seen)
    if (type.kind === 'map') return outline(type.value, `${path}{}`, seen)
    if (type.kind !== 'struct') return [`${path} ${type.kind}`]
    if (seen.has(type.name)) return [path]
    const deeper = new Set([...seen, type.name])
    return type.fields.flatMap((field) => outline(field.type, `${path}.${field.name}`, deeper))
  }

  it.each(rows.map((row) => [`${apiVersionOf(row)} ${row.kind}`, row] as const))(
    '%s looks like the stored one',
    (_, row) => {
      const served = typeForKind({ ...row, kind: row.kind })
      const stored = typeForKind({ ...row.storage, kind: row.kind })
      if (served === undefined || stored === undefined) throw new Error('no type')
      expect(outline(served, '', new Set())).toEqual(outline(stored, '', new Set()))
    },
  )

  it('only change their apiVersion', () => {
    const object = { kind: 'IPAddress', apiVersion: 'networking.k8s.io/v1beta1', metadata: { name: '::1' } }
    expect(to(object, 'networking.k8s.io/v1')).toEqual({ ...object, apiVersion: 'networking.k8s.io/v1' })
  })
})

const ROUNDTRIP = new URL('../../../shared/upstream/roundtrip/', import.meta.url)

describe.skipIf(!existsSync(ROUNDTRIP))('fully populated objects', () => {
  /** What v1 of an autoscaler says twice or cannot say at all does not come back; see above for what does. */
  const LOSSY = new Set(['HorizontalPodAutoscaler'])

  it('come back from every other version of their kind', () => {
    const files = readdirSync(ROUNDTRIP).filter((file) => file.endsWith('.json'))
    const served = new Map<string, string[]>()
    for (const row of releasedResources()) {
      served.set(row.kind, [...(served.get(row.kind) ?? []), apiVersionOf(row)])
    }
    let compared = 0
    for (const file of files) {
      const object = JSON.parse(readFileSync(new URL(file, ROUNDTRIP), 'utf8')) as JsonObject
      const kind = String(object.kind)
      const versions = served.get(kind) ?? []
      if (LOSSY.has(kind) || !isObject(object.metadata) || !versions.includes(String(object.apiVersion)))
        continue
      for (const version of versions) {
        const there = to(object, version)
        expect(there.apiVersion).toBe(version)
        expect(to(there, String(object.apiVersion))).toEqual(object)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(60)
  })
})
