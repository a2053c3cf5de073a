// Schemas of other servers put into our own document of OpenAPI v2: their paths, with the definitions that these use.
// A definition that has our name and says something else gets another one.
// Follows k8s.io/kube-openapi/pkg/aggregator (FilterSpecByPaths, MergeSpecsIgnorePathConflictRenamingDefinitions…).
import { isDeepStrictEqual } from 'node:util'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'

/** A document of another server, and the paths of it that count. */
export interface ForeignDocument {
  readonly document: JsonObject
  /** "/apis/GROUP/VERSION/" */
  readonly prefix: string
}

type Section = 'definitions' | 'parameters'
type Value = Json | undefined
const REFERENCE = /^#\/(definitions|parameters)\/(.+)$/
const KINDS = 'x-kubernetes-group-version-kind'

/** `own` with all of them; it is not changed. */
export function merged(own: JsonObject, foreign: readonly ForeignDocument[]): JsonObject {
  const result = {
    ...own,
    paths: { ...objectOf(own['paths']) },
    definitions: { ...objectOf(own['definitions']) },
    parameters: { ...objectOf(own['parameters']) },
  }
  for (const one of foreign) add(result, one)
  return { ...result, paths: sorted(result.paths) }
}

interface Merging extends JsonObject {
  readonly paths: JsonObject
  readonly definitions: JsonObject
  readonly parameters: JsonObject
}

function add(result: Merging, { document, prefix }: ForeignDocument): void {
  const paths = Object.entries(objectOf(document['paths'])).filter(
    ([path]) => path.startsWith(prefix) && !Object.hasOwn(result.paths, path),
  )
  const used = usedBy(
    paths.map(([, item]) => item),
    document,
  )
  const names = new Map<string, string>()
  for (const [reference, value] of used) {
    const [section, name] = partsOf(reference)
    names.set(reference, `#/${section}/${nameFor(result[section], name, value)}`)
  }
  for (const [reference, value] of used) {
    const [section, name] = partsOf(names.get(reference) ?? reference)
    const known = Object.hasOwn(result[section], name) ? result[section][name] : undefined
    put(result[section], name, known === undefined ? renamed(value, names) : withKindsOf(known, value))
  }
  for (const [path, item] of paths) put(result.paths, path, renamed(item, names))
}

/** Everything that is referred to, by its reference: directly, or by what is. */
function usedBy(values: readonly Value[], document: JsonObject): Map<string, Json> {
  const used = new Map<string, Json>()
  const pending: Value[] = [...values]
  while (pending.length > 0) {
    const value = pending.pop()
    if (Array.isArray(value)) pending.push(...value)
    else if (isObject(value)) {
      for (const [key, inner] of Object.entries(value)) {
        const found = key === '$ref' && typeof inner === 'string' && !used.has(inner) && find(inner, document)
        if (found) {
          used.set(inner, found)
          pending.push(found)
        } else pending.push(inner)
      }
    }
  }
  return used
}

function find(reference: string, document: JsonObject): Json | undefined {
  if (!REFERENCE.test(reference)) return undefined
  const [section, name] = partsOf(reference)
  const those = objectOf(document[section])
  return Object.hasOwn(those, name) ? those[name] : undefined
}

function partsOf(reference: string): [Section, string] {
  const [, section = '', name = ''] = REFERENCE.exec(reference) ?? []
  return [section === 'parameters' ? 'parameters' : 'definitions', name]
}

/** Its own, where nobody has it or says the same by it; else NAME_v2 and so on. */
function nameFor(known: JsonObject, name: string, value: Json): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}_v${count}`
    if (!Object.hasOwn(known, candidate) || isSame(known[candidate], value)) return candidate
  }
}

const isSame = (a: Json | undefined, b: Json): boolean =>
  a !== undefined && isDeepStrictEqual(withoutKinds(a), withoutKinds(b))

function withoutKinds(value: Json): Json {
  if (!isObject(value)) return value
  const { [KINDS]: _, ...rest } = value
  return rest
}

/** The same definition may stand for kinds of several servers. */
function withKindsOf(known: Json, other: Json): Json {
  if (!isObject(known) || !isObject(other)) return known
  const [ours, theirs] = [known[KINDS], other[KINDS]]
  if (!Array.isArray(theirs)) return known
  const kinds = Array.isArray(ours) ? ours : []
  const more = theirs.filter((one) => !kinds.some((kind) => isDeepStrictEqual(kind, one)))
  return more.length > 0 ? { ...known, [KINDS]: [...kinds, ...more] } : known
}

function renamed(value: Value, names: ReadonlyMap<string, string>): Value {
  if (Array.isArray(value)) return value.map((one) => renamed(one, names) ?? null)
  if (!isObject(value)) return value
  const copy: JsonObject = {}
  for (const [key, inner] of Object.entries(value)) {
    const isReference = key === '$ref' && typeof inner === 'string'
    put(copy, key, isReference ? (names.get(inner) ?? inner) : renamed(inner, names))
  }
  return copy
}

/** Keys are other servers': "__proto__" is one like others. */
function put(object: JsonObject, key: string, value: Value): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

const sorted = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
