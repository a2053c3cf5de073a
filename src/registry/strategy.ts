// What a resource needs beyond its schema, declared: the seam between the write loop and the kinds.
// Follows k8s.io/apiserver/pkg/registry/rest (RESTCreateStrategy, RESTUpdateStrategy, RESTDeleteStrategy).
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { StatusCause } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Resource } from '../schema/resource.ts'

/** What the operator chose (flags of the API server) that registries depend on. */
export interface RegistrySettings {
  /** --service-cluster-ip-range: one CIDR, or two of both families. */
  readonly serviceClusterIPRange: readonly string[]
  /** --service-node-port-range: first and last port. */
  readonly serviceNodePortRange: readonly [number, number]
  /** --event-ttl, in seconds. */
  readonly eventTtlSeconds: number
  /** --allow-privileged: containers may be privileged, and processes of the host. */
  readonly allowPrivileged: boolean
}

/** Values that only one object may have, claimed in the store itself: for all servers on it. */
export interface Claims {
  /** Creates the cluster-scoped object; false where there is one of its name. */
  create(object: KubeObject): Promise<boolean>
  /** Removes the cluster-scoped object of that name if it is still the one meant. */
  remove(resource: GroupResource, name: string, meant: (object: KubeObject) => boolean): Promise<void>
  /** Changes the record below "/registry/ranges/"; undefined leaves it. May call `change` several times. */
  amend(name: string, change: (record: KubeObject | undefined) => KubeObject | undefined): Promise<void>
}

export interface WriteContext {
  readonly resource: Resource
  /** "" for the object itself. */
  readonly subresource: string
  readonly user: UserInfo
  readonly namespace: string
  readonly dryRun: boolean
  readonly now: Date
  /** One of the deletes of a whole collection. */
  readonly inCollection?: boolean
  readonly lister: Lister
  /** Absent: upstream's defaults, see allocators.ts. */
  readonly settings?: RegistrySettings
  /** Absent: nobody else writes to the store. */
  readonly claims?: Claims
  /** Adds a Warning header to the answer. */
  warn(message: string): void
}

/** metav1.DeleteOptions, as far as registries care. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | bigint
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly propagationPolicy?: string
  readonly orphanDependents?: boolean
  readonly dryRun?: readonly string[]
}

/**
 * `remove`: take the object out. `mark`: write `object`, and with `then: 'remove'` take it out right after.
 * `pending`: leave it as it is; it is being deleted already.
 */
export type DeletePlan =
  | { readonly step: 'remove' }
  | { readonly step: 'mark'; readonly object: KubeObject; readonly then: 'remove' | 'keep' }
  | { readonly step: 'pending' }

export interface DeleteDecision {
  /** Delete later: seconds until then, written as deletionGracePeriodSeconds. undefined: at once. */
  readonly gracePeriodSeconds: number | bigint | undefined
}

/**
 * Each function may change `object` (a fresh copy) but never `old` (frozen). Validation returns causes and
 * throws nothing; preparation may throw a StatusError (an allocator that is full). Everything absent is the
 * generic behaviour that the schema and the resource's row give: see generic.ts.
 */
export interface Strategy {
  prepareForCreate?(object: KubeObject, context: WriteContext): void
  prepareForUpdate?(object: KubeObject, old: KubeObject, context: WriteContext): void
  validateCreate?(object: KubeObject, context: WriteContext): StatusCause[]
  validateUpdate?(object: KubeObject, old: KubeObject, context: WriteContext): StatusCause[]
  /** Validation may take long (src/schema/turns.ts): other requests have turns in between. */
  readonly takesTurns?: boolean
  /** What the client is warned of when its write is good; `old` is absent for a new object. */
  warnings?(object: KubeObject, old: KubeObject | undefined): Iterable<string>
  /** The same of a write to the status. */
  statusWarnings?(object: KubeObject): Iterable<string>
  /** Faults in metadata.name of this kind, as messages; default: DNS-1123 subdomain. */
  validateName?(name: string, prefix: boolean, object: KubeObject): string[]
  /** Rules of the kind that come before those of its metadata. */
  validateFirst?(object: KubeObject, context: WriteContext): StatusCause[]
  /** PUT of a name that is not there creates it. */
  readonly allowCreateOnUpdate?: boolean
  /** PUT without a resourceVersion overwrites. Default true. */
  readonly allowUnconditionalUpdate?: boolean
  /** The spec's changes count in metadata.generation. */
  readonly hasGeneration?: boolean
  /** What counts as a change for the generation. Default: `spec` differs. */
  changesGeneration?(object: KubeObject, old: KubeObject, context: WriteContext): boolean
  /** The status of a new object, as a fresh value; what the client sent is dropped. Absent: no status at all. */
  initialStatus?(): JsonObject
  /**
   * Which metadata rules the kind's own update validation repeats after the common ones (each fault is then
   * listed again), and in which order the kind's own stand among them: `first`, its `validateFirst`, `rules`, those of a new
   * object put to the changed one (left out where `validateUpdate` has them), and `changes`, its `validateUpdate`
   * (else the last).
   * Default: `update`.
   */
  readonly metadataOnUpdate?: readonly ('create' | 'update' | 'first' | 'rules' | 'changes')[]
  /** The kind's own rules say nothing of metadata: only what holds for every kind is checked, after them. */
  readonly plainMetadata?: boolean
  /** A create takes the status that the client sends. */
  readonly takesStatus?: boolean
  /** The kind's metadata rules leave out the stricter check of finalizer names. */
  readonly anyFinalizer?: boolean
  /** Fields (JSON paths without the dot in front: "status", "metadata.labels") that a write to this subresource ("" the object) never changes. */
  readonly resetFields?: Readonly<Record<string, readonly string[]>>
  /** A delete that runs in another way than deletion.ts says; undefined: it does not. */
  planDelete?(stored: KubeObject, options: DeleteOptions, context: WriteContext): DeletePlan | undefined
  /** Something besides finalizers still holds an object that is being deleted. */
  keepsAfterFinalizers?(object: KubeObject): boolean
  /** A delete answers with the object that was deleted, not with a Status. */
  readonly returnsDeleted?: boolean
  /** Called on delete without finalizers to keep: decides about grace. Default: at once. */
  graceful?(object: KubeObject, gracePeriodSeconds: number | bigint | undefined): DeleteDecision
  /** Propagation when the caller says nothing. Default background; `Unsupported`: never any finalizer for it. */
  readonly defaultPropagation?: 'Background' | 'Orphan' | 'Unsupported'
  /** What a delete that says nothing of propagation is warned of. */
  readonly deletionWarning?: string
  /**
   * Right before the object is stored: claims what no other object may have. False: somebody was faster; `abandon`
   * is called, and the write starts again.
   */
  claim?(object: KubeObject, context: WriteContext): Promise<boolean>
  /** After the object was stored: give back what only the old state held. */
  afterStore?(object: KubeObject, old: KubeObject | undefined, context: WriteContext): Promise<void>
  /** After the object left the store: give back what it held. */
  afterDelete?(object: KubeObject, context: WriteContext): Promise<void>
  /** A prepared object was not written (a later stage refused, the swap lost, dry run): give back what it took. */
  abandon?(object: KubeObject, context: WriteContext): Promise<void>
  /** Brings in what the rules need and few servers ever do: awaited before a write. */
  load?(): Promise<void>
  /** What preparation and validation look up: `lister.ready` is awaited for these before a write. */
  readonly reads?: readonly GroupResource[]
  /** Seconds after which stored objects expire (Events). */
  ttlSeconds?(object: KubeObject, settings?: RegistrySettings): number | undefined
}
