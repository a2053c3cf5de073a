// Random definitions and custom objects for definitions.ts: sound schemas, in which faults are put at random places.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { FAULTS, LEAVES, SPEC_FAULTS, VERSION_FAULTS } from './definition-words.ts'
import type { Draw } from './mutations.ts'
import { mapOf } from './answers.ts'

const FIELDS = ['a', 'b', 'c', 'list', 'map', 'part']
const MAX_DEPTH = 3

/** A sound schema of one value. */
function schemaOf(draw: Draw, depth: number): JsonObject {
  if (depth >= MAX_DEPTH || draw.chance(0.55)) return structuredClone(draw.of(LEAVES))
  if (draw.chance(0.35)) return { type: 'array', items: objectOf(draw, depth + 1), ...keysOf(draw) }
  if (draw.chance(0.2)) return { type: 'object', additionalProperties: schemaOf(draw, depth + 1) }
  return objectOf(draw, depth + 1)
}

const keysOf = (draw: Draw): JsonObject =>
  draw.chance(0.5) ? {} : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['key'] }

function objectOf(draw: Draw, depth: number): JsonObject {
  const properties: JsonObject = { key: { type: 'string' } }
  for (const name of FIELDS) if (draw.chance(0.4)) properties[name] = schemaOf(draw, depth)
  return { type: 'object', properties, required: ['key'] }
}

/** Every schema in a schema, itself included. */
function nodesOf(schema: Json | undefined, found: JsonObject[] = []): JsonObject[] {
  const node = mapOf(schema)
  if (schema !== node) return found
  found.push(node)
  for (const below of Object.values(mapOf(node['properties']))) nodesOf(below, found)
  if (node['items'] !== undefined) nodesOf(node['items'], found)
  if (node['additionalProperties'] !== undefined) nodesOf(node['additionalProperties'], found)
  return found
}

export interface Drawn {
  readonly definition: JsonObject
  /** What was put in. */
  readonly faults: readonly string[]
}

/** A sound definition with two versions at most. */
export function drawDefinition(draw: Draw, group: string): JsonObject {
  const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }
  const count = draw.chance(0.25) ? 2 : 1
  const versions = ['v1', 'v1beta1'].slice(0, count).map((name) => ({
    name,
    served: true,
    storage: name === 'v1',
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: objectOf(draw, 0), status: objectOf(draw, 2) },
      },
    },
    ...(draw.chance(0.4) ? { subresources: { status: {} } } : {}),
  }))
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: { group, scope: 'Cluster', names, versions },
  }
}

/** The same with some faults put in. */
export function breakDefinition(draw: Draw, sound: JsonObject): Drawn {
  const definition = structuredClone(sound)
  const faults: string[] = []
  const count = draw.of([1, 1, 1, 2, 3])
  for (let i = 0; i < count; i++) faults.push(putFault(draw, definition))
  return { definition, faults }
}

function putFault(draw: Draw, definition: JsonObject): string {
  const spec = mapOf(definition['spec'])
  const versions = Array.isArray(spec['versions']) ? spec['versions'].map(mapOf) : []
  if (draw.chance(0.12) || versions.length === 0) {
    const fault = structuredClone(draw.of(SPEC_FAULTS))
    const names = { ...mapOf(spec['names']), ...mapOf(fault['names']) }
    Object.assign(spec, fault, { names })
    return JSON.stringify(fault)
  }
  const version = draw.of(versions)
  if (draw.chance(0.2)) {
    const fault = structuredClone(draw.of(VERSION_FAULTS))
    Object.assign(version, fault)
    return `version ${JSON.stringify(fault)}`
  }
  const nodes = nodesOf(mapOf(version['schema'])['openAPIV3Schema'])
  const fault = structuredClone(draw.of(FAULTS))
  const place = nodes.length === 0 ? version : draw.of(nodes)
  const before = JSON.stringify(place).slice(0, SHOWN)
  if (draw.chance(0.1)) {
    const key = draw.of(Object.keys(place))
    delete place[key]
    return `without ${key} in ${before}`
  }
  Object.assign(place, fault)
  return `${JSON.stringify(fault)} in ${before}`
}

const SHOWN = 160

const ODD: readonly Json[] = [
  null,
  1,
  -7,
  1.5,
  'x',
  'no',
  '',
  true,
  [],
  {},
  ['x', 'x'],
  [null],
  { key: 'k' },
  '10s',
  3e9,
]
const TEXTS: readonly Json[] = [
  'a',
  'b',
  'abc',
  '2020-01-01T00:00:00Z',
  '10.0.0.1',
  'aGk=',
  '1h',
  'x'.repeat(12),
]
const ODD_SHARE = 0.07

/** A value that a schema may take, now and then one that it may not. */
export function drawValue(draw: Draw, schema: JsonObject): Json {
  if (draw.chance(ODD_SHARE)) return draw.of(ODD)
  if (schema['x-kubernetes-int-or-string'] === true) return draw.of<Json>([1, 'a', 'abcde', 7])
  if (schema['x-kubernetes-embedded-resource'] === true)
    return draw.of<Json>([
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, more: { x: null } },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'No Name', labels: { a: 'b c' }, odd: 1 } },
      { kind: 'Pod' },
      { apiVersion: 'a/b/c', kind: '', metadata: { labels: 1 } },
    ])
  switch (schema['type']) {
    case 'object':
      return drawObject(draw, schema)
    case 'array': {
      const items = mapOf(schema['items'])
      const count = draw.of([0, 1, 1, 2, 3, 4])
      return Array.from({ length: count }, () => drawValue(draw, items))
    }
    case 'string':
      return Array.isArray(schema['enum']) ? draw.of([...schema['enum'], 'zz']) : draw.of(TEXTS)
    case 'integer':
      return draw.of([1, 2, 3, 5, 7, 0, 2147483648])
    case 'number':
      return draw.of([1, 1.5, 0.3, 0])
    case 'boolean':
      return draw.of([true, false])
    default:
      return draw.of(ODD)
  }
}

export function drawObject(draw: Draw, schema: JsonObject): JsonObject {
  const value: JsonObject = {}
  for (const [name, below] of Object.entries(mapOf(schema['properties'])))
    if (draw.chance(name === 'key' ? 0.95 : 0.6)) value[name] = drawValue(draw, mapOf(below))
  const rest = schema['additionalProperties']
  if (rest !== undefined)
    for (const name of ['k', 'l', 'm']) if (draw.chance(0.5)) value[name] = drawValue(draw, mapOf(rest))
  if (draw.chance(ODD_SHARE)) value['unknown'] = draw.of(ODD)
  return value
}
