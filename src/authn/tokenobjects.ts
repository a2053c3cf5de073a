// The objects that tokens are bound to, as authenticators see them; cmd/ hands them in.
// Follows ServiceAccountTokenGetter in k8s.io/kubernetes/pkg/serviceaccount.
import type { GroupResource } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'

export interface TokenObjects {
  /** What is known now; undefined also for what was not loaded yet. */
  get(resource: GroupResource, namespace: string, name: string): KubeObject | undefined
  /** Resolves when `get` sees everything of these that was acknowledged before. */
  fresh(...resources: GroupResource[]): Promise<void>
}

export interface Reference {
  readonly resource: GroupResource
  readonly namespace: string
  readonly name: string
}

export const SERVICE_ACCOUNTS: GroupResource = { group: '', resource: 'serviceaccounts' }
export const SECRETS: GroupResource = { group: '', resource: 'secrets' }
export const PODS: GroupResource = { group: '', resource: 'pods' }
export const NODES: GroupResource = { group: '', resource: 'nodes' }

/**
 * Calls `use` with the objects behind the references, in their order. Where one is not known, the store is waited for
 * first, since a token may be younger than what a cache has seen; what is missing then is undefined.
 */
export function withObjects<T>(
  objects: TokenObjects,
  references: readonly Reference[],
  use: (found: readonly (KubeObject | undefined)[]) => T,
): T | Promise<T> {
  const find = (): (KubeObject | undefined)[] =>
    references.map(({ resource, namespace, name }) => objects.get(resource, namespace, name))
  const found = find()
  const missing = references.filter((_, i) => !found[i]).map(({ resource }) => resource)
  return missing.length === 0 ? use(found) : objects.fresh(...missing).then(() => use(find()))
}
