// Everything that the verbs need to know of one served resource, put together at its first request.
// Follows k8s.io/apiserver/pkg/endpoints/handlers (RequestScope).
import type { AdmissionAttributes } from '../admission/plugin.ts'
import { apiVersionOf, type GroupResource, type GroupVersionKind } from '../machinery/gvk.ts'
import type { Json } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Kind } from '../registry/kind.ts'
import type { Claims, RegistrySettings, Strategy } from '../registry/strategy.ts'
import type { Decoded } from '../schema/decode.ts'
import type { NumberTokens } from '../schema/json/json.ts'
import type { Resource } from '../schema/resource.ts'
import type { SelectableFields } from '../schema/selectable.ts'
import type { Describe } from '../schema/table/descriptions.ts'
import type { StructType } from '../schema/type.ts'
import type { Versions } from '../schema/versions.ts'
import type { Caches } from '../storage/cache/caches.ts'
import type { WatchCache } from '../storage/cache/watchcache.ts'
import { BuiltinKind } from './builtinkind.ts'
import type { ApiRequest } from './request.ts'

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
  /**
   * Told of each write and of its request's verb, after mutating admission and before it is prepared: throws where the
   * user may not grant what it grants.
   */
  authorizeWrite?(write: WriteToAuthorize, verb: string): undefined | Promise<void>
  /** Told of a PUT or PATCH that is about to create: throws where the user may not. */
  authorizeCreate?(request: ApiRequest): void | Promise<void>
  /** The kind of a resource that a definition made; undefined for built-in ones. */
  customKind?(resource: Resource): Kind | undefined
  /** Now, for time stamps; replaced in tests. */
  now(): Date
}

/** The kind that a body must be of, and how to read it. */
export interface Expected extends GroupVersionKind {
  /** Versions of the same kind that are read as this one. */
  readonly alsoAccepts?: readonly string[]
  /** A custom kind: no protobuf, and refusals are worded as of objects without a type of their own. */
  readonly custom?: true
  /** The only kind of its scheme, upstream: the scale of a custom kind. */
  readonly alone?: true
  /** `tokens` as for decoderFor. */
  decode(input: Json, tokens?: () => NumberTokens): Decoded
}

export class Scope {
  readonly resource: Resource
  readonly environment: Environment
  /** What the objects are made of; the fields below are shown from it. */
  readonly kind: Kind
  readonly gvk: GroupVersionKind
  readonly storageGvk: GroupVersionKind
  readonly groupResource: GroupResource
  readonly apiVersion: string
  /** In the version that is served here. */
  readonly type: StructType
  readonly strategy: Strategy
  readonly cache: WatchCache
  readonly selectable: SelectableFields
  /** The cache has the objects as they are served here. */
  readonly sameVersion: boolean
  /** What bodies of create and update must hold. */
  readonly expected: Expected
  /** The kind in other versions, for who owns which field there. */
  readonly versions: Versions

  constructor(resource: Resource, environment: Environment) {
    this.resource = resource
    this.environment = environment
    const kind: Kind = environment.customKind?.(resource) ?? new BuiltinKind(resource)
    this.kind = kind
    this.gvk = { group: resource.group, version: resource.version, kind: resource.kind }
    this.storageGvk = { ...resource.storage, kind: resource.kind }
    this.groupResource = { group: resource.group, resource: resource.name }
    this.apiVersion = apiVersionOf(this.gvk)
    this.type = kind.type
    this.sameVersion = kind.cacheVersion !== undefined || apiVersionOf(this.storageGvk) === this.apiVersion
    this.expected = {
      ...this.gvk,
      decode: (input, tokens) => kind.decode(input, tokens),
      ...(resource.custom && { custom: true }),
    }
    this.versions = kind.versions
    this.strategy = kind.strategy
    this.selectable = kind.selectable
    this.cache = environment.caches.open({
      prefix: `/registry/${resource.storagePrefix}/`,
      namespaced: resource.namespaced,
      ...kind.reader,
      ...(kind.cacheVersion !== undefined && { version: kind.cacheVersion }),
    })
  }

  /** Reads a body's JSON as an object of the served version, with defaults. */
  decode(input: Json): Decoded {
    return this.kind.decode(input)
  }

  /** The same without defaults. */
  decodeOnly(input: Json): Decoded {
    return this.kind.decodeOnly(input)
  }

  /** From the served version to that of the cache; a fresh object, or the same where both are one. */
  toStorage(object: KubeObject): KubeObject {
    return this.kind.toStorage(object)
  }

  /** From the version of the cache to the served one; never changes `object`. */
  toServed(object: KubeObject): KubeObject {
    return this.kind.toServed(object)
  }

  /** Bytes of an object in the version of the cache: those for the store, unless `kind.stored` makes others of it. */
  storedJson(object: KubeObject): Buffer {
    return this.kind.storedJson(object)
  }
}

/** The scopes of a server, each made at its first use. */
export class Scopes {
  readonly environment: Environment
  /** Rows of definitions that changed are dropped with their scopes. */
  readonly #byResource = new WeakMap<Resource, Scope>()

  constructor(environment: Environment) {
    this.environment = environment
  }

  of(resource: Resource): Scope {
    let scope = this.#byResource.get(resource)
    if (!scope) this.#byResource.set(resource, (scope = new Scope(resource, this.environment)))
    return scope
  }
}
