// Whether an applied configuration fits its type: the first thing that an apply does with it. Says what is wrong in
// upstream's words, which clients see. Quantities, times and the like are looked at later, when the merged object is
// decoded. Follows sigs.k8s.io/structured-merge-diff/v6/typed (validate.go) and k8s.io/kube-openapi/pkg/schemaconv.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { isNumeric } from '../../machinery/numbers.ts'
import { FieldSetError, itemElement } from '../ownership/fieldset-items.ts'
import { structElements } from '../ownership/fieldset-struct.ts'
import type { ListType, ScalarType, StructType, Type } from '../type.ts'
import { elementText, goSyntax, goText, goType, pathText } from './words.ts'

/** DEVIATION: upstream has no bound. As many as are worth reading; a hostile body would make an answer many times its size. */
const MAX_FAULTS = 100

interface Walk {
  readonly path: string[]
  /** Whether an item may be in a set or a list with keys twice: in what is stored it may. */
  readonly duplicates: boolean
  readonly faults: string[]
}

/** What is wrong with `value`, one text for each field: `.spec.nope: field not declared in schema`. */
export function faultsOf(type: StructType, value: Json, duplicates = false): readonly string[] {
  const walk: Walk = { path: [], duplicates, faults: [] }
  check(type, value, walk)
  return walk.faults
}

/** The faults as one error of upstream's prints them. */
export function faultsText(faults: readonly string[]): string {
  return faults.length === 1
    ? (faults[0] as string)
    : ['errors:', ...faults.map((fault) => `  ${fault}`)].join('\n')
}

function complain(walk: Walk, what: string): void {
  if (walk.faults.length >= MAX_FAULTS) return
  walk.faults.push(walk.path.length === 0 ? what : `${pathText(walk.path)}: ${what}`)
}

function check(type: Type, value: Json, walk: Walk): void {
  if (value === null) return
  switch (type.kind) {
    case 'struct':
    case 'map':
      if (isObject(value)) checkMap(type, value, walk)
      else complain(walk, `expected map, got &{${goText(value)}}`)
      return
    case 'list':
      if (Array.isArray(value)) checkList(type, value, walk)
      else complain(walk, `expected list, got &{${goText(value)}}`)
      return
    case 'any':
      return
    default:
      checkScalar(type, value, walk)
  }
}

function checkMap(type: Type, map: JsonObject, walk: Walk): void {
  const fields = type.kind === 'struct' ? structElements(type) : undefined
  const rest = type.kind === 'struct' ? type.rest : type.kind === 'map' ? type.value : type
  for (const key in map) {
    const field = fields?.get(key)
    const below = field ? field.type : rest
    walk.path.push(field ? field.element : `f:${key}`)
    if (below) check(below, map[key] as Json, walk)
    else complain(walk, 'field not declared in schema')
    walk.path.pop()
    if (!below) return
  }
}

function checkList(type: ListType, list: readonly Json[], walk: Walk): void {
  const seen = new Set<string>()
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as Json
    const element = type.listType === 'atomic' ? `i:${i}` : identityOf(type, item, i, walk)
    if (element === undefined) return
    if (!walk.duplicates && seen.has(element))
      complain(walk, `duplicate entries for key ${elementText(element)}`)
    if (type.listType !== 'atomic') seen.add(element)
    walk.path.push(element)
    check(type.item, item, walk)
    walk.path.pop()
  }
}

function identityOf(type: ListType, item: Json, index: number, walk: Walk): string | undefined {
  try {
    return itemElement(type, item)
  } catch (error) {
    if (!(error instanceof FieldSetError)) throw error
    complain(walk, `element ${index}: ${error.message}`)
    return undefined
  }
}

function checkScalar(type: ScalarType, value: Json, walk: Walk): void {
  switch (type.kind) {
    // Its schema says what it may be in a way that upstream's conversion does not read: anything goes here.
    case 'intOrString':
      return
    case 'integer':
    case 'number':
      if (!isNumeric(value)) complain(walk, `expected numeric (int or float), got ${goType(value)}`)
      return
    case 'boolean':
      if (typeof value !== 'boolean') complain(walk, `expected boolean, got &{${goText(value)}}`)
      return
    default:
      if (typeof value === 'string' || (isUntyped(type) && typeof value !== 'object')) return
      if (isUntyped(type)) complain(walk, `expected any scalar, got &{${goText(value)}}`)
      else complain(walk, `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`)
  }
}

/** Texts with a format of their own are any scalar to upstream's schema; those of bytes and durations are texts. */
function isUntyped(type: ScalarType): boolean {
  if (type.kind === 'bytes' || type.kind === 'duration') return false
  return type.kind !== 'string' || (type.format !== undefined && type.format !== 'byte')
}
