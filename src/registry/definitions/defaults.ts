// Whether the defaults in a schema fit it: of the right type and value, with nothing unknown in them.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting (ValidateDefaults).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { pruneValue } from '../../schema/custom/prune.ts'
import { type SchemaNode, structuralOf } from '../../schema/custom/structural.ts'
import { schemaCauses } from '../../schema/custom/validate.ts'
import { isSame } from '../../schema/ownership/fieldset-compare.ts'
import { remembered } from '../../schema/turns.ts'
import { embeddedCauses } from '../custom/embedded.ts'
import { defaultRuleFaults } from '../custom/rules.ts'

/** Causes for the defaults of a structural schema. */
export function defaultCauses(schema: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  walk(
    remembered(schema, 'graph', () => structuralOf(schema)),
    path,
    causes,
    true,
  )
  return causes
}

function walk(node: SchemaNode, path: string, causes: StatusCause[], whole = false): void {
  const value = node.default
  if (value !== undefined && value !== null) check({ node, whole, path: `${path}.default` }, value, causes)
  if (node.items) walk(node.items, `${path}.items`, causes)
  for (const [key, property] of node.properties) walk(property, `${path}.properties[${key}]`, causes)
}

interface Place {
  readonly node: SchemaNode
  /** It is the schema of a whole object. */
  readonly whole: boolean
  readonly path: string
}

function check(place: Place, value: Json, causes: StatusCause[]): void {
  const faults = remembered(place.node, 'default', () => faultsOf(place, value))
  for (const one of faults) causes.push(one)
}

function faultsOf({ node: given, whole, path }: Place, value: Json): StatusCause[] {
  const causes: StatusCause[] = []
  const { props } = given
  const node = whole ? structuralOf({ ...props, 'x-kubernetes-embedded-resource': true }) : given
  const pruned = structuredClone(value)
  pruneValue(pruned, node)
  if (!isSame(pruned, value)) causes.push(cause.invalid(path, value, 'must not have unknown fields'))
  const isObjects = isObject(value) || Array.isArray(value)
  let faults = isObjects ? embeddedCauses(node, value as JsonObject) : []
  if (faults.length === 0) faults = schemaCauses(typedOnly(props), value, '')
  if (faults.length === 0) faults = defaultRuleFaults(node, value, node.embedded)
  for (const one of faults) causes.push({ ...one, field: below(path, one.field ?? '') })
  return causes
}

/** Of defaults nobody asks whether an integer or a text is one of these: x-kubernetes-int-or-string says no type then. */
function typedOnly(schema: JsonObject): JsonObject {
  let typed = typedOf.get(schema)
  if (!typed) typedOf.set(schema, (typed = makeTyped(schema)))
  return typed
}

/** Made once: there may be defaults on every level. */
const typedOf = new WeakMap<JsonObject, JsonObject>()

function makeTyped(schema: JsonObject): JsonObject {
  const { 'x-kubernetes-int-or-string': _, items, properties, additionalProperties: rest, ...own } = schema
  const typed = (value: Json | undefined): Json => (isObject(value) ? typedOnly(value) : (value ?? null))
  const named = isObject(properties) ? Object.entries(properties).map(([key, one]) => [key, typed(one)]) : []
  return {
    ...own,
    ...(items !== undefined && { items: typed(items) }),
    ...(rest !== undefined && { additionalProperties: typed(rest) }),
    ...(named.length > 0 && { properties: Object.fromEntries(named) as JsonObject }),
  }
}

function below(path: string, field: string): string {
  if (field === '<nil>' || field === '') return path
  return field.startsWith('[') ? path + field : `${path}.${field}`
}
