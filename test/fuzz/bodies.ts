// Bodies: mutated objects in every encoding, and patches of every kind, broken at the level of values or of bytes.
import { deflateSync, gzipSync } from 'node:zlib'
import type { JsonObject } from '../../src/machinery/json.ts'
import { encode } from '../../src/schema/protobuf/envelope.ts'
import { toYaml } from '../../src/schema/yaml/yaml.ts'
import { anyObject, type Kind, NAMES, validObject } from './objects.ts'
import type { Random } from './random.ts'
import { mutateTree, oddLeaf, textOf, treeOf } from './tree.ts'

export interface Body {
  readonly contentType: string
  readonly bytes: Buffer
  /** Content-Encoding, where there is one. */
  readonly encoding?: string
}

const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

/** A body for a create or an update of the kind. */
export function objectBody(kind: Kind, random: Random): Body {
  const body = random.weighted([
    [5, jsonBody],
    [2, yamlBody],
    [2, protobufBody],
    [1, oddBody],
  ])(kind, random)
  return random.chance(0.15) ? { ...body, bytes: mutateBytes(body.bytes, random) } : body
}

function mutatedText(object: JsonObject, random: Random): string {
  let tree = treeOf(object)
  for (let n = random.pick([0, 0, 1, 1, 1, 2, 5]); n > 0; n--) tree = mutateTree(tree, random)
  return textOf(tree)
}

function jsonBody(kind: Kind, random: Random): Body {
  return { contentType: JSON_TYPE, bytes: Buffer.from(mutatedText(anyObject(kind, random), random)) }
}

/** Texts that only YAML has. */
const YAML_ODDITIES = [
  'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n' +
    'd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n' +
    'g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n',
  'a: &a {b: *a}\n',
  '&x metadata: *x\n',
  'metadata: {<<: {name: a}, <<: [{name: b}]}\n',
  '--- \nkind: a\n---\nkind: b\n...\n%YAML 9.9\n',
  '%TAG ! tag:x,2000:\n---\n!foo bar\n',
  'metadata: !!binary AQID\ndata: !!python/object:os.system x\n',
  '? [a, b]\n: c\n? {d: e}\n: f\n',
  'a: |\n  x\n b: y\n',
  '\ta: b\n',
  'a: "\\x00\\uD800"\n',
  'a: 0x1F\nb: 0o17\nc: 0b1\nd: 1_000\ne: 12:30:45\nf: .inf\ng: .nan\nh: 2001-01-01\ni: yes\nj: ~\n',
  '- '.repeat(20_000),
  '{'.repeat(20_000),
  '[[['.repeat(5000),
  `a: ${'"'.repeat(9999)}\n`,
  `${'? '.repeat(3000)}\n`,
  `${'  '.repeat(3000)}a: b\n c\n`,
  '\ufeffkind: Pod\n',
  '__proto__: {a: b}\nconstructor: {prototype: x}\n',
]

function yamlBody(kind: Kind, random: Random): Body {
  if (random.chance(0.3)) return { contentType: YAML_TYPE, bytes: Buffer.from(random.pick(YAML_ODDITIES)) }
  const object = anyObject(kind, random)
  const text = random.chance(0.5) ? toYaml(object) : mutatedText(object, random)
  const oddity = random.chance(0.2) ? random.pick(YAML_ODDITIES) : ''
  return { contentType: YAML_TYPE, bytes: Buffer.from(text + oddity) }
}

function protobufBody(kind: Kind, random: Random): Body {
  let bytes: Buffer
  try {
    bytes = encode(anyObject(kind, random), kind.type)
  } catch {
    // Some objects made at random have no protobuf form.
    bytes = Buffer.concat([Buffer.from('k8s\0'), random.bytes(random.int(300))])
  }
  return { contentType: PROTOBUF_TYPE, bytes: random.chance(0.6) ? mutateBytes(bytes, random) : bytes }
}

const CONTENT_TYPES = [
  '',
  JSON_TYPE,
  YAML_TYPE,
  PROTOBUF_TYPE,
  'application/json; charset=utf-16',
  'application/json;;;=',
  'APPLICATION/JSON',
  'text/plain',
  'text/html',
  'application/xml',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/cbor',
  'application/apply-patch+yaml',
  'application/json-patch+json',
  '*/*',
  ';',
  '\u00e9',
]

/** Not what it says it is: another type, packed, empty, scalar, or noise. */
function oddBody(kind: Kind, random: Random): Body {
  const bytes = Buffer.from(mutatedText(anyObject(kind, random), random))
  switch (random.int(7)) {
    case 0:
      return { contentType: random.pick(CONTENT_TYPES), bytes }
    case 1:
      return { contentType: JSON_TYPE, bytes: gzipSync(bytes), encoding: 'gzip' }
    case 2:
      return {
        contentType: JSON_TYPE,
        bytes: deflateSync(bytes),
        encoding: random.pick(['deflate', 'br', 'x']),
      }
    case 3:
      return { contentType: random.pick(CONTENT_TYPES), bytes: Buffer.alloc(0) }
    case 4:
      return { contentType: JSON_TYPE, bytes: Buffer.from(textOf(oddLeaf(random))) }
    case 5:
      return { contentType: random.pick(CONTENT_TYPES), bytes: random.bytes(random.int(2000)) }
    default:
      return { contentType: JSON_TYPE, bytes: Buffer.from(bytes.toString(), 'utf16le') }
  }
}

/** Cut off, flipped, repeated, with bytes that are no UTF-8. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes
  const at = random.int(bytes.length)
  switch (random.int(6)) {
    case 0:
      return bytes.subarray(0, at)
    case 1: {
      const copy = Buffer.from(bytes)
      for (let n = 1 + random.int(8); n > 0; n--) copy[random.int(copy.length)] = random.int(256)
      return copy
    }
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.int(20)), bytes.subarray(at)])
    case 3:
      return Buffer.concat([bytes, bytes])
    case 4:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]),
        bytes.subarray(at),
      ])
    default: {
      const end = Math.min(bytes.length, at + random.int(30))
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
    }
  }
}

const POINTERS = [
  '',
  '/',
  '/metadata',
  '/metadata/name',
  '/metadata/labels/app',
  '/metadata/labels/-',
  '/metadata/annotations',
  '/metadata/finalizers/-',
  '/metadata/finalizers/0',
  '/metadata/managedFields',
  '/metadata/resourceVersion',
  '/metadata/ownerReferences',
  '/spec',
  '/spec/containers/0/image',
  '/spec/containers/99999999999999999999',
  '/spec/containers/-1',
  '/spec/template/spec/containers/0',
  '/spec/replicas',
  '/spec/ports/0/port',
  '/data/a',
  '/__proto__/polluted',
  '/constructor/prototype/polluted',
  '/metadata/__proto__',
  '/~0/~1/~2',
  'no-slash',
  '/a//b',
  '/status/conditions/0',
]
const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'ADD', '', 'merge', '__proto__']

function jsonPatchBody(kind: Kind, random: Random): Body {
  const operation = (): JsonObject => ({
    op: random.pick(OPERATIONS.slice(0, random.chance(0.9) ? 6 : OPERATIONS.length)),
    path: random.pick(POINTERS),
    ...(random.chance(0.4) && { from: random.pick(POINTERS) }),
    ...(random.chance(0.8) && { value: partOf(kind, random) }),
  })
  const count = random.pick([0, 1, 1, 1, 2, 3, 10, 200])
  let tree = treeOf(Array.from({ length: count }, operation))
  if (random.chance(0.3)) tree = mutateTree(tree, random)
  return { contentType: 'application/json-patch+json', bytes: Buffer.from(textOf(tree)) }
}

/** Some of a valid object, or a scalar. */
function partOf(kind: Kind, random: Random): JsonObject | string | number {
  if (random.chance(0.3)) return random.pick<string | number>(['x', '', 0, 1, -1])
  const object = validObject(kind, random.pick(NAMES))
  const part = object[random.pick(Object.keys(object))]
  return typeof part === 'object' && part !== null && !Array.isArray(part) ? part : object
}

const DIRECTIVES: readonly JsonObject[] = [
  { metadata: { labels: { $patch: 'delete' } } },
  { metadata: { labels: { $patch: 'replace', z: '1' } } },
  { metadata: { labels: { $patch: 'bogus' } } },
  { metadata: { finalizers: ['x/y'], $deleteFromPrimitiveList: 1 } },
  { metadata: { '$deleteFromPrimitiveList/finalizers': ['x/y'] } },
  { metadata: { '$setElementOrder/finalizers': ['x/y', 'z/z'], finalizers: ['z/z'] } },
  { metadata: { ownerReferences: [{ uid: 'u', $patch: 'delete' }] } },
  { spec: { containers: [{ name: 'c', $patch: 'delete' }] } },
  { spec: { containers: [{ image: 'no-merge-key' }] } },
  { spec: { containers: [{ $patch: 'replace' }, { name: 'd', image: 'i' }] } },
  { spec: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'q' }], containers: [{ name: 'q' }] } },
  { spec: { '$setElementOrder/containers': 'x' } },
  { spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '1' }] }] } } } },
  { spec: { ports: [{ port: 80, $patch: 'delete' }, { port: '80' }] } },
  { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
  { spec: { strategy: { $retainKeys: 'type' } } },
  { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'x' } }] } },
  { spec: null },
  { metadata: null },
  { metadata: { name: 'other' } },
  { kind: 'Other' },
  { apiVersion: 'v9' },
  { $patch: 'delete' },
  { $patch: 'replace' },
]

function mergeBody(kind: Kind, random: Random): Body {
  const valid = validObject(kind, random.pick(NAMES))
  let tree = treeOf(random.chance(0.5) ? random.pick(DIRECTIVES) : valid)
  for (let n = random.int(3); n > 0; n--) tree = mutateTree(tree, random)
  const strategy = random.pick(['merge', 'strategic-merge', 'strategic-merge'])
  return { contentType: `application/${strategy}-patch+json`, bytes: Buffer.from(textOf(tree)) }
}

/** A patch for an object of the kind. */
export function patchBody(kind: Kind, random: Random): Body {
  const body = random.weighted([
    [4, jsonPatchBody],
    [5, mergeBody],
    [1, objectBody],
  ])(kind, random)
  return random.chance(0.1) ? { ...body, bytes: mutateBytes(body.bytes, random) } : body
}

/** DeleteOptions, good and bad. */
export function deleteBody(kind: Kind, random: Random): Body {
  let tree = treeOf({
    apiVersion: random.pick(['v1', 'meta.k8s.io/v1', kind.apiVersion, 'x/y/z']),
    kind: random.pick(['DeleteOptions', 'DeleteOptions', 'Pod']),
    gracePeriodSeconds: random.pick([0, 0, 30, -1]),
    propagationPolicy: random.pick(['Foreground', 'Background', 'Orphan', 'x']),
    preconditions: random.pick<JsonObject>([{}, { uid: 'x' }, { resourceVersion: '1' }]),
  })
  for (let n = random.int(3); n > 0; n--) tree = mutateTree(tree, random)
  const bytes = Buffer.from(textOf(tree))
  return { contentType: random.pick(CONTENT_TYPES.slice(0, 4)), bytes }
}
