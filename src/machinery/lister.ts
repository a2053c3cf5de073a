// How a stage that must read objects (RBAC, admission, registries that allocate) reads them: from the watch cache,
// synchronously. Handed out by the composition root only.
import type { GroupResource } from './gvk.ts'
import type { KubeObject } from './object.ts'

export interface Lister {
  /** Loads the caches of these resources; call once before the first read of each. */
  ready(...resources: GroupResource[]): Promise<void>
  /** The object as it is stored (frozen), in its storage version; undefined where it is absent. */
  get(resource: GroupResource, namespace: string, name: string): KubeObject | undefined
  /** All of one namespace, or all ("" for every namespace and for cluster-scoped resources). */
  list(resource: GroupResource, namespace: string): readonly KubeObject[]
  /** Grows with every change of any object of the resource: an index built from `list` is good while it stays. */
  version(resource: GroupResource): number
}
