// The schema of a custom kind as a graph: read once from a definition's openAPIV3Schema, walked by the engines of this
// folder (prune, default, validate) and by types.ts. Parts are resolved when they are first met, so that a large schema
// costs what is used of it. Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema (Structural).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'

/** One node. The value validations stay in `props`: validate.ts compiles them. */
export interface SchemaNode {
  /** JSONSchemaProps as the definition has them. */
  readonly props: JsonObject
  /** "" where nothing is said. */
  readonly type: string
  readonly nullable: boolean
  readonly preserve: boolean
  readonly embedded: boolean
  readonly intOrString: boolean
  readonly properties: ReadonlyMap<string, SchemaNode>
  /** Of keys that `properties` does not name: true allows any value, absent and false none. */
  readonly additional: SchemaNode | boolean | undefined
  readonly items: SchemaNode | undefined
  readonly default: Json | undefined
}

const NO_PROPERTIES: ReadonlyMap<string, SchemaNode> = new Map()

/** The graph of a schema; `{}` where a version has none. */
export function structuralOf(props: JsonObject): SchemaNode {
  return new Node(props)
}

/** The schema with objects that take any field beside those that it names, on every level. */
export function openedSchema(props: JsonObject): JsonObject {
  const { properties, items, additionalProperties: additional } = props
  return {
    ...props,
    'x-kubernetes-preserve-unknown-fields': true,
    ...(isObject(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, isObject(one) ? openedSchema(one) : one]),
      ),
    }),
    ...(isObject(items) && { items: openedSchema(items) }),
    ...(isObject(additional) && { additionalProperties: openedSchema(additional) }),
  }
}

class Node implements SchemaNode {
  readonly props: JsonObject
  readonly type: string
  readonly nullable: boolean
  readonly preserve: boolean
  readonly embedded: boolean
  readonly intOrString: boolean
  readonly default: Json | undefined
  #properties: ReadonlyMap<string, SchemaNode> | undefined
  #additional: SchemaNode | boolean | undefined
  #items: SchemaNode | undefined

  constructor(props: JsonObject) {
    this.props = props
    this.type = typeof props['type'] === 'string' ? props['type'] : ''
    this.nullable = props['nullable'] === true
    this.preserve = props['x-kubernetes-preserve-unknown-fields'] === true
    this.embedded = props['x-kubernetes-embedded-resource'] === true
    this.intOrString = props['x-kubernetes-int-or-string'] === true
    this.default = props['default']
  }

  get properties(): ReadonlyMap<string, SchemaNode> {
    return (this.#properties ??= nodesOf(this.props['properties']))
  }

  get additional(): SchemaNode | boolean | undefined {
    const given = this.props['additionalProperties']
    if (!isObject(given)) return typeof given === 'boolean' ? given : undefined
    return (this.#additional ??= new Node(given))
  }

  get items(): SchemaNode | undefined {
    const given = this.props['items']
    return isObject(given) ? (this.#items ??= new Node(given)) : undefined
  }
}

function nodesOf(properties: Json | undefined): ReadonlyMap<string, SchemaNode> {
  if (!isObject(properties)) return NO_PROPERTIES
  const nodes = new Map<string, SchemaNode>()
  for (const key of Object.keys(properties)) {
    const props = properties[key]
    if (isObject(props)) nodes.set(key, new Node(props))
  }
  return nodes
}

/** The node of a key that is there: a property, or what all other keys have; undefined for unknown ones. */
export function nodeAt(node: SchemaNode, key: string): SchemaNode | boolean | undefined {
  return node.properties.get(key) ?? node.additional
}
