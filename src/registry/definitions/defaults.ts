// Whether the defaults in a schema fit it: of the right type and value, with nothing unknown in them.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting (ValidateDefaults).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { pruneValue } from '../../schema/custom/prune.ts'
import { structuralOf } from '../../schema/custom/structural.ts'
import { schemaCauses } from '../../schema/custom/validate.ts'
import { isSame } from '../../schema/fieldset-compare.ts'
import { namedOf } from './reading.ts'

/** Causes for the defaults of a structural schema. */
export function defaultCauses(schema: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  walk(schema, path, causes)
  return causes
}

function walk(schema: JsonObject, path: string, causes: StatusCause[]): void {
  const value = schema['default']
  if (value !== undefined && value !== null) check(schema, value, `${path}.default`, causes)
  if (isObject(schema['items'])) walk(schema['items'], `${path}.items`, causes)
  for (const [key, property] of namedOf(schema, 'properties'))
    walk(property, `${path}.properties[${key}]`, causes)
}

function check(schema: JsonObject, value: Json, path: string, causes: StatusCause[]): void {
  const pruned = structuredClone(value)
  pruneValue(pruned, structuralOf(schema))
  if (!isSame(pruned, value)) causes.push(cause.invalid(path, value, 'must not have unknown fields'))
  for (const one of schemaCauses(schema, value, '')) {
    causes.push({ ...one, field: one.field === '<nil>' ? path : `${path}.${one.field}` })
  }
}
