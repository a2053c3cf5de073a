// The schemas of all versions of a definition, each read at its first use, and its objects in each of these versions.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (schemaCoercingConverter) and
// pkg/apiserver/conversion.
import { apiVersionOf, parseGroupVersion } from '../../machinery/gvk.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { readJson } from '../../machinery/jsontext.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { plainError, StatusError } from '../../machinery/status.ts'
import { coerce } from '../../schema/custom/coerce.ts'
import { applyDefaults } from '../../schema/custom/prune.ts'
import { openedSchema, type SchemaNode, structuralOf } from '../../schema/custom/structural.ts'
import { rootType } from '../../schema/custom/types.ts'
import type { Decoded } from '../../schema/decode.ts'
import type { StructType } from '../../schema/type.ts'
import type { Definition } from './definition.ts'
import { definitionName } from './rows.ts'
import type { Converted, Converter } from './webhook.ts'

export class Schemas {
  readonly definition: Definition
  /** Present where a webhook converts; else all versions are one shape. */
  readonly converter: Converter | undefined
  readonly #byVersion = new Map<string, SchemaNode>()
  readonly #openByVersion = new Map<string, SchemaNode>()

  constructor(definition: Definition, converter: Converter | undefined) {
    this.definition = definition
    this.converter = converter
  }

  of(version: string): SchemaNode {
    let schema = this.#byVersion.get(version)
    if (!schema) {
      const props = this.definition.versions.find(({ name }) => name === version)?.schema ?? {}
      this.#byVersion.set(version, (schema = structuralOf(props)))
    }
    return schema
  }

  /** Where unknown fields are kept, or nothing is known at all, each object of it takes any field. */
  type(version: string): StructType {
    const name = definitionName(this.definition, version)
    const schema = this.definition.versions.find((one) => one.name === version)?.schema
    if (schema && !this.definition.preserveUnknownFields) return rootType(this.of(version), name)
    const node = this.#openByVersion.get(version) ?? structuralOf(openedSchema(schema ?? {}))
    this.#openByVersion.set(version, node)
    return rootType(node, name)
  }

  apiVersion(version: string): string {
    return apiVersionOf({ group: this.definition.group, version })
  }

  read(object: JsonObject, version: string, dropMalformed = false): Decoded {
    const keepUnknown = this.definition.preserveUnknownFields
    return coerce(object, this.of(version), { dropMalformed, keepUnknown })
  }

  /** Nothing is pruned: what was applied fits the schema, and what was stored is pruned. */
  readMerged(object: JsonObject, version: string): Decoded {
    return coerce(object, this.of(version), { dropMalformed: false, keepUnknown: true })
  }

  /** What was stored may be older than the schema: it is pruned, and gets its defaults, as its own version has them. */
  readStored(value: Buffer): KubeObject {
    const stored = readJson(value.toString()) as JsonObject
    const version = versionIn(stored)
    const { object } = this.read(stored, version, true)
    applyDefaults(object, this.of(version))
    object.metadata.generation ??= 1
    return object
  }

  /** Without a webhook: each version prunes by its own schema. */
  relabel(object: JsonObject, version: string): KubeObject {
    return this.read({ ...object, apiVersion: this.apiVersion(version) }, version, true).object
  }

  /** Objects of any versions in this one; those that have it already are given back. Never rejects. */
  async convertAll(objects: readonly KubeObject[], version: string): Promise<readonly Converted[]> {
    const apiVersion = this.apiVersion(version)
    const { converter } = this
    if (!converter) return objects.map((object) => this.relabel(object, version))
    const foreign = objects.filter((object) => object.apiVersion !== apiVersion)
    const unknown = foreign.find((object) => !this.#knows(versionIn(object)))
    if (unknown) return objects.map(() => invalidVersion(unknown))
    const converted = foreign.length === 0 ? [] : await converter.convert(foreign, apiVersion)
    const byObject = new Map(foreign.map((object, i) => [object, converted[i] as Converted]))
    return objects.map((object) => this.#checked(byObject.get(object) ?? object, version))
  }

  /** One object, as the version's schema has it; rejects with the StatusError of a conversion that failed. */
  inVersion(object: KubeObject, version: string): KubeObject | Promise<KubeObject> {
    if (object.apiVersion === this.apiVersion(version)) return object
    if (!this.converter) return this.relabel(object, version)
    return this.#convertOne(object, version)
  }

  async #convertOne(object: KubeObject, version: string): Promise<KubeObject> {
    const { resourceVersion, ...metadata } = object.metadata
    const [converted] = await this.convertAll([{ ...object, metadata }], version)
    if (!converted || converted instanceof StatusError) throw converted ?? plainError('nothing was converted')
    if (resourceVersion !== undefined) converted.metadata.resourceVersion = resourceVersion
    return converted
  }

  /** What a webhook has made is no better known than what clients send. */
  #checked(converted: Converted, version: string): Converted {
    if (converted instanceof StatusError) return converted
    return this.read(converted, version, true).object
  }

  #knows(version: string): boolean {
    return this.definition.versions.some(({ name }) => name === version)
  }
}

function invalidVersion({ apiVersion = '' }: KubeObject): StatusError {
  return plainError(`request to convert CR from an invalid group/version: ${apiVersion}`)
}

/** The version in an object's apiVersion; "" where there is none. */
export function versionIn(object: JsonObject): string {
  const { apiVersion } = object
  return (typeof apiVersion === 'string' && parseGroupVersion(apiVersion)?.version) || ''
}
