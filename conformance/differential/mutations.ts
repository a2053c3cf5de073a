// Changes of one field, or a few, of an object: what a client may get wrong, and what it may leave out. Seeded, so that a
// run can be repeated. Used by objects.ts; knows nothing of kinds.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { isMap } from './answers.ts'

export type Path = readonly (string | number)[]

export interface Mutation {
  /** What was done, as a report says it: `remove spec.replicas`. */
  readonly label: string
  readonly object: JsonObject
}

const LONG = 300
const TEXTS: readonly string[] = ['', 'Bad Value!', 'x'.repeat(LONG), 'a/b', 'x', '10%', '-1']
const NUMBERS: readonly number[] = [0, -1, 1, 7, 101, 70_000, 2_147_483_647]

export const labelOf = (path: Path): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : (i > 0 ? '.' : '') + step)).join('')

/** Every path below the object, but for what names it. */
export function pathsOf(value: Json | undefined, path: Path = []): Path[] {
  const found: Path[] = path.length > 0 && !isIdentity(path) ? [path] : []
  if (Array.isArray(value)) value.forEach((item, i) => found.push(...pathsOf(item, [...path, i])))
  else if (isMap(value))
    for (const key of Object.keys(value)) found.push(...pathsOf(value[key], [...path, key]))
  return found
}

const isIdentity = ([first, second]: Path): boolean =>
  first === 'apiVersion' ||
  first === 'kind' ||
  (first === 'metadata' && (second === undefined || second === 'namespace' || second === 'resourceVersion'))

export function valueAt(object: Json | undefined, path: Path): Json | undefined {
  let value = object
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)]
    else if (isMap(value)) value = value[step]
    else return undefined
  }
  return value
}

/** A copy with `value` at the path; undefined removes what is there. */
export function withValue(object: JsonObject, path: Path, value: Json | undefined): JsonObject {
  const copy = structuredClone(object)
  const parent = valueAt(copy, path.slice(0, -1))
  const step = path.at(-1) ?? ''
  if (Array.isArray(parent)) {
    if (value === undefined) parent.splice(Number(step), 1)
    else parent[Number(step)] = value
  } else if (isMap(parent)) {
    if (value === undefined) delete parent[step]
    else parent[step] = value
  }
  return copy
}

/** Other values for a field that holds `value`. */
function alternatives(value: Json | undefined): [string, Json][] {
  if (typeof value === 'string') return TEXTS.filter((t) => t !== value).map((t) => [shorten(t), t])
  if (typeof value === 'number') return NUMBERS.filter((n) => n !== value).map((n) => [String(n), n])
  if (typeof value === 'boolean') return [[String(!value), !value]]
  if (Array.isArray(value)) {
    const twice: [string, Json][] = value.length > 0 ? [['twice', [...value, value[0] as Json]]] : []
    return [['[]', []], ...twice]
  }
  if (!isMap(value)) return []
  const keys = Object.keys(value)
  const isTexts = keys.length > 0 && keys.every((key) => typeof value[key] === 'string')
  return [
    ['{}', {}],
    ...(isTexts ? ([['a bad key', { ...value, 'bad key!': 'x' }]] as [string, Json][]) : []),
  ]
}

const shorten = (text: string): string =>
  text.length > 20 ? `${text.length} characters` : JSON.stringify(text)

/** Each field removed, and each with other values. */
export function* singleMutations(object: JsonObject): Generator<Mutation> {
  for (const path of pathsOf(object)) {
    yield { label: `remove ${labelOf(path)}`, object: withValue(object, path, undefined) }
    for (const [label, value] of alternatives(valueAt(object, path))) {
      yield { label: `${labelOf(path)} = ${label}`, object: withValue(object, path, value) }
    }
  }
}

/** Each field that `full` has and the object lacks, as `full` has it. Lists are compared by their first item. */
export function* additions(object: JsonObject, full: JsonObject): Generator<Mutation> {
  for (const [path, value] of missing(object, full, [])) {
    yield { label: `add ${labelOf(path)}`, object: withValue(object, path, value) }
  }
}

function* missing(object: Json, full: Json, path: Path): Generator<[Path, Json]> {
  if (Array.isArray(object) && Array.isArray(full)) {
    for (const i of object.keys()) {
      if (full[0] !== undefined) yield* missing(object[i] as Json, full[0], [...path, i])
    }
  } else if (isMap(object) && isMap(full)) {
    for (const key of Object.keys(full)) {
      const [mine, theirs] = [object[key], full[key]]
      if (theirs === undefined || isIdentity([...path, key])) continue
      if (mine === undefined) yield [[...path, key], theirs]
      else yield* missing(mine, theirs, [...path, key])
    }
  }
}

/** A linear congruential generator: the same numbers for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

export interface Faults {
  /** Objects to make. */
  readonly count: number
  /** Fields that are changed in each: at least, and at most. */
  readonly least: number
  readonly most: number
  /** The fully populated object, whose fields are added, too. */
  readonly full: JsonObject | undefined
}

/** One of these. */
function drawn<T>(list: readonly T[], draw: () => number): T | undefined {
  return list[Math.floor(draw() * list.length)]
}

/** One of so many changes is a field that the object did not have. */
const ADDED = 4

/** The object with one field changed; undefined where nothing can be. */
function change(object: JsonObject, full: JsonObject | undefined, draw: () => number): Mutation | undefined {
  if (full && draw() < 1 / ADDED) {
    const [path, value] = drawn([...missing(object, full, [])], draw) ?? []
    if (path) return { label: `add ${labelOf(path)}`, object: withValue(object, path, value) }
  }
  const path = drawn(pathsOf(object), draw)
  if (!path) return undefined
  const others: [string, Json | undefined][] = [
    ['removed', undefined],
    ...alternatives(valueAt(object, path)),
  ]
  const [label, value] = drawn(others, draw) ?? ['removed', undefined]
  return { label: `${labelOf(path)} = ${label}`, object: withValue(object, path, value) }
}

/** Objects with several fields changed. */
export function* combinations(object: JsonObject, faults: Faults, draw: () => number): Generator<Mutation> {
  const { count, least, most, full } = faults
  for (let i = 0; i < count; i++) {
    let mutated = object
    const labels: string[] = []
    for (let changes = least + Math.floor(draw() * (most - least + 1)); changes > 0; changes--) {
      const next = change(mutated, full, draw)
      if (!next) break
      labels.push(next.label)
      mutated = next.object
    }
    yield { label: labels.join(' & '), object: mutated }
  }
}

/** Chance and choice. */
export interface Draw {
  chance(share: number): boolean
  of<T>(list: readonly T[]): T
}

/** The same draws for the same seed. */
export function drawing(seed: number): Draw {
  const next = random(seed)
  return {
    chance: (share) => next() < share,
    of: (list) => list[Math.floor(next() * list.length)] as never,
  }
}
