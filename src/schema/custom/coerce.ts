// What makes any JSON into an object of a custom kind: metadata in its proper shape, the whole pruned by the schema,
// embedded objects given the shape of objects. Follows k8s.io/apiextensions-apiserver (unstructuredSchemaCoercer) and
// pkg/apiserver/schema/objectmeta.
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { DecodeError, type Decoded, decoderFor } from '../decode.ts'
import { assign } from '../../machinery/jsonassign.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { hasEmbedded } from './embedded.ts'
import { dropNulls, prune } from './prune.ts'
import { nodeAt, type SchemaNode } from './structural.ts'
import { objectMeta } from './types.ts'

export interface Coercion {
  /** What is malformed in metadata is dropped, not refused: for what is stored already. */
  readonly dropMalformed: boolean
  /** Nothing is pruned (spec.preserveUnknownFields). */
  readonly keepUnknown: boolean
}

/** A deep copy. */
export function copyOf(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf)
  const out: JsonObject = {}
  for (const key of Object.keys(value)) assign(out, key, copyOf(value[key] as Json))
  return out
}

/**
 * A fresh object of the kind. @throws DecodeError where metadata, or that of an embedded object, cannot be read
 */
export function coerce(input: JsonObject, schema: SchemaNode, how: Coercion): Decoded {
  const object = copyOf(input) as JsonObject
  const unknown: string[] = []
  const { metadata } = object
  if (metadata !== undefined) {
    const read = readMetadata(metadata, 'metadata', how)
    unknown.push(...read.unknown)
    object['metadata'] = read.metadata
  } else object['metadata'] = {}
  if (!how.keepUnknown) {
    unknown.push(...prune(object, schema))
    dropNulls(object, schema)
  }
  if (hasEmbedded(schema)) coerceEmbedded(object, schema, { path: '', how, unknown })
  return {
    object: object as KubeObject,
    unknownFields: unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
  }
}

interface ReadMetadata {
  readonly metadata: JsonObject
  readonly unknown: readonly string[]
}

const QUOTED_FIELD = /^unknown field "(.*)"$/s

function readMetadata(metadata: Json, path: string, how: Coercion): ReadMetadata {
  const decode = decoderFor(objectMeta())
  if (metadata === null) return { metadata: {}, unknown: [] }
  try {
    const { object, unknownFields } = decode(metadata)
    const unknown = unknownFields.map((text) => `${path}.${QUOTED_FIELD.exec(text)?.[1] ?? text}`)
    return { metadata: object as unknown as JsonObject, unknown }
  } catch (error) {
    if (!(error instanceof DecodeError) || !how.dropMalformed) throw error
  }
  const kept: JsonObject = {}
  if (isObject(metadata))
    for (const key of Object.keys(metadata)) keepReadable(kept, key, metadata[key] as Json)
  return { metadata: decode(kept).object as unknown as JsonObject, unknown: [] }
}

function keepReadable(kept: JsonObject, key: string, value: Json): void {
  const one: JsonObject = {}
  assign(one, key, value)
  try {
    decoderFor(objectMeta())(one)
    assign(kept, key, value)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
  }
}

// ---- embedded objects

interface Walk {
  readonly path: string
  readonly how: Coercion
  readonly unknown: string[]
}

function coerceEmbedded(value: Json, schema: SchemaNode, walk: Walk): void {
  if (typeof value !== 'object' || value === null || !hasEmbedded(schema)) return
  if (Array.isArray(value)) {
    const { items } = schema
    if (items)
      value.forEach((item, i) => coerceEmbedded(item, items, { ...walk, path: `${walk.path}[${i}]` }))
    return
  }
  const at = (key: string): string => (walk.path === '' ? key : `${walk.path}.${key}`)
  if (schema.embedded) coerceOne(value, walk, at)
  for (const key of Object.keys(value)) {
    const below = nodeAt(schema, key)
    const path = schema.properties.has(key) ? at(key) : `${walk.path}[${key}]`
    if (typeof below === 'object') coerceEmbedded(value[key] as Json, below, { ...walk, path })
  }
}

function coerceOne(value: JsonObject, { how, unknown }: Walk, at: (key: string) => string): void {
  for (const key of ['apiVersion', 'kind']) {
    if (!Object.hasOwn(value, key) || typeof value[key] === 'string') continue
    if (!how.dropMalformed) throw new DecodeError(malformed(at(key), value[key] as Json, 'must be a string'))
    delete value[key]
  }
  if (!Object.hasOwn(value, 'metadata')) return
  try {
    const read = readMetadata(value['metadata'] as Json, at('metadata'), how)
    unknown.push(...read.unknown)
    value['metadata'] = read.metadata
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new DecodeError(malformed(at('metadata'), value['metadata'] as Json, error.message))
  }
}

const malformed = (path: string, value: Json, why: string): string =>
  `${path}: Invalid value: ${jsonText(value)}: ${why}`
