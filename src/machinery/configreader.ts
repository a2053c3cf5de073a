// Reads a configuration file's tree, which somebody wrote by hand, and gathers everything that is wrong with it.
// Follows the strict decoder of k8s.io/apimachinery/pkg/runtime/serializer/json, and pkg/util/validation/field.
import { DurationError, parseDuration } from './duration.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import type { StatusCause } from './status.ts'

const NANOSECONDS_PER_MS = 1_000_000n

/** The kinds of a group that a file may hold. */
export interface ConfigKind {
  readonly group: string
  readonly versions: readonly string[]
  readonly kind: string
}

/** Does the tree say that it is of this kind? */
export const isOfKind = (value: JsonObject, { group, versions, kind }: ConfigKind): boolean =>
  value['kind'] === kind && versions.some((version) => value['apiVersion'] === `${group}/${version}`)

/** Fields of the wrong type count as absent, once they are noted. */
export class ConfigReader {
  readonly #malformed: string[] = []
  readonly #causes: StatusCause[] = []

  add(...faults: readonly StatusCause[]): void {
    this.#causes.push(...faults)
  }

  /** What is there of an object; fields besides `known` are faults. */
  object(value: Json | undefined, path: string, known: readonly string[]): JsonObject {
    if (value === undefined || value === null) return {}
    if (!isObject(value)) {
      this.#malformed.push(`field ${JSON.stringify(path)} must be an object`)
      return {}
    }
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) this.#malformed.push(`unknown field ${JSON.stringify(under(path, key))}`)
    }
    return value
  }

  /** "" where there is none. */
  text(object: JsonObject, key: string, path: string): string {
    const value = object[key]
    if (typeof value === 'string') return value
    this.#expect(value, under(path, key), 'a string')
    return ''
  }

  /** undefined where there is none: what a default may stand for. */
  flag(object: JsonObject, key: string, path: string): boolean | undefined {
    const value = object[key]
    if (typeof value === 'boolean') return value
    this.#expect(value, under(path, key), 'a boolean')
    return undefined
  }

  list(object: JsonObject, key: string, path: string): readonly Json[] {
    const value = object[key]
    if (Array.isArray(value)) return value
    this.#expect(value, under(path, key), 'a list')
    return []
  }

  texts(object: JsonObject, key: string, path: string): readonly string[] {
    return this.list(object, key, path).flatMap((item, i) => {
      if (typeof item === 'string') return [item]
      this.#malformed.push(`field ${JSON.stringify(`${under(path, key)}[${i}]`)} must be a string`)
      return []
    })
  }

  /** Of Go's durations, in milliseconds; 0 where there is none. */
  milliseconds(object: JsonObject, key: string, path: string): number {
    const text = this.text(object, key, path)
    if (text === '') return 0
    try {
      return Number(parseDuration(text)) / Number(NANOSECONDS_PER_MS)
    } catch (error) {
      if (!(error instanceof DurationError)) throw error
      this.#malformed.push(error.message)
      return 0
    }
  }

  /** Throws an Error that names everything: what cannot be decoded, or else what is not valid. */
  throwAny(): void {
    if (this.#malformed.length > 0) throw new Error(`strict decoding error: ${this.#malformed.join(', ')}`)
    const texts = this.#causes.map(({ field, message }) => `${field}: ${message}`)
    if (texts.length > 0) throw new Error(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`)
  }

  #expect(value: Json | undefined, path: string, what: string): void {
    if (value === undefined || value === null) return
    this.#malformed.push(`field ${JSON.stringify(path)} must be ${what}`)
  }
}

const under = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
