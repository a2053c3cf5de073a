// The engine of defaults: a kind's defaults are data (Rules), compiled once into a function.
// Stands between decoding and admission. Follows what upstream's defaulter-gen makes of pkg/apis/*/v*/defaults.go:
// a parent's own function first, then its fields, depth first.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'

/** Changes one struct in place. */
export type Apply = (value: JsonObject) => void

/** A constant, or a maker where the value is mutable and so must be fresh for each object. */
export type Default = string | number | boolean | (() => Json)

/** What is filled in a struct; all parts are optional and run in the order of this list. */
export interface Rules {
  /** What depends on several fields, or on others than the one it sets. */
  readonly first?: Apply
  /** Fields that are Go pointers: set only where absent. */
  readonly absent?: Readonly<Record<string, Default>>
  /** Fields held by value: "" and 0 count as absent. */
  readonly empty?: Readonly<Record<string, Default>>
  /** Structs held by value: made where absent, then walked. */
  readonly embedded?: Readonly<Record<string, Rules>>
  /** Structs behind pointers: walked where present. */
  readonly present?: Readonly<Record<string, Rules>>
  /** Lists of structs: every item is walked. */
  readonly items?: Readonly<Record<string, Rules>>
  /** What must see the fields already filled: upstream's conversions to the internal type and back. */
  readonly last?: Apply
}

/** The defaults of a group's kinds, by "version/Kind"; functions, so that a kind nobody uses costs nothing. */
export type GroupDefaults = Readonly<Record<string, () => Rules>>

const compiled = new WeakMap<Rules, Apply>()

/** The function for these rules; the same for every call with the same object. */
export function compileRules(rules: Rules): Apply {
  let apply = compiled.get(rules)
  if (!apply) {
    apply = sequence(stepsOf(rules))
    compiled.set(rules, apply)
  }
  return apply
}

function stepsOf(rules: Rules): Apply[] {
  const steps: Apply[] = []
  if (rules.first) steps.push(rules.first)
  for (const [key, value] of Object.entries(rules.absent ?? {})) steps.push(setAbsent(key, value))
  for (const [key, value] of Object.entries(rules.empty ?? {})) steps.push(setEmpty(key, value))
  for (const [key, inner] of Object.entries(rules.embedded ?? {})) steps.push(walkEmbedded(key, inner))
  for (const [key, inner] of Object.entries(rules.present ?? {})) steps.push(walkPresent(key, inner))
  for (const [key, inner] of Object.entries(rules.items ?? {})) steps.push(walkItems(key, inner))
  if (rules.last) steps.push(rules.last)
  return steps
}

function sequence(steps: readonly Apply[]): Apply {
  const [only] = steps
  if (only && steps.length === 1) return only
  return (value) => {
    for (let i = 0; i < steps.length; i++) (steps[i] as Apply)(value)
  }
}

function setAbsent(key: string, value: Default): Apply {
  if (typeof value === 'function') {
    return (object) => {
      if (object[key] === undefined || object[key] === null) object[key] = value()
    }
  }
  return (object) => {
    if (object[key] === undefined || object[key] === null) object[key] = value
  }
}

function setEmpty(key: string, value: Default): Apply {
  return (object) => {
    const now = object[key]
    if (now === undefined || now === '' || now === 0 || now === null) {
      object[key] = typeof value === 'function' ? value() : value
    }
  }
}

function walkEmbedded(key: string, rules: Rules): Apply {
  const apply = compileRules(rules)
  return (object) => apply(structIn(object, key))
}

function walkPresent(key: string, rules: Rules): Apply {
  const apply = compileRules(rules)
  return (object) => {
    const inner = object[key]
    if (isObject(inner)) apply(inner)
  }
}

function walkItems(key: string, rules: Rules): Apply {
  const apply = compileRules(rules)
  return (object) => {
    const list = object[key]
    if (!Array.isArray(list)) return
    for (let i = 0; i < list.length; i++) {
      const item = list[i]
      if (isObject(item)) apply(item)
    }
  }
}

/** The struct at `key`, made where it is absent: how Go sees a struct held by value. */
export function structIn(object: JsonObject, key: string): JsonObject {
  const inner = object[key]
  if (isObject(inner)) return inner
  const made: JsonObject = {}
  object[key] = made
  return made
}

/** The objects of the list at `key`; none where it is absent. */
export function structsIn(object: JsonObject, key: string): JsonObject[] {
  const list = object[key]
  return Array.isArray(list) ? list.filter(isObject) : []
}

/** The struct behind a pointer, or undefined. */
export function structAt(object: JsonObject, key: string): JsonObject | undefined {
  const inner = object[key]
  return isObject(inner) ? inner : undefined
}

/** Sets a key that a user chose: "__proto__" is a key like any other. */
export function put(map: JsonObject, key: string, value: Json | undefined): void {
  if (key === '__proto__') {
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
  } else {
    map[key] = value
  }
}
