// A version of a custom kind as the handlers use it, made of its definition at the first request for it.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
import { apiVersionOf, parseGroupVersion } from '../../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { badRequest } from '../../machinery/status.ts'
import { coerce } from '../../schema/custom/coerce.ts'
import { customJson } from '../../schema/custom/json.ts'
import { parseJsonPath } from '../../schema/custom/jsonpath.ts'
import { applyDefaults } from '../../schema/custom/prune.ts'
import { type SchemaNode, structuralOf } from '../../schema/custom/structural.ts'
import { rootType } from '../../schema/custom/types.ts'
import type { Decoded } from '../../schema/decode.ts'
import type { SelectableFields } from '../../schema/selectable.ts'
import type { StructType } from '../../schema/type.ts'
import type { InVersion, Versions } from '../../schema/versions.ts'
import type { Kind } from '../kind.ts'
import { customTable } from './columns.ts'
import type { Definition, Version } from './definition.ts'
import { plainPath, scaleProjection } from './scale.ts'
import { hasRules } from './rulesin.ts'
import { customStrategy } from './strategy.ts'
import { definitionName, deprecationOf } from './rows.ts'

/** The schemas of all versions of a definition, each read at its first use. */
class Schemas {
  readonly definition: Definition
  readonly #byVersion = new Map<string, SchemaNode>()

  constructor(definition: Definition) {
    this.definition = definition
  }

  of(version: string): SchemaNode {
    let schema = this.#byVersion.get(version)
    if (!schema) {
      const props = this.definition.versions.find(({ name }) => name === version)?.schema ?? {}
      this.#byVersion.set(version, (schema = structuralOf(props)))
    }
    return schema
  }

  type(version: string): StructType {
    return rootType(this.of(version), definitionName(this.definition, version))
  }

  read(object: JsonObject, version: string, dropMalformed = false): Decoded {
    const keepUnknown = this.definition.preserveUnknownFields
    return coerce(object, this.of(version), { dropMalformed, keepUnknown })
  }

  /** As another version shows it: without conversion all versions are one shape, and each prunes by its own schema. */
  convert(object: JsonObject, version: string): KubeObject {
    const apiVersion = apiVersionOf({ group: this.definition.group, version })
    return this.read({ ...object, apiVersion }, version).object
  }
}

const schemasOf = new WeakMap<Definition, Schemas>()

/** Makes the kind that a definition gives to one of its versions. */
export function customKind(definition: Definition, version: Version): Kind {
  let schemas = schemasOf.get(definition)
  if (!schemas) schemasOf.set(definition, (schemas = new Schemas(definition)))
  return new CustomKind(schemas, version)
}

class CustomKind implements Kind {
  readonly strategy
  readonly selectable: SelectableFields
  readonly versions: Versions
  readonly custom
  readonly #schemas: Schemas
  readonly #version: string
  readonly #storage: string
  readonly #head: Buffer

  constructor(schemas: Schemas, version: Version) {
    const { definition } = schemas
    this.#schemas = schemas
    this.#version = version.name
    this.#storage = definition.storageVersion
    const { terminating } = definition
    this.strategy = customStrategy({
      version,
      schema: schemas.of(version.name),
      terminating,
      loadRules: hasRules(schemas.of(version.name)),
    })
    this.selectable = selectableOf(definition, version)
    this.versions = versionsOf(schemas)
    this.custom = {
      table: customTable(version.columns),
      replicasPath: version.scale ? plainPath(version.scale.specReplicasPath) : '',
      scale: version.scale && scaleProjection(version.scale),
      warning: deprecationOf(definition, version),
    }
    const apiVersion = apiVersionOf({ group: definition.group, version: definition.storageVersion })
    this.#head = Buffer.from(
      `{"kind":${JSON.stringify(definition.accepted.kind)},"apiVersion":${JSON.stringify(apiVersion)},`,
    )
  }

  get type(): StructType {
    return this.#schemas.type(this.#version)
  }

  get storageType(): StructType {
    return this.#schemas.type(this.#storage)
  }

  decode(input: Json): Decoded {
    const decoded = this.decodeOnly(input)
    applyDefaults(decoded.object, this.#schemas.of(this.#version))
    return decoded
  }

  decodeOnly(input: Json): Decoded {
    return this.#schemas.read(isObject(input) ? input : {}, this.#version)
  }

  toStorage(object: KubeObject): KubeObject {
    return this.#version === this.#storage ? object : this.#schemas.convert(object, this.#storage)
  }

  toServed(object: KubeObject): KubeObject {
    return this.#version === this.#storage ? object : this.#schemas.convert(object, this.#version)
  }

  storedJson(object: KubeObject): Buffer {
    return customJson(object)
  }

  servedJson(object: KubeObject): Buffer {
    return customJson(object)
  }

  /** What is stored may be older than the schema: it is pruned, and gets its defaults, when it is read. */
  readStored(value: Buffer): Buffer {
    const stored = JSON.parse(value.toString()) as JsonObject
    const { object } = this.#schemas.read(stored, versionIn(stored), true)
    const current =
      versionIn(stored) === this.#storage ? object : this.#schemas.convert(object, this.#storage)
    applyDefaults(current, this.#schemas.of(this.#storage))
    current.metadata.generation ??= 1
    const read = customJson(current)
    return read.equals(value) && this.#isOurs(value) ? value : read
  }

  #isOurs(value: Buffer): boolean {
    return this.#head.equals(value.subarray(0, this.#head.length))
  }
}

function versionIn(object: JsonObject): string {
  const { apiVersion } = object
  return (typeof apiVersion === 'string' && parseGroupVersion(apiVersion)?.version) || ''
}

function versionsOf(schemas: Schemas): Versions {
  const { group, versions } = schemas.definition
  const find = (apiVersion: string): string | undefined =>
    versions.find(({ name, served }) => served && apiVersionOf({ group, version: name }) === apiVersion)?.name
  return {
    serves: (apiVersion) => find(apiVersion) !== undefined,
    convert(from, object, to): InVersion | undefined {
      const version = find(to)
      if (version === undefined) return undefined
      if (from === to) return { object, type: schemas.type(version) }
      return { object: schemas.convert(object, version), type: schemas.type(version) }
    },
  }
}

const NAME = 'metadata.name'
const NAMESPACE = 'metadata.namespace'

function selectableOf({ namespaced }: Definition, { selectableFields }: Version): SelectableFields {
  const paths = selectableFields.map((path) => ({
    name: path.replace(/^\./, ''),
    find: parseJsonPath(path),
  }))
  const supported = [NAME, ...(namespaced ? [NAMESPACE] : []), ...paths.map(({ name }) => name)]
  const unsupportedError = (label: string): string => `field label not supported: ${label}`
  return {
    supported,
    unsupportedError,
    convert(label) {
      if (!supported.includes(label) && label !== NAMESPACE) throw badRequest(unsupportedError(label))
      return label
    },
    read(object) {
      const { name = '', namespace = '' } = object.metadata
      const fields: Record<string, string> = { [NAME]: name, [NAMESPACE]: namespace }
      for (const { name: field, find } of paths) {
        const [value] = find?.(object) ?? []
        fields[field] = value === undefined || value === null ? '' : String(value)
      }
      return fields
    },
  }
}
