// The types of CEL that a server's OpenAPI v3 document gives to its kinds.
// Follows k8s.io/apiserver/pkg/cel/common (SchemaDeclType) and pkg/cel/openapi.
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  escapeName,
  INT,
  listOf,
  mapOf,
  type ObjectField,
  objectOf,
  STRING,
  TIMESTAMP,
} from '../../cel/types.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'

/** A document of /openapi/v3, as far as it is looked at. */
export interface SchemaDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonObject>> }
}

const TEXTS: Readonly<Record<string, CelType>> = {
  byte: BYTES,
  duration: DURATION,
  date: TIMESTAMP,
  'date-time': TIMESTAMP,
}
/** What expressions may name of every object. */
const EVERY_OBJECT: Readonly<Record<string, CelType>> = {
  apiVersion: STRING,
  kind: STRING,
  metadata: objectOf('ObjectMeta', { name: STRING, generateName: STRING }),
}
/** Schemas that stand for one another lead no further than this. */
const MAX_REFERENCES = 16

/** The type of this kind; undefined where the document does not know it. */
export function typeOfKind(
  document: SchemaDocument,
  { group, version, kind }: { group: string; version: string; kind: string },
): CelType | undefined {
  const schema = Object.values(document.components?.schemas ?? {}).find((one) => {
    const kinds = one['x-kubernetes-group-version-kind']
    return (
      Array.isArray(kinds) &&
      kinds.some(
        (is) => isObject(is) && is['group'] === group && is['version'] === version && is['kind'] === kind,
      )
    )
  })
  return schema && new Types(document).typeOf(schema, kind)
}

class Types {
  readonly #schemas: Readonly<Record<string, JsonObject>>
  /** By schema: fields that lead back to their own kind have the same type. */
  readonly #known = new Map<JsonObject, CelType | undefined>()

  constructor({ components }: SchemaDocument) {
    this.#schemas = components?.schemas ?? {}
  }

  /** `whole` names an object of the API. */
  typeOf(given: Json | undefined, whole?: string): CelType | undefined {
    const schema = this.#resolve(given)
    if (!schema) return undefined
    if (this.#known.has(schema)) return this.#known.get(schema)
    const type = this.#make(schema, whole)
    this.#known.set(schema, type)
    return type
  }

  /** What a reference stands for, also one in an allOf that adds a default. */
  #resolve(given: Json | undefined): JsonObject | undefined {
    let schema = given
    for (let steps = 0; steps < MAX_REFERENCES && isObject(schema); steps++) {
      const { $ref, allOf } = schema
      const next = typeof $ref === 'string' ? this.#schemas[$ref.slice($ref.lastIndexOf('/') + 1)] : undefined
      if (next) schema = next
      else if (Array.isArray(allOf) && allOf.length === 1) schema = allOf[0]
      else return schema
    }
    return undefined
  }

  #make(schema: JsonObject, whole: string | undefined): CelType | undefined {
    if (schema['x-kubernetes-int-or-string'] === true || schema['format'] === 'int-or-string') return DYN
    switch (schema['type']) {
      case 'boolean':
        return BOOL
      case 'integer':
        return INT
      case 'number':
        return DOUBLE
      case 'string':
        return TEXTS[String(schema['format'] ?? '')] ?? STRING
      case 'array': {
        const item = this.typeOf(schema['items'])
        return item && listOf(item)
      }
      case 'object':
        return this.#object(schema, whole)
      default:
        return undefined
    }
  }

  #object(schema: JsonObject, whole: string | undefined): CelType | undefined {
    const { properties, additionalProperties } = schema
    if (isObject(additionalProperties)) {
      const value = this.typeOf(additionalProperties)
      return value && mapOf(STRING, value)
    }
    const own = isObject(properties) ? properties : {}
    const isEmbedded = whole !== undefined || schema['x-kubernetes-embedded-resource'] === true
    const names = new Map<string, string>()
    for (const json of Object.keys(own)) {
      const name = escapeName(json)
      if (name !== undefined) names.set(name, json)
    }
    return {
      kind: 'object',
      name: whole ?? 'object',
      // Asked for late: kinds that hold themselves have no end.
      field: (name): ObjectField | undefined => {
        const json = names.get(name)
        const type = json === undefined ? undefined : this.typeOf(own[json])
        if (type) return { type, ...(json === undefined ? {} : { json }) }
        const common = isEmbedded && Object.hasOwn(EVERY_OBJECT, name) ? EVERY_OBJECT[name] : undefined
        return common && { type: common }
      },
    }
  }
}
