import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseGroupVersion } from '../../machinery/gvk.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { MAX_DEPTH } from '../json/inspect.ts'
import type { StructType } from '../type.ts'
import { typeForKind, typeOf } from '../types.ts'
import {
  decode,
  decodeRaw,
  encode,
  encodeList,
  encodeRaw,
  encodeWatchFrame,
  type ListContent,
  ProtobufError,
  readEnvelope,
  wrap,
} from './envelope.ts'

const PAIRS = join(import.meta.dirname, '../../../../shared/upstream/roundtrip')
const PODS = { group: '', version: 'v1', kind: 'PodList' }

const typeOfObject = (object: JsonObject): StructType => {
  const gv = parseGroupVersion(object['apiVersion'] as string) ?? { group: '', version: '' }
  return typeForKind({ ...gv, kind: object['kind'] as string }) as StructType
}
const options = { typeFor: typeForKind }
const listBytes = (content: ListContent): Buffer => Buffer.concat([...encodeList(content)])

const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name: 'a',
    creationTimestamp: '2026-01-02T03:04:05Z',
    labels: { a: 'é', b: '' },
    managedFields: [{ manager: 'm', fieldsV1: { 'f:spec': {} } }],
  },
  spec: {
    containers: [
      {
        name: 'c',
        ports: [{ containerPort: 80 }],
        resources: { limits: { cpu: '100m' } },
        livenessProbe: { httpGet: { port: 'http' }, initialDelaySeconds: -1 },
      },
    ],
    securityContext: { fsGroup: 5_000_000_000 },
  },
  status: {},
}
const crd = {
  kind: 'CustomResourceDefinition',
  apiVersion: 'apiextensions.k8s.io/v1',
  metadata: {},
  spec: {
    group: 'g',
    names: { plural: 'p', kind: 'K' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            default: { a: [1, null] },
            maximum: 1.5,
            enum: [null, 'a'],
            items: [{ type: 'string' }, {}],
            properties: { p: { items: { type: 'string' }, additionalProperties: true } },
            additionalProperties: { type: 'string' },
            dependencies: { a: ['x', 'y'], b: { type: 'object' } },
            additionalItems: false,
          },
        },
      },
    ],
  },
  status: { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null },
}

describe.skipIf(!existsSync(PAIRS))('upstream’s fully populated objects (needs ../shared)', () => {
  const names = readdirSync(existsSync(PAIRS) ? PAIRS : '.').filter((name) => name.endsWith('.json'))
  const read = (name: string) => readFileSync(join(PAIRS, name))

  it.each(names)('%s', (name) => {
    const object = JSON.parse(read(name).toString()) as JsonObject
    const bytes = read(name.replace(/json$/, 'pb'))
    if (name === 'core.v1.WatchEvent.json') {
      // The one object without a kind: events are framed, not enveloped.
      const type = typeOf('io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent') as StructType
      expect(encode(object, type)).toEqual(bytes)
      expect(decodeRaw(readEnvelope(bytes).raw, type)).toEqual(object)
      return
    }
    expect(encode(object, typeOfObject(object))).toEqual(bytes)
    // Compared as text: the order of the keys is upstream's, too.
    expect(JSON.stringify(decode(bytes, options))).toBe(JSON.stringify(object))
  })
})

describe('encode and decode', () => {
  it.each([pod, crd])('give back what was put in: $kind', (object) => {
    const back = JSON.parse(
      JSON.stringify(decode(encode(object, typeOfObject(object)), options)),
    ) as JsonObject
    expect(back).toMatchObject(JSON.parse(JSON.stringify(object)) as JsonObject)
  })

  it('write what is no pointer even when it is absent, and nothing for what is one', () => {
    const type = typeOf('io.k8s.api.core.v1.ContainerPort') as StructType
    expect(encodeRaw({}, type).toString('hex')).toBe('0a001000180022002a00')
    const meta = typeOf('io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference') as StructType
    expect(encodeRaw({ controller: false }, meta).toString('hex')).toBe('0a001a0022002a003000')
  })

  it('fill in what Go’s JSON shows of absent fields', () => {
    const bare = wrap(Buffer.alloc(0), { group: '', version: 'v1', kind: 'Pod' })
    expect(decode(bare, options)).toEqual({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {},
      spec: { containers: null },
      status: {},
    })
  })

  it('sort maps by bytes and keep odd keys as data', () => {
    const type = typeOf('io.k8s.api.core.v1.ConfigMap') as StructType
    const data = JSON.parse(
      '{"\ud83d\ude00":"1","\uffee":"2","__proto__":"3","constructor":"4"}',
    ) as JsonObject
    const raw = encodeRaw({ data }, type)
    expect(raw.indexOf('\uffee')).toBeLessThan(raw.indexOf('\u{1f600}'))
    const back = decodeRaw(raw, type)['data'] as JsonObject
    expect(Object.keys(back).sort()).toEqual(Object.keys(data).sort())
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  it('read packed numbers, unknown fields, and messages in two pieces', () => {
    const port = typeOf('io.k8s.api.core.v1.Container') as StructType
    const twice = Buffer.concat([
      encodeRaw({ resources: { limits: { cpu: '1' } } }, port),
      Buffer.from([0xfa, 0x7f, 1, 0x78, 0xbb, 0x7f, 0xbc, 0x7f]),
      encodeRaw({ name: 'b', resources: { requests: { cpu: '2' } } }, port),
    ])
    expect(decodeRaw(twice, port)).toEqual({
      name: 'b',
      resources: { limits: { cpu: '1' }, requests: { cpu: '2' } },
    })
    const groups = typeOf('io.k8s.api.core.v1.PodSecurityContext') as StructType
    expect(decodeRaw(Buffer.from([0x22, 3, 5, 0x80, 1]), groups)).toEqual({ supplementalGroups: [5, 128] })
  })

  it('keep integers of 64 bits, also negative ones', () => {
    const type = typeOf('io.k8s.api.core.v1.PodSecurityContext') as StructType
    const most = Buffer.from('28ffffffffffffffff7f', 'hex')
    expect(decodeRaw(most, type)).toEqual({ fsGroup: 9223372036854775807n })
    for (const fsGroup of [-9007199254740991, 9007199254740993n, -9007199254740993n, -(2n ** 63n)])
      expect(decodeRaw(encodeRaw({ fsGroup }, type), type)).toEqual({ fsGroup })
    expect(encodeRaw({ fsGroup: 9223372036854775807n }, type)).toEqual(most)
  })

  it('take the kind from the defaults where the body has none', () => {
    const body = encode({ metadata: { name: 'a' } }, typeOfObject(pod))
    const defaults = { group: '', version: 'v1', kind: 'Pod' }
    expect(decode(body, { ...options, defaults })).toMatchObject({ kind: 'Pod', apiVersion: 'v1' })
  })
})

describe('lists and watches', () => {
  it('make a list of encoded items the same as of objects', () => {
    const list = {
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '7', continue: 'c' },
      items: [pod, pod],
    }
    const item = encodeRaw(pod, typeOfObject(pod))
    const metadata = { resourceVersion: '7', continue: 'c' }
    expect(listBytes({ gvk: PODS, metadata, items: [item, item] })).toEqual(encode(list, typeOfObject(list)))
    const rest = listBytes({ gvk: PODS, metadata: { remainingItemCount: 300 }, items: [] })
    expect(decode(rest, options)).toMatchObject({ metadata: { remainingItemCount: 300 }, items: null })
  })

  it('make lists larger than the scratch buffer', () => {
    const items = Array.from({ length: 500 }, () => encodeRaw(pod, typeOfObject(pod)))
    const bytes = listBytes({ gvk: PODS, metadata: {}, items })
    expect((decode(bytes, options)['items'] as unknown[]).length).toBe(500)
    expect(encode(pod, typeOfObject(pod)).length).toBeLessThan(1000)
  })

  it('frame events by their length', () => {
    const body = encode(pod, typeOfObject(pod))
    const frame = encodeWatchFrame('ADDED', body)
    expect(frame.readUInt32BE(0)).toBe(frame.length - 4)
    expect(frame.subarray(4, 11).toString('latin1')).toBe('\n\x05ADDED')
    expect(frame.subarray(-body.length)).toEqual(body)
  })
})

describe('refusals', () => {
  const PREFIX = Buffer.from('k8s\0')
  const type = typeOfObject(pod)
  it.each([
    ['', 'empty data'],
    ['7b7d', 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]'],
    ['6b387300', 'empty body'],
    ['6b3873000a', 'unexpected EOF'],
    ['6b3873000aff', 'unexpected EOF'],
    ['6b387300ffffffffffffffffffff01', 'proto: integer overflow'],
    ['6b38730000', 'proto: Unknown: illegal tag 0 (wire type 0)'],
    ['6b38730014', 'proto: Unknown: wiretype end group for non-group'],
    ['6b3873001200', `Object 'Kind' is missing in 'runtime.TypeMeta{APIVersion:"", Kind:""}'`],
  ])('%s: %s', (hex, message) => {
    expect(() => decode(Buffer.from(hex, 'hex'), options)).toThrow(new ProtobufError(message))
  })

  it.each([
    ['08', 'proto: wrong wireType = 0 for field Metadata'],
    ['0affffffffffffffffff01', 'proto: negative length found during unmarshaling'],
    ['0a05', 'unexpected EOF'],
    ['fb07', 'unexpected EOF'],
    ['fe07', 'proto: illegal wireType 6'],
    ['1200aa', 'unexpected EOF'],
  ])('%s inside of a message: %s', (hex, message) => {
    expect(() => decodeRaw(Buffer.from(hex, 'hex'), type)).toThrow(new ProtobufError(message))
  })

  it('unknown kinds, types without messages, quantities that are none', () => {
    const foo = wrap(Buffer.alloc(0), { group: 'a', version: 'v1', kind: 'Foo' })
    expect(() => decode(foo, options)).toThrow('no kind "Foo" is registered for version "a/v1"')
    const table = typeForKind({ group: 'meta.k8s.io', version: 'v1', kind: 'Table' }) as StructType
    expect(() => encode({}, table)).toThrow('*v1.Table does not implement the protobuf marshalling interface')
    const bad = encodeRaw({ spec: { overhead: { cpu: 'x' } } }, type)
    expect(() => decodeRaw(bad, type)).toThrow(/^quantities must match the regular expression/)
  })

  it('messages nested without end', () => {
    const schema = typeOf(
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
    ) as StructType
    const props: JsonObject = {}
    let inner = props
    for (let i = 0; i < MAX_DEPTH + 5; i++) inner = inner['not'] = {}
    const bytes = encodeRaw(props, schema)
    expect(() => decodeRaw(bytes, schema)).toThrow('exceeded max depth')
    expect(decodeRaw(PREFIX.subarray(0, 0), schema)).toEqual({})
  })
})

describe('fuzz', () => {
  it('answers 20,000 mutations of good bodies with an object or a ProtobufError', () => {
    let seed = 7
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % below
    }
    const bodies = [pod, crd].map((object) => encode(object, typeOfObject(object)))
    let refused = 0
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(bodies[round % bodies.length] as Buffer)
      for (let i = random(4); i >= 0; i--) bytes[4 + random(bytes.length - 4)] = random(256)
      const cut = random(3) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
      try {
        JSON.stringify(decode(cut, options))
      } catch (error) {
        if (!(error instanceof ProtobufError)) throw error
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1000)
    expect(refused).toBeLessThan(20_000)
  })
})
