// The type graph of a custom kind, of its schema: what ownership of fields and server-side apply walk, in the shape that
// built-in kinds have. Follows k8s.io/kube-openapi/pkg/schemaconv and k8s.io/apiextensions-apiserver/pkg/controller/openapi.
import type { JsonObject } from '../../machinery/json.ts'
import type { Field, ScalarType, StructType, Type } from '../type.ts'
import { typeOf } from '../types.ts'
import type { SchemaNode } from './structural.ts'

const ANY: Type = { kind: 'any' }
const TEXT: ScalarType = { kind: 'string' }
/** What upstream takes for any scalar. */
const INT_OR_STRING: ScalarType = { kind: 'intOrString' }
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

const typesOf = new WeakMap<SchemaNode, Type>()

/** The type of whole objects: `name` is the definition's, "com.example.v1.Widget". */
export function rootType(schema: SchemaNode, name: string): StructType {
  const known = typesOf.get(schema)
  if (known) return known as StructType
  const type = structOf(schema, name, true)
  typesOf.set(schema, type)
  return type
}

function typeOfNode(node: SchemaNode): Type {
  let type = typesOf.get(node)
  if (!type) typesOf.set(node, (type = makeType(node)))
  return type
}

function makeType(node: SchemaNode): Type {
  if (node.intOrString) return INT_OR_STRING
  switch (node.type) {
    case 'object':
      return objectType(node)
    case 'array':
      return listType(node)
    case 'integer':
      return { kind: 'integer', format: 'int64' }
    case 'number':
      return { kind: 'number', format: 'double' }
    case 'boolean':
      return { kind: 'boolean' }
    case 'string':
      return TEXT
    default:
      return ANY
  }
}

const isAtomicMap = (node: SchemaNode): boolean => node.props['x-kubernetes-map-type'] === 'atomic'

function objectType(node: SchemaNode): Type {
  if (node.properties.size > 0 || node.embedded) return structOf(node, '', node.embedded)
  if (typeof node.additional === 'object')
    return { kind: 'map', value: typeOfNode(node.additional), atomic: isAtomicMap(node) }
  return isAtomicMap(node) ? { kind: 'map', value: ANY, atomic: true } : ANY
}

function listType(node: SchemaNode): Type {
  const kind = node.props['x-kubernetes-list-type']
  const keys = node.props['x-kubernetes-list-map-keys']
  const { items } = node
  return {
    kind: 'list',
    get item() {
      return items ? typeOfNode(items) : ANY
    },
    listType: kind === 'set' || kind === 'map' ? kind : 'atomic',
    mapKeys: Array.isArray(keys) ? keys.map(String) : [],
  }
}

function structOf(node: SchemaNode, name: string, whole: boolean): StructType {
  const fields: Field[] = []
  for (const [key, child] of node.properties) {
    if (!whole || !META_TYPES.has(key)) fields.push(fieldOf(key, child, node.props))
  }
  if (whole) fields.push(plainField('apiVersion', TEXT), plainField('kind', TEXT), metadataField())
  fields.sort((a, b) => (a.name < b.name ? -1 : 1))
  const rest = restOf(node)
  return {
    kind: 'struct',
    name,
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    atomic: isAtomicMap(node),
    ...(rest && { rest }),
  }
}

const META_TYPES: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

function restOf(node: SchemaNode): Type | undefined {
  if (typeof node.additional === 'object') return typeOfNode(node.additional)
  return node.preserve || node.additional === true ? ANY : undefined
}

function fieldOf(name: string, child: SchemaNode, parent: JsonObject): Field {
  const { required } = parent
  return {
    ...PLAIN,
    name,
    get type() {
      return typeOfNode(child)
    },
    required: Array.isArray(required) && required.includes(name),
    ...(child.default !== undefined && { default: child.default }),
  }
}

/** What is absent stays absent, and what is there stays as it is. */
const PLAIN = { required: false, patchStrategy: [], pointer: true, omitEmpty: true } as const

const plainField = (name: string, type: Type): Field => ({ ...PLAIN, name, type })

function metadataField(): Field {
  return {
    ...PLAIN,
    pointer: false,
    omitEmpty: false,
    name: 'metadata',
    get type() {
      return objectMeta()
    },
  }
}

/** metav1.ObjectMeta. */
export function objectMeta(): StructType {
  const type = typeOf(OBJECT_META)
  if (!type) throw new Error(`the facts have no ${OBJECT_META}`)
  return type
}
