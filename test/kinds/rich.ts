// Makes an object richer, field by field, by the types of the release: what the server takes stays. What was found out of
// a field of a type is tried first where the type comes again, so that pods' templates are not worked out for each kind.
// Used by life.test.ts.
import { isObject, type Json, type JsonObject } from '../../src/machinery/json.ts'
import type { Field, ScalarType, StructType, Type } from '../../src/schema/type.ts'

/** What the server says of an object: "" where it takes it, the refusal's message where it does not. */
export type Judge = (object: JsonObject) => Promise<string>

type Path = readonly (string | number)[]

/** What names an object, what belongs to the server, and what is written by other requests. */
const LEFT_ALONE: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status'])
const METADATA = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

const SCALARS: Readonly<Record<ScalarType['kind'], Json>> = {
  string: 'a',
  integer: 1,
  number: 1,
  boolean: true,
  bytes: 'AQ==',
  quantity: '1',
  time: '2026-01-02T03:04:05Z',
  microtime: '2026-01-02T03:04:05.000006Z',
  duration: '1m0s',
  intOrString: 1,
}

/** Dry runs take any port of nodes; what is stored needs one of the range. */
const NODE_PORTS: ReadonlyMap<string, number> = new Map([
  ['nodePort', 30_123],
  ['healthCheckNodePort', 30_124],
])

/** A value of the type with all of its fields, or with those alone that must be there; types come once on a way down. */
function valueOf(type: Type, isWhole: boolean, above: readonly Type[] = []): Json | undefined {
  if (above.includes(type)) return undefined
  const below = [...above, type]
  if (type.kind === 'any') return type.format === 'fieldsV1' ? undefined : { a: 1 }
  if (type.kind === 'list') return listOf(valueOf(type.item, isWhole, below))
  if (type.kind === 'map') return mapOf(valueOf(type.value, isWhole, below))
  if (type.kind !== 'struct') return type.enum?.[0] ?? SCALARS[type.kind]
  const object: JsonObject = {}
  for (const field of type.fields) {
    const value = isWhole || field.required ? valueOfField(field, isWhole, below) : undefined
    if (value !== undefined && field.name !== 'metadata') object[field.name] = value
  }
  return object
}

const valueOfField = (
  { name, type }: Field,
  isWhole: boolean,
  above: readonly Type[] = [],
): Json | undefined => NODE_PORTS.get(name) ?? valueOf(type, isWhole, above)

const listOf = (item: Json | undefined): Json | undefined => (item === undefined ? undefined : [item])
const mapOf = (value: Json | undefined): Json | undefined => (value === undefined ? undefined : { a: value })

function at(value: Json | undefined, path: Path): Json | undefined {
  if (path.length === 0) return value
  const [step, ...rest] = path as [string | number, ...Path]
  if (Array.isArray(value)) return at(value[Number(step)], rest)
  return isObject(value) ? at(value[step], rest) : undefined
}

function withValue(object: JsonObject, path: Path, value: Json): JsonObject {
  const copy = structuredClone(object)
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, Json>
  parent[path.at(-1) as string | number] = value
  return copy
}

export class Enricher {
  /** By type and field: what was taken last; undefined where nothing was. */
  readonly #known = new Map<string, Json | undefined>()

  /** The object with every field of its type that the judge takes. */
  async enrich(object: JsonObject, type: StructType, judge: Judge): Promise<JsonObject> {
    return this.#grow({ object, path: [], type, above: [] }, judge)
  }

  async #grow(
    {
      object,
      path,
      type,
      above,
    }: { object: JsonObject; path: Path; type: StructType; above: readonly Type[] },
    judge: Judge,
  ): Promise<JsonObject> {
    if (type.name === METADATA || above.includes(type)) return object
    let grown = object
    for (const field of type.fields) {
      if (LEFT_ALONE.has(field.name)) continue
      const here = [...path, field.name]
      const key = `${type.name} ${field.name}`
      const isNew = at(grown, here) === undefined
      if (isNew) grown = await this.#add(grown, { path: here, field, key }, judge)
      const inner = structIn(field.type, at(grown, here))
      if (inner && !(isNew && this.#known.has(key))) {
        const next = {
          object: grown,
          path: [...here, ...inner.path],
          type: inner.type,
          above: [...above, type],
        }
        grown = await this.#grow(next, judge)
      }
      this.#known.set(key, at(grown, here))
    }
    return grown
  }

  async #add(
    object: JsonObject,
    { path, field, key }: { path: Path; field: Field; key: string },
    judge: Judge,
  ): Promise<JsonObject> {
    const isKnown = this.#known.has(key)
    const wanted = isKnown ? [this.#known.get(key)] : [valueOfField(field, true), valueOfField(field, false)]
    for (const value of wanted) {
      if (value === undefined) continue
      const next = withValue(object, path, value)
      const refusal = await judge(next)
      if (!refusal) return next
      const supported = /supported values: "([^"]+)"/.exec(refusal)?.[1]
      if (value !== 'a' || supported === undefined) continue
      const other = withValue(object, path, supported)
      if (!(await judge(other))) return other
    }
    return object
  }
}

/** The struct that a field holds, or the first one of its list. */
function structIn(type: Type, value: Json | undefined): { type: StructType; path: Path } | undefined {
  if (type.kind === 'struct') return isObject(value) ? { type, path: [] } : undefined
  if (type.kind !== 'list' || type.item.kind !== 'struct' || !Array.isArray(value)) return undefined
  return isObject(value[0]) ? { type: type.item, path: [0] } : undefined
}

/** Fields and items in a value. */
export function sizeOf(value: Json | undefined): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  return members.reduce((sum: number, member) => sum + 1 + sizeOf(member), 0)
}
