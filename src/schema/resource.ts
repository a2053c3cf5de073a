// What the release says of one resource: the row of api/openapi that routing, discovery, storage and tables read.

export interface Subresource {
  readonly name: string
  readonly verbs: readonly string[]
  /** The kind that requests and answers carry, which may be of another group (autoscaling/v1 Scale). */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** OpenAPI definition of that kind. */
  readonly definition: string
}

export interface Resource {
  readonly group: string
  readonly version: string
  /** Plural, lower case: "deployments". */
  readonly name: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly subresources: readonly Subresource[]
  /** OpenAPI definition: "io.k8s.api.apps.v1.Deployment". */
  readonly definition: string
  /** The version in which objects of this group and resource lie in the store; may belong to another group (events). */
  readonly storage: { readonly group: string; readonly version: string }
  /** Below "/registry", without slashes at the ends: "deployments", "services/specs", "minions". */
  readonly storagePrefix: string
  /** Of a CustomResourceDefinition: JSON alone, every key kept, no strategic merge. */
  readonly custom?: true
}
