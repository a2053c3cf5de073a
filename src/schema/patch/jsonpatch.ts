// JSON patches (RFC 6902). The npm package jsonpatch parses and follows the pointers and edits the document; what
// upstream's library does otherwise than the RFC is done around it: missing values count as null, indices may be
// negative, "replace" also adds, "test" compares by value.
// Follows gopkg.in/evanphx/json-patch.v4 and applyJSPatch in k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
import * as library from 'jsonpatch'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { requestEntityTooLarge, StatusError } from '../../machinery/status.ts'
import { isSame } from '../ownership/fieldset-compare.ts'
import { assign } from '../../machinery/jsonassign.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { MAX_DEPTH } from '../json/inspect.ts'
import { type JsonPatch, type Operation, readOperations } from './jsonpatch-operations.ts'
import { rejected } from './strategicmerge-errors.ts'

/** Upstream's limits on the work that one patch can ask for. */
const MAX_OPERATIONS = 10_000
export const MAX_COPIED_BYTES = 3 * 1024 * 1024
/** Above this a document may be too deep for recursive walks, so that its depth is measured. */
const DEPTH_TO_MEASURE = 3 * MAX_DEPTH

/**
 * Reads a patch, to be applied as often as needed.
 * @throws StatusError 400 for what is no patch, 413 for too many operations
 */
export function readJsonPatch(patch: Json): JsonPatch {
  const read = readOperations(patch)
  const count = read.operations.length
  if (count > MAX_OPERATIONS) {
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${count}`,
    )
  }
  return read
}

/**
 * What the patch makes of `current`: any JSON, if it replaced the root. Neither is changed; the answer shares parts
 * with both. Objects that the patch went through have sorted keys, as upstream shows them where it quotes the patched
 * object in an error.
 *
 * @throws StatusError 422 where an operation does not apply
 */
export function applyJsonPatch(current: JsonObject, patch: JsonPatch): Json {
  const document = new Document(current)
  for (const operation of patch.operations) document.apply(operation)
  return document.finish()
}

/** How far a patch comes that does not apply. */
export interface Halted {
  /** Which of its operations does not apply. */
  readonly at: number
  /** What those before it make of the object. */
  readonly document: Json
  /** Bytes of JSON that were copied; those that were too many are counted. */
  readonly copied: number
}

/** Where a patch halts; undefined where it does not. */
export function haltOf(current: JsonObject, { operations }: JsonPatch): Halted | undefined {
  const document = new Document(current)
  for (const [at, operation] of operations.entries()) {
    try {
      document.apply(operation)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      // The operation may have been half done: those before it are, once more.
      const before = applyJsonPatch(current, { operations: operations.slice(0, at), strictErrors: [] })
      return { at, document: before, copied: document.copied }
    }
  }
  return undefined
}

interface Pointer {
  readonly path: string[]
  add(document: Json, value: Json, mutate: true): Json
  remove(document: Json, mutate: true): Json
  replace(document: Json, value: Json, mutate: true): Json
}

// The package's declarations describe its classes as interfaces, which cannot be called.
const { JSONPointer } = library as unknown as { JSONPointer: new (path: string) => Pointer }

type Container = Json[] | JsonObject

/** Where a path leads to: the container, already ours to change, and the key in it. */
interface Target {
  readonly container: Container
  readonly key: string
  readonly pointer: Pointer
}

class Document {
  #root: Json
  /** Containers that were copied, so that they can be changed in place: each only once. */
  readonly #own = new Set<Container>()
  copied = 0
  /** Never less than the depth of the document. */
  #depth = MAX_DEPTH

  constructor(root: JsonObject) {
    this.#root = this.#copy(root)
  }

  apply(operation: Operation): void {
    const { op, path } = operation
    const value = operation.value ?? null
    switch (op) {
      case 'add':
        return this.#add(path, value)
      case 'remove':
        return this.#remove(this.#find(path))
      case 'replace':
        return path === '' ? this.#replaceRoot(operation.value) : this.#replace(this.#find(path), value)
      case 'move': {
        const from = this.#find(operation.from)
        const moved = this.#get(from)
        this.#remove(from)
        return this.#add(path, moved)
      }
      case 'copy':
        return this.#add(path, this.#duplicate(operation.from))
      case 'test':
        return this.#test(path, value)
      default:
        throw rejected()
    }
  }

  /** The value there, for a second place in the document: no part of it may be changed in place any more. */
  #duplicate(path: string | undefined): Json {
    const value = this.#get(this.#find(path))
    if (value !== null) this.copied += Buffer.byteLength(jsonText(value))
    if (this.copied > MAX_COPIED_BYTES) throw rejected()
    this.#disown(value)
    return value
  }

  #disown(value: Json): void {
    if (typeof value !== 'object' || value === null || !this.#own.delete(value)) return
    for (const part of Object.values(value)) this.#disown(part as Json)
  }

  /** Before `value` lands below `steps` names: keeps the document from growing too deep to walk. */
  #deepen(steps: number, value: Json): void {
    if (typeof value !== 'object') return
    this.#depth += steps
    if (this.#depth <= DEPTH_TO_MEASURE) return
    this.#depth = Math.max(depthOf(this.#root), steps + depthOf(value))
    if (this.#depth > MAX_DEPTH) throw rejected()
  }

  /** The document, keys in order wherever it was opened. */
  finish(): Json {
    if (this.#depth > MAX_DEPTH && depthOf(this.#root) > MAX_DEPTH) throw rejected()
    return this.#sorted(this.#root)
  }

  #sorted(value: Json): Json {
    if (typeof value !== 'object' || value === null || !this.#own.has(value)) return value
    if (Array.isArray(value)) return value.map((item) => this.#sorted(item))
    const out: JsonObject = {}
    for (const key of Object.keys(value).sort()) assign(out, key, this.#sorted(value[key] as Json))
    return out
  }

  #copy<T extends Container>(container: T): T {
    const copy = (Array.isArray(container) ? container.slice() : { ...container }) as T
    this.#own.add(copy)
    return copy
  }

  #find(path: string | undefined): Target {
    const slash = path?.indexOf('/') ?? -1
    if (path === undefined || slash < 0) throw rejected()
    // What stands before the first slash is ignored.
    const pointer = new JSONPointer(path.slice(slash))
    const steps = pointer.path
    let container = this.#root as Container
    for (let i = 0; i < steps.length - 1; i++) {
      if (Array.isArray(container)) steps[i] = indexOf(steps[i] as string, container.length - 1)
      const next = childOf(container, steps[i] as string)
      if (typeof next !== 'object' || next === null) throw rejected()
      const own = this.#own.has(next) ? next : this.#copy(next)
      if (own !== next) assign(container as JsonObject, steps[i] as string, own)
      container = own
    }
    return { container, key: steps[steps.length - 1] as string, pointer }
  }

  /** The value there; null where an object has no such key. */
  #get({ container, key }: Target): Json {
    if (Array.isArray(container)) return container[Number(indexOf(key, container.length - 1))] as Json
    return childOf(container, key) ?? null
  }

  #add(path: string | undefined, value: Json): void {
    const { container, key, pointer } = this.#find(path)
    this.#deepen(pointer.path.length, value)
    if (Array.isArray(container)) {
      if (key !== '-') pointer.path[pointer.path.length - 1] = indexOf(key, container.length)
    } else if (key === '__proto__') return assign(container, key, value)
    this.#root = pointer.add(this.#root, value, true)
  }

  #remove({ container, key, pointer }: Target): void {
    if (Array.isArray(container)) {
      pointer.path[pointer.path.length - 1] = indexOf(key, container.length - 1)
    } else if (!Object.hasOwn(container, key)) throw rejected()
    this.#root = pointer.remove(this.#root, true)
  }

  #replace(target: Target, value: Json): void {
    const { container, key, pointer } = target
    this.#deepen(pointer.path.length, value)
    if (!Array.isArray(container)) {
      if (key === '__proto__') return assign(container, key, value)
      this.#root = pointer.add(this.#root, value, true)
      return
    }
    pointer.path[pointer.path.length - 1] = indexOf(key, container.length - 1)
    this.#root = pointer.replace(this.#root, value, true)
  }

  #replaceRoot(value: Json | undefined): void {
    if (typeof value !== 'object' || value === null) throw rejected()
    this.#root = this.#copy(value)
  }

  #test(path: string | undefined, value: Json): void {
    const found = path === '' ? this.#root : this.#get(this.#find(path))
    if (!isSame(found, value)) throw rejected()
  }
}

function childOf(container: Container, key: string): Json | undefined {
  return Object.hasOwn(container, key) ? (container as JsonObject)[key] : undefined
}

/** The index as the library reads it; negative ones count from behind `last`. */
function indexOf(key: string, last: number): string {
  if (!/^[+-]?\d+$/.test(key)) throw rejected()
  const given = Number(key)
  const index = given < 0 ? given + last + 1 : given
  if (index < 0 || index > last) throw rejected()
  return String(index)
}

/** How many containers lie in each other; walks level by level, whatever the depth. */
function depthOf(root: Json): number {
  let level: Json[] = [root]
  let depth = 0
  for (; level.length > 0; depth++) {
    const below: Json[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) below.push(part)
    }
    level = below
  }
  return depth
}
