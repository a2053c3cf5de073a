// What a mutation makes of an object: an apply configuration that is merged, or operations of a JSON patch.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch.
import { misnamed, toJson } from '../../cel/json.ts'
import type { ListValue } from '../../cel/values.ts'
import { ObjectValue, type Value } from '../../cel/values.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import { applyJsonPatch, readJsonPatch } from '../../schema/patch/jsonpatch.ts'
import type { JsonPatch } from '../../schema/patch/jsonpatch-operations.ts'
import { mergeApplied } from '../../schema/merge/merge.ts'
import { faultsOf, faultsText } from '../../schema/merge/validate.ts'
import type { StructType, Type } from '../../schema/type.ts'
import { patchFault } from '../webhooks/patchfaults.ts'

/** A mutation that cannot be made: its message is upstream's. */
export class MutationFault extends Error {}

/** The object with the configuration merged into it. Throws a MutationFault. */
export function applyConfiguration(object: KubeObject, configuration: Value, type: StructType): Json {
  const wrong = misnamed(configuration, 'Object')
  if (wrong.length) throw new MutationFault(`type mismatch: ${joined(wrong)}`)
  const patch: JsonObject = { ...(toJson(configuration) as JsonObject) }
  for (const name of ['apiVersion', 'kind']) if (object[name] !== undefined) patch[name] = object[name]
  const faults = faultsOf(type, patch)
  if (faults.length) {
    throw new MutationFault(
      `error applying patch: failed to convert patch object to typed object: ${faultsText(faults)}`,
    )
  }
  const atomics = atomicsOf(type, patch, '')
  if (atomics.length) {
    throw new MutationFault(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    )
  }
  try {
    return mergeApplied(type, object, patch)
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw new MutationFault(`error applying patch: ${(error as Error).message}`)
  }
}

const joined = (messages: readonly string[]): string => messages.join('\n')

/** Where the configuration names something that can only be replaced as a whole. */
function atomicsOf(type: Type, value: Json | undefined, path: string): string[] {
  if (type.kind === 'list' && Array.isArray(value)) {
    const own = type.listType === 'atomic' ? [path] : []
    return [...own, ...value.flatMap((item) => atomicsOf(type.item, item, `${path}[-1]`))]
  }
  if (!isObject(value)) return []
  if (type.kind === 'map') return type.atomic ? [path] : []
  if (type.kind !== 'struct') return []
  const own = type.atomic ? [path] : []
  const inner = Object.entries(value).flatMap(([name, part]) => {
    const field = type.byName.get(name)
    return field ? atomicsOf(field.type, part, `${path}.${name}`) : []
  })
  return [...own, ...inner]
}

/** The object after the operations; undefined where a test among them fails. Throws a MutationFault. */
export function applyOperations(object: KubeObject, value: Value): Json | undefined {
  const operations = (value as ListValue).values().map(operationOf)
  let patch: JsonPatch | undefined
  try {
    patch = readJsonPatch(operations)
    return applyJsonPatch(object, patch)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const why = patch ? patchFault(object, operations, patch) : error.message
    if (why.endsWith('test failed')) return undefined
    throw new MutationFault(`JSON Patch: ${why}`)
  }
}

function operationOf(operation: Value): Json {
  if (!(operation instanceof ObjectValue))
    throw new MutationFault('type mismatch: an element is no JSONPatch')
  const value = operation.get('value')
  if (value instanceof ObjectValue) {
    const wrong = misnamed(value, value.type.name)
    if (wrong.length) throw new MutationFault(`type mismatch: ${joined(wrong)}`)
  }
  const from = operation.get('from')
  return {
    op: toJson(operation.get('op') ?? ''),
    path: toJson(operation.get('path') ?? ''),
    ...(from !== undefined && from !== '' && { from: toJson(from) }),
    ...(value !== undefined && { value: toJson(value) }),
  }
}
