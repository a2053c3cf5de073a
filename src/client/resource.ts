// Which collection a client talks to, and the shape of what is in it.
// Follows k8s.io/client-go/rest (paths) and k8s.io/apimachinery/pkg/apis/meta/v1.
import { apiVersionOf } from '../machinery/gvk.ts'
import type { ListMeta, ObjectMeta } from './kinds/meta.v1.gen.ts'

/** What every object has. The built-in kinds' types are in kinds/. */
export type ApiObject = {
  apiVersion?: string | undefined
  kind?: string | undefined
  metadata: ObjectMeta
}

export interface ObjectList<T> {
  readonly metadata: ListMeta
  readonly items: readonly T[]
}

/** A resource of one version, whose objects are of type T. */
export interface Resource<T extends ApiObject = ApiObject> {
  readonly group: string
  readonly version: string
  /** Plural, as in paths. */
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  /** Never set: it ties the resource to its objects' type. */
  readonly objects?: T
}

/** "apps/v1", as objects of this resource carry it. */
export const apiVersionOfResource = (resource: Resource): string => apiVersionOf(resource)

/** "/apis/apps/v1/namespaces/default/deployments/web/scale"; without a namespace: those of all. */
export function pathOf(resource: Resource, namespace = '', ...more: readonly string[]): string {
  const root =
    resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const place = resource.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const rest = more.map((part) => `/${encodeURIComponent(part)}`).join('')
  return `${root}${place}/${resource.resource}${rest}`
}

/** "namespace/name", or the name alone of what is in no namespace: how queues and stores name an object. */
export const keyOf = ({ metadata }: ApiObject): string =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name ?? ''}` : (metadata.name ?? '')

/** The two parts of a key. */
export function splitKey(key: string): { namespace: string; name: string } {
  const at = key.indexOf('/')
  return at < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) }
}
