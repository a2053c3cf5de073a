// A built-in kind as the facts of the release have it.
// Follows k8s.io/kubernetes/pkg/registry: what its REST storages are given.
import { apiVersionOf, type GroupVersionKind } from '../machinery/gvk.ts'
import type { Json } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { StoredReader } from '../machinery/storedreader.ts'
import { defaultsFor } from '../registry/defaults.ts'
import type { Kind } from '../registry/kind.ts'
import { strategyFor } from '../registry/strategies.ts'
import type { Strategy } from '../registry/strategy.ts'
import { convert } from '../schema/convert.ts'
import { type Decoded, decoderFor } from '../schema/decode.ts'
import type { NumberTokens } from '../schema/json/json.ts'
import type { Resource } from '../schema/resource.ts'
import { type SelectableFields, selectableFields } from '../schema/selectable.ts'
import { storedJson } from '../schema/stringify.ts'
import type { StructType } from '../schema/type.ts'
import { typeForKind, typeOf } from '../schema/types.ts'
import type { Versions } from '../schema/versions.ts'
import { foreignReader } from './foreign.ts'
import { KindVersions } from './versions.ts'

export class BuiltinKind implements Kind {
  readonly type: StructType
  readonly #storageType: StructType
  readonly strategy: Strategy
  readonly selectable: SelectableFields
  readonly versions: Versions
  readonly reader: StoredReader
  readonly #gvk: GroupVersionKind
  readonly #storageGvk: GroupVersionKind
  readonly #sameVersion: boolean
  readonly #defaults: ((object: KubeObject) => void) | undefined
  #decoder: ReturnType<typeof decoderFor> | undefined

  constructor(resource: Resource) {
    const { group, version, kind } = resource
    this.#gvk = { group, version, kind }
    this.#storageGvk = { ...resource.storage, kind }
    this.#sameVersion = apiVersionOf(this.#storageGvk) === apiVersionOf(this.#gvk)
    this.type = requireType(typeOf(resource.definition), resource.definition)
    this.#storageType = this.#sameVersion
      ? this.type
      : requireType(typeForKind(this.#storageGvk), resource.name)
    this.versions = new KindVersions(this.#gvk, this.type)
    this.strategy = strategyFor(resource)
    this.selectable = selectableFields(group, resource.name, version)
    this.#defaults = defaultsFor(this.#gvk)
    this.reader = { transcode: foreignReader(this.#storageGvk, this.#storageType) }
  }

  decode(input: Json, tokens?: () => NumberTokens): Decoded {
    const decoded = this.decodeOnly(input, tokens)
    this.#defaults?.(decoded.object)
    return decoded
  }

  decodeOnly(input: Json, tokens?: () => NumberTokens): Decoded {
    this.#decoder ??= decoderFor(this.type)
    return this.#decoder(input, tokens)
  }

  toStorage(object: KubeObject): KubeObject {
    return this.#sameVersion ? object : convert(object, this.#gvk, this.#storageGvk)
  }

  toServed(object: KubeObject): KubeObject {
    return this.#sameVersion ? object : convert(object, this.#storageGvk, this.#gvk)
  }

  storedJson(object: KubeObject): Buffer {
    return storedJson(object, this.#storageType)
  }

  servedJson(object: KubeObject): Buffer {
    return storedJson(object, this.type)
  }
}

function requireType(type: StructType | undefined, name: string): StructType {
  if (!type) throw new Error(`the facts have no type for ${name}`)
  return type
}
