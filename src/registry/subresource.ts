// What a subresource is to the handlers: a projection of its parent, an action on it, or a connection through it.
// The interface alone; subresources.ts says which resource has which.
// Follows k8s.io/apiserver/pkg/registry/rest (Getter, Updater, NamedCreater, Connecter).
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { DeleteOptions, WriteContext } from './strategy.ts'

/**
 * Another kind that shows part of the parent: Scale. Writes go through the write loop of the parent, whose strategy
 * sees `context.subresource`.
 */
export interface Projection {
  readonly mode: 'projection'
  /** The part as an object of the subresource's kind. */
  get(parent: KubeObject): KubeObject
  /** The parent (frozen) as `part` wants it: a new object. Throws invalid for a part that cannot be. */
  update(parent: KubeObject, part: KubeObject): KubeObject
}

/** The whole parent under another path: status, finalize, approval, resize. The strategy knows what counts. */
export interface Whole {
  readonly mode: 'whole'
}

/** Writes that an action asks for, in this order. Each is a compare-and-swap; when one loses, the action is planned anew. */
export interface PlannedWrite {
  readonly resource: GroupResource
  readonly old: KubeObject
  /** Stored as it is: no strategy runs on it. */
  readonly object: KubeObject
}

export interface ActionPlan {
  /** The body of the answer, 201. */
  readonly result: JsonObject
  readonly writes: readonly PlannedWrite[]
  /** The parent is deleted after the writes, with these options. */
  readonly remove?: DeleteOptions
  /** What a swap that is lost for good, or a failed precondition of `remove`, answers; absent: the usual conflict. */
  readonly onConflict?: Error
}

/** Who gives out the tokens of service accounts, and how the operator bounds them. */
export interface TokenIssuer {
  /** An object that a token is to be bound to, as the store has it. */
  find(resource: GroupResource, namespace: string, name: string): Promise<KubeObject | undefined>
  /** Signs the claims, the issuer added. */
  sign(claims: JsonObject): Promise<string>
  /** --api-audiences. */
  readonly audiences: readonly string[]
  /** --service-account-max-token-expiration, in seconds. */
  readonly maxExpirationSeconds: number | undefined
  /** --service-account-extend-token-expiration. */
  readonly extendExpiration: boolean
}

export interface ActionContext extends WriteContext {
  readonly tokenIssuer: TokenIssuer
  /** Adds to what the audit log says of the request. */
  annotate(key: string, value: string): void
}

/** A POST that does something to the parent. It may throw a StatusError. */
export interface Action {
  readonly mode: 'action'
  /** What the plan looks up: `lister.ready` is awaited for these first. */
  readonly reads?: readonly GroupResource[]
  /** Other versions of the body's kind that are read as the present one: "policy/v1beta1". */
  readonly alsoAccepts?: readonly string[]
  /** Fills in what the body left out, where it is itself the answer. */
  complete?(body: KubeObject): void
  /** Refuses the body before the parent is looked for: these faults come before a 404. */
  check?(name: string, body: KubeObject): void
  plan(parent: KubeObject, body: KubeObject, context: ActionContext): ActionPlan | Promise<ActionPlan>
}

/** Where a connection leads. `empty`: to nowhere yet, the answer is 204. */
export type Destination =
  | { readonly to: 'empty' }
  /** The kubelet of a node, with the path that it serves; or whoever listens on the port that is named. */
  | { readonly to: 'node'; readonly node: KubeObject; readonly path: string; readonly port?: string }
  /** An address of the cluster's network. */
  | { readonly to: 'address'; readonly scheme: string; readonly host: string; readonly port: string }

export interface ConnectRequest {
  /** As it stands in the URL; for proxies with scheme and port around it. */
  readonly name: string
  readonly namespace: string
  readonly query: URLSearchParams
}

export type ConnectContext = Pick<WriteContext, 'lister'>

/** A request that is passed on to a node or an address. `connect` throws a StatusError where there is none. */
export interface Connection {
  readonly mode: 'connection'
  readonly reads: readonly GroupResource[]
  connect(request: ConnectRequest, context: ConnectContext): Destination
}

export type SubresourceHandler = Projection | Whole | Action | Connection
