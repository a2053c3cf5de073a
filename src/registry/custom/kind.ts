// A version of a custom kind as the handlers use it, made of its definition at the first request for it.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
import { isObject, type Json } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { badRequest } from '../../machinery/status.ts'
import type { StoredReader } from '../../machinery/storedreader.ts'
import { customJson } from '../../schema/custom/json.ts'
import { parseJsonPath } from '../../schema/custom/jsonpath.ts'
import { applyDefaults } from '../../schema/custom/prune.ts'
import type { Decoded } from '../../schema/decode.ts'
import type { SelectableFields } from '../../schema/selectable.ts'
import type { StructType } from '../../schema/type.ts'
import type { Versions } from '../../schema/versions.ts'
import type { Kind, StoredForm } from '../kind.ts'
import { customTable } from './columns.ts'
import type { Definition, Version } from './definition.ts'
import { plainPath, scaleProjection } from './scale.ts'
import { hasRules } from './rulesin.ts'
import { deprecationOf } from './rows.ts'
import type { Schemas } from './schemas.ts'
import { storedForm, storedReader } from './stored.ts'
import { customStrategy } from './strategy.ts'
import { customVersions } from './versions.ts'

/** Makes the kind that a definition gives to one of its versions; `schemas` are those of all its kinds. */
export function customKind(schemas: Schemas, version: Version): Kind {
  return new CustomKind(schemas, version)
}

class CustomKind implements Kind {
  readonly strategy
  readonly selectable: SelectableFields
  readonly versions: Versions
  readonly custom
  readonly cacheVersion: string
  readonly reader: StoredReader
  readonly stored?: StoredForm
  readonly #schemas: Schemas
  readonly #version: string

  constructor(schemas: Schemas, version: Version) {
    const { definition } = schemas
    this.#schemas = schemas
    this.#version = version.name
    this.cacheVersion = version.name
    const { terminating } = definition
    this.strategy = customStrategy({
      version,
      schema: schemas.of(version.name),
      terminating,
      loadRules: hasRules(schemas.of(version.name)),
    })
    this.selectable = selectableOf(definition, version)
    this.versions = customVersions(schemas)
    this.custom = {
      inVersion: (object: KubeObject) => schemas.inVersion(object, version.name),
      table: customTable(version.columns),
      replicasPath: version.scale ? plainPath(version.scale.specReplicasPath) : '',
      scale: version.scale && scaleProjection(version.scale),
      warning: deprecationOf(definition, version),
    }
    this.reader = storedReader(schemas, version.name)
    if (version.name !== definition.storageVersion) this.stored = storedForm(schemas, version.name)
  }

  get type(): StructType {
    return this.#schemas.type(this.#version)
  }

  decode(input: Json): Decoded {
    const decoded = this.decodeOnly(input)
    applyDefaults(decoded.object, this.#schemas.of(this.#version))
    return decoded
  }

  decodeOnly(input: Json): Decoded {
    return this.#schemas.read(isObject(input) ? input : {}, this.#version)
  }

  decodeMerged(input: Json): Decoded {
    const decoded = this.#schemas.readMerged(isObject(input) ? input : {}, this.#version)
    applyDefaults(decoded.object, this.#schemas.of(this.#version))
    return decoded
  }

  /** Each version has a cache of its own. */
  toStorage(object: KubeObject): KubeObject {
    return object
  }

  toServed(object: KubeObject): KubeObject {
    return object
  }

  storedJson(object: KubeObject): Buffer {
    return customJson(object)
  }

  servedJson(object: KubeObject): Buffer {
    return customJson(object)
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
