// What a resource needs beyond its schema, declared: the seam between the write loop and the kinds.
// Follows k8s.io/apiserver/pkg/registry/rest (RESTCreateStrategy, RESTUpdateStrategy, RESTDeleteStrategy).
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { StatusCause } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Resource } from '../schema/resource.ts'

export interface WriteContext {
  readonly resource: Resource
  /** "" for the object itself. */
  readonly subresource: string
  readonly user: UserInfo
  readonly namespace: string
  readonly dryRun: boolean
  readonly now: Date
  readonly lister: Lister
  /** Adds a Warning header to the answer. */
  warn(message: string): void
}

export interface DeleteDecision {
  /** Delete later: seconds until then, written as deletionGracePeriodSeconds. undefined: at once. */
  readonly gracePeriodSeconds: number | undefined
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
  /** Faults in metadata.name of this kind, as messages; default: DNS-1123 subdomain. */
  validateName?(name: string, prefix: boolean): string[]
  /** PUT of a name that is not there creates it. */
  readonly allowCreateOnUpdate?: boolean
  /** PUT without a resourceVersion overwrites. Default true. */
  readonly allowUnconditionalUpdate?: boolean
  /** The spec's changes count in metadata.generation. */
  readonly hasGeneration?: boolean
  /** Fields (JSON paths without the dot in front: "status", "metadata.labels") that a write to this subresource ("" the object) never changes. */
  readonly resetFields?: Readonly<Record<string, readonly string[]>>
  /** Called on delete without finalizers to keep: decides about grace. Default: at once. */
  graceful?(object: KubeObject, gracePeriodSeconds: number | undefined): DeleteDecision
  /** Propagation when the caller says nothing. Default background. */
  readonly defaultPropagation?: 'Background' | 'Orphan'
  /** After the object left the store: give back what it held. */
  afterDelete?(object: KubeObject, context: WriteContext): void
  /** Seconds after which stored objects expire (Events). */
  ttlSeconds?(object: KubeObject): number | undefined
}
