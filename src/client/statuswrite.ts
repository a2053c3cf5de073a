// Writing a status that was computed from a copy. Follows the GET and PUT retries of k8s.io/kubernetes/pkg/controller.
import { type Api, isConflict } from './api.ts'
import type { ApiObject, Resource } from './resource.ts'
import { canonical } from './templatehash.ts'

/** Equal but for zeros and what is absent: the API leaves both out alike. */
export const isSameStatus = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

/** A count as the API writes it: absent for none. */
export const counted = (count: number): number | undefined => (count === 0 ? undefined : count)

/** Once more on the newest version where somebody wrote before; never on another object of the name. */
export async function writeStatus<T extends ApiObject & { status: unknown }>(
  api: Api,
  resource: Resource<T>,
  object: T,
  status: T['status'],
): Promise<T> {
  try {
    return await api.updateStatus(resource, { ...object, status })
  } catch (error) {
    if (!isConflict(error)) throw error
    const { namespace, name = '', uid } = object.metadata
    const fresh = await api.get(resource, { namespace, name })
    if (fresh.metadata.uid !== uid) throw error
    return api.updateStatus(resource, { ...fresh, status })
  }
}
