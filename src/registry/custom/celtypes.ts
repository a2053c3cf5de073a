// The types of CEL that a definition's schema gives to `self`.
// Follows k8s.io/apiserver/pkg/cel/common (SchemaDeclType) and apiextensions-apiserver/pkg/apiserver/schema/cel/model.
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  escapeName,
  INT,
  mapOf,
  type ObjectField,
  type ObjectType,
  objectOf,
  STRING,
  TIMESTAMP,
} from '../../cel/types.ts'
import type { SchemaNode } from '../../schema/custom/structural.ts'

const TEXTS: Readonly<Record<string, CelType>> = {
  byte: BYTES,
  duration: DURATION,
  date: TIMESTAMP,
  'date-time': TIMESTAMP,
}
/** What rules may see of every object's metadata. */
const META = objectOf('ObjectMeta', { name: STRING, generateName: STRING })

const made = new WeakMap<SchemaNode, CelType>()
let named = 0

/** The type of a node; undefined where CEL has none for it. `whole`: it is an object of the API. */
export function celTypeOf(node: SchemaNode, whole: boolean): CelType | undefined {
  const known = made.get(node)
  if (known) return known
  const type = typeOf(node, whole)
  if (type) made.set(node, type)
  return type
}

function typeOf(node: SchemaNode, whole: boolean): CelType | undefined {
  if (node.intOrString) return DYN
  switch (node.type) {
    case 'boolean':
      return BOOL
    case 'integer':
      return INT
    case 'number':
      return DOUBLE
    case 'string':
      return TEXTS[String(node.props['format'] ?? '')] ?? STRING
    case 'array':
      return listType(node)
    case 'object':
      return objectType(node, whole)
    default:
      return node.preserve ? DYN : undefined
  }
}

function listType(node: SchemaNode): CelType | undefined {
  const item = node.items && celTypeOf(node.items, node.items.embedded)
  if (!item) return undefined
  const kind = node.props['x-kubernetes-list-type']
  const keys = node.props['x-kubernetes-list-map-keys']
  return {
    kind: 'list',
    item,
    ...((kind === 'set' || kind === 'map') && { listType: kind }),
    ...(Array.isArray(keys) && { mapKeys: keys.map(String) }),
  }
}

function objectType(node: SchemaNode, whole: boolean): CelType | undefined {
  if (typeof node.additional === 'object') {
    const value = celTypeOf(node.additional, node.additional.embedded)
    return value && mapOf(STRING, value)
  }
  const fields = new Map<string, ObjectField>()
  for (const [json, property] of node.properties) {
    const name = escapeName(json)
    const type = celTypeOf(property, property.embedded)
    if (name !== undefined && type) fields.set(name, { type, json })
  }
  if (whole || node.embedded) {
    fields.set('apiVersion', { type: STRING })
    fields.set('kind', { type: STRING })
    fields.set('metadata', { type: META })
  }
  const type: ObjectType = {
    kind: 'object',
    name: `selfType${named++}`,
    field: (name) => fields.get(name),
  }
  return type
}
