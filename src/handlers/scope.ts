// Everything that the verbs need to know of one served resource, put together at its first request.
// Follows k8s.io/apiserver/pkg/endpoints/handlers (RequestScope).
import type { AdmissionAttributes } from '../admission/plugin.ts'
import { apiVersionOf, type GroupResource, type GroupVersionKind } from '../machinery/gvk.ts'
import type { Json } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { UserInfo } from '../machinery/user.ts'
import { defaultsFor } from '../registry/defaults.ts'
import { strategyFor } from '../registry/strategies.ts'
import type { Claims, RegistrySettings, Strategy } from '../registry/strategy.ts'
import { convert } from '../schema/convert.ts'
import { type Decoded, decoderFor } from '../schema/decode.ts'
import type { Resource } from '../schema/resource.ts'
import { type SelectableFields, selectableFields } from '../schema/selectable.ts'
import type { Describe } from '../schema/table/descriptions.ts'
import type { StructType } from '../schema/type.ts'
import { typeForKind, typeOf } from '../schema/types.ts'
import type { Versions } from '../schema/versions.ts'
import type { Caches } from '../storage/cache/caches.ts'
import type { WatchCache } from '../storage/cache/watchcache.ts'
import { foreignReader } from './foreign.ts'
import type { ApiRequest } from './request.ts'
import { KindVersions } from './versions.ts'

/** The admission chain as the write loop calls it. */
export interface Admission {
  admit(attributes: AdmissionAttributes): void | Promise<void>
  validate(attributes: AdmissionAttributes): void | Promise<void>
}

export interface WriteToAuthorize {
  readonly resource: Resource
  readonly subresource: string
  readonly user: UserInfo
  readonly namespace: string
  /** Of the request's path: "" where a POST creates. */
  readonly name: string
  readonly object: KubeObject
  readonly old: KubeObject | undefined
}

/** What all scopes of one server share; handed in by the composition root. */
export interface Environment {
  readonly caches: Caches
  readonly lister: Lister
  readonly admission: Admission
  /** What the registries are told of the server's flags. */
  readonly settings?: RegistrySettings
  /** Where registries claim what no two objects may have. */
  readonly claims?: Claims
  /** The prose of fields, for the columns of tables. */
  readonly describe?: Describe
  /** Told of each write after mutating admission, before it is prepared: throws where the user may not grant what it grants. */
  authorizeWrite?(write: WriteToAuthorize): void | Promise<void>
  /** Told of a PUT or PATCH that is about to create: throws where the user may not. */
  authorizeCreate?(request: ApiRequest): void | Promise<void>
  /** Now, for time stamps; replaced in tests. */
  now(): Date
}

/** The kind that a body must be of, and how to read it. */
export interface Expected extends GroupVersionKind {
  /** Versions of the same kind that are read as this one. */
  readonly alsoAccepts?: readonly string[]
  decode(input: Json): Decoded
}

export class Scope {
  readonly resource: Resource
  readonly environment: Environment
  readonly gvk: GroupVersionKind
  readonly storageGvk: GroupVersionKind
  readonly groupResource: GroupResource
  readonly apiVersion: string
  /** In the version that is served here. */
  readonly type: StructType
  /** In the version that lies in the store. */
  readonly storageType: StructType
  readonly strategy: Strategy
  readonly cache: WatchCache
  readonly selectable: SelectableFields
  readonly sameVersion: boolean
  /** What bodies of create and update must hold. */
  readonly expected: Expected
  /** The kind in other versions, for who owns which field there. */
  readonly versions: Versions
  #decoder: ((input: Json) => Decoded) | undefined
  readonly #defaults: ((object: KubeObject) => void) | undefined

  constructor(resource: Resource, environment: Environment) {
    this.resource = resource
    this.environment = environment
    this.gvk = { group: resource.group, version: resource.version, kind: resource.kind }
    this.storageGvk = { ...resource.storage, kind: resource.kind }
    this.groupResource = { group: resource.group, resource: resource.name }
    this.apiVersion = apiVersionOf(this.gvk)
    this.type = requireType(typeOf(resource.definition), resource.definition)
    this.sameVersion = apiVersionOf(this.storageGvk) === this.apiVersion
    this.storageType = this.sameVersion ? this.type : requireType(typeForKind(this.storageGvk), resource.name)
    this.expected = { ...this.gvk, decode: (input) => this.decode(input) }
    this.versions = new KindVersions(this.gvk, this.type)
    this.strategy = strategyFor(resource)
    this.selectable = selectableFields(resource.group, resource.name, resource.version)
    this.#defaults = defaultsFor(this.gvk)
    this.cache = environment.caches.open({
      prefix: `/registry/${resource.storagePrefix}/`,
      namespaced: resource.namespaced,
      transcode: foreignReader(this.storageGvk, this.storageType),
    })
  }

  /** Reads a body's JSON as an object of the served version, with defaults. */
  decode(input: Json): Decoded {
    const decoded = this.decodeOnly(input)
    this.#defaults?.(decoded.object)
    return decoded
  }

  /** The same without defaults. */
  decodeOnly(input: Json): Decoded {
    this.#decoder ??= decoderFor(this.type)
    return this.#decoder(input)
  }

  /** From the served to the stored version; a fresh object, or the same where both are one. */
  toStorage(object: KubeObject): KubeObject {
    return this.sameVersion ? object : convert(object, this.gvk, this.storageGvk)
  }

  /** From the stored to the served version; never changes `object`. */
  toServed(object: KubeObject): KubeObject {
    return this.sameVersion ? object : convert(object, this.storageGvk, this.gvk)
  }
}

function requireType(type: StructType | undefined, name: string): StructType {
  if (!type) throw new Error(`the facts have no type for ${name}`)
  return type
}

/** The scopes of a server, each made at its first use. */
export class Scopes {
  readonly environment: Environment
  readonly #byResource = new Map<Resource, Scope>()

  constructor(environment: Environment) {
    this.environment = environment
  }

  of(resource: Resource): Scope {
    let scope = this.#byResource.get(resource)
    if (!scope) this.#byResource.set(resource, (scope = new Scope(resource, this.environment)))
    return scope
  }
}
