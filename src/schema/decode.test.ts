import { emptiedAt } from '../machinery/emptied.ts'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { decoderFor, DecodeError, normalise, zeroOf } from './decode.ts'
import type { StructType } from './type.ts'
import { typeForKind } from './types.ts'

const kindOf = (group: string, kind: string): StructType =>
  typeForKind({ group, version: 'v1', kind }) as StructType
const configMap = kindOf('', 'ConfigMap')
const pod = kindOf('', 'Pod')
const deployment = kindOf('apps', 'Deployment')

const decode = (type: StructType, value: Json): JsonObject => decoderFor(type)(value).object
const messageOf = (type: StructType, value: Json): string => {
  try {
    decoderFor(type)(value)
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
    return (error as Error).message
  }
  return 'no error'
}

describe('decoding', () => {
  it('writes keys in the order of the Go struct and maps sorted', () => {
    const input = {
      data: { b: '2', a: '1' },
      metadata: { labels: { y: '1', x: '2' }, name: 'n' },
      kind: 'ConfigMap',
      apiVersion: 'v1',
    }
    expect(JSON.stringify(decode(configMap, input))).toBe(
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n","labels":{"x":"2","y":"1"}},"data":{"a":"1","b":"2"}}',
    )
  })

  it('drops what Go leaves out and adds what Go writes', () => {
    const { object } = decoderFor(deployment)({
      metadata: { name: '', generation: 0, labels: {}, finalizers: [] },
      spec: { paused: false, replicas: 0 },
    })
    expect(JSON.parse(JSON.stringify(object))).toEqual({
      metadata: {},
      spec: {
        replicas: 0,
        selector: null,
        template: { metadata: {}, spec: { containers: null } },
        strategy: {},
      },
      status: {},
    })
    expect(zeroOf(configMap)).toEqual({ metadata: {} })
  })

  it('takes no bytes for absent, but in maps', () => {
    const request = kindOf('certificates.k8s.io', 'CertificateSigningRequest')
    const input = { metadata: {}, spec: { request: '', signerName: 's' }, status: { certificate: '' } }
    expect(decode(request, input)).toEqual({
      metadata: {},
      spec: { request: '', signerName: 's' },
      status: {},
    })
    expect(decode(kindOf('', 'Secret'), { data: { a: '' } })['data']).toEqual({ a: '' })
  })

  it('takes null for absent, and for zero in lists and maps', () => {
    const input = { metadata: null, data: { a: null }, immutable: null }
    expect(decode(configMap, input)).toEqual({ metadata: {}, data: { a: '' } })
    const containers = (decode(pod, { spec: { containers: [null] } }).spec as JsonObject).containers
    expect(containers).toEqual([{ name: '', resources: {} }])
  })

  it('writes scalars as Go does', () => {
    const spec = (value: Json): Json =>
      (decode(pod, { spec: { containers: [], volumes: [value] } }).spec as JsonObject).volumes as Json
    expect(spec({ name: 'v', emptyDir: { sizeLimit: 1024000 } })).toEqual([
      { name: 'v', emptyDir: { sizeLimit: '1024k' } },
    ])
    expect(decode(pod, { metadata: { creationTimestamp: '2026-01-02T03:04:05.5+02:00' } }).metadata).toEqual({
      creationTimestamp: '2026-01-02T01:04:05Z',
    })
    expect(decode(configMap, { binaryData: { a: 'eB==', b: 'eHh4\neHh4' } }).binaryData).toEqual({
      a: 'eA==',
      b: 'eHh4eHh4',
    })
  })

  it('shares nothing with the input that could change', () => {
    const input = { metadata: { labels: { a: '1' } }, data: { a: '1' } }
    const { object } = decoderFor(configMap)(input)
    ;(object.metadata.labels as Record<string, string>).a = '2'
    expect(input.metadata.labels.a).toBe('1')
  })

  it('treats names of JavaScript as data', () => {
    const input = JSON.parse(
      '{"data":{"__proto__":"x","constructor":"y","toString":"z"},"__proto__":{"a":1}}',
    ) as Json
    const { object, unknownFields } = decoderFor(configMap)(input)
    expect(JSON.stringify(object.data)).toBe('{"__proto__":"x","constructor":"y","toString":"z"}')
    expect(unknownFields).toEqual(['unknown field "__proto__"'])
    expect(Object.getPrototypeOf(object.data)).toBe(Object.prototype)
  })
})

describe('unknown fields', () => {
  it('are listed with upstream paths, in the order of the text', () => {
    const input = {
      spec: { foo: 1, containers: [{ name: 'a', bar: {} }], nodeSelector: { k: 'v' }, Volumes: [] },
      Metadata: {},
    }
    expect(decoderFor(pod)(input).unknownFields).toEqual([
      'unknown field "spec.foo"',
      'unknown field "spec.containers[0].bar"',
      'unknown field "spec.Volumes"',
      'unknown field "Metadata"',
    ])
  })

  it('end at a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`f${i}`, 1]))
    expect(decoderFor(configMap)(many).unknownFields).toHaveLength(100)
  })
})

describe('type errors', () => {
  const cases: [string, StructType, Json, string][] = [
    [
      'a map item',
      configMap,
      { data: { k: 1 } },
      'json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [
      'a map',
      configMap,
      { data: 'x' },
      'json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      'a nested field',
      pod,
      { metadata: { name: true } },
      'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string',
    ],
    [
      'a list item',
      pod,
      { spec: { containers: ['x'] } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container',
    ],
    [
      'an inlined struct',
      pod,
      { spec: { volumes: [{ emptyDir: 5 }] } },
      'json: cannot unmarshal number into Go struct field Volume.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource',
    ],
    [
      'a named string',
      pod,
      { spec: { restartPolicy: 1 } },
      'json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy',
    ],
    [
      'an integer out of range',
      deployment,
      { spec: { replicas: 3000000000 } },
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'a time of the wrong kind',
      pod,
      { metadata: { creationTimestamp: 5 } },
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string',
    ],
    ['base64', configMap, { binaryData: { a: 'not base64!' } }, 'illegal base64 data at input byte 3'],
    [
      'base64 that ends early',
      configMap,
      { binaryData: { a: 'eHh4e' } },
      'illegal base64 data at input byte 4',
    ],
    ['base64 padding', configMap, { binaryData: { a: 'e=' } }, 'illegal base64 data at input byte 1'],
    ['the root', configMap, [], 'json: cannot unmarshal array into Go value of type v1.ConfigMap'],
  ]
  it.each(cases)('%s', (_, type, input, message) => expect(messageOf(type, input)).toBe(message))

  it('reports the first, unless a type that reads itself fails later', () => {
    const first = { data: { a: 1 }, immutable: 'x' }
    expect(messageOf(configMap, first)).toContain('ConfigMap.data')
    const fatal = { metadata: { name: 1, creationTimestamp: 'x' } }
    expect(messageOf(configMap, fatal)).toMatch(/^parsing time "x"/)
  })
})

describe('normalise', () => {
  const stored = decode(configMap, {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'n' },
    data: { a: '1' },
  }) as KubeObject

  it('returns what is in order as it is', () => {
    expect(normalise(stored, configMap)).toBe(stored)
  })

  it('reorders only what has to change', () => {
    const changed = { ...stored, kind: 'ConfigMap' } as KubeObject
    const { metadata, ...rest } = changed
    const dirty = {
      ...rest,
      immutable: false,
      metadata: { ...metadata, annotations: {}, uid: 'u', name: 'n' },
    } as KubeObject
    const clean = normalise(dirty, configMap)
    expect(JSON.stringify(clean)).toBe(
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n","uid":"u"},"immutable":false,"data":{"a":"1"}}',
    )
    expect(clean.data).toBe(stored.data)
  })
})

describe('what was empty', () => {
  it('is gone from the object, and noted on it and its copies', () => {
    const { object } = decoderFor(configMap)({ metadata: { labels: {}, finalizers: [] } })
    expect(Object.keys(object.metadata)).toEqual([])
    expect(emptiedAt({ ...object.metadata }, 'labels')).toEqual({})
    expect(emptiedAt(object.metadata, 'finalizers')).toEqual([])
    expect(emptiedAt(object.metadata, 'toString')).toBeUndefined()
    expect(JSON.stringify(object)).toBe('{"metadata":{}}')
  })
})
