// Deletes what is in a namespace, one resource after the other's pods, and tells what is left and how long it may take.
// Follows k8s.io/kubernetes/pkg/controller/namespace/deletion/namespaced_resources_deleter.go.
import { type Api, isNotFound } from '../../client/api.ts'
import type { Clock } from '../../client/clock.ts'
import { allows, type Discovered, type ServedResource } from '../../client/discovery.ts'
import type { Namespace, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { ApiObject } from '../../client/resource.ts'
import { PODS } from '../../client/resources.ts'
import { StatusError } from '../../machinery/status.ts'
import type { Outcome, Remaining } from './conditions.ts'

/** How long finalizers are given where nothing better is known. */
const FINALIZER_SECONDS = 15
const BACKGROUND = { propagationPolicy: 'Background' }

export interface Deletion extends Outcome {
  /** Seconds until what is left may be gone; 0: nothing is left. */
  readonly estimate: number
}

interface Progress {
  readonly estimate: number
  readonly remaining?: Remaining
  readonly error?: string
}

/** Never rejects for what single resources refuse: that is told in the outcome. */
export async function deleteContent(
  api: Api,
  clock: Clock,
  namespace: Namespace,
  { resources, failed }: Discovered,
): Promise<Deletion> {
  const deletable = resources.filter((one) => one.namespaced && allows(one, 'delete'))
  const isPods = ({ group, resource }: ServedResource): boolean => group === '' && resource === 'pods'
  const deleteOne = (one: ServedResource): Promise<Progress> => deleteAll(api, clock, namespace, one)
  // Pods first: what they use (policies, secrets, volumes) stays while they stop.
  const pods = await Promise.all(deletable.filter(isPods).map(deleteOne))
  const isHeld = pods.some(({ remaining }) => remaining !== undefined)
  const others = isHeld ? [] : await Promise.all(deletable.filter((one) => !isPods(one)).map(deleteOne))
  const all = [...pods, ...others]
  return {
    undiscovered: failed,
    errors: all.flatMap(({ error }) => error ?? []),
    // Upstream says nothing of what remains while only pods are waited for.
    remaining: isHeld ? [] : all.flatMap(({ remaining }) => remaining ?? []),
    estimate: Math.max(0, ...all.map(({ estimate }) => estimate)),
  }
}

async function deleteAll(
  api: Api,
  clock: Clock,
  namespace: Namespace,
  resource: ServedResource,
): Promise<Progress> {
  const name = namespace.metadata.name ?? ''
  let estimate = 0
  try {
    if (resource.group === '' && resource.resource === 'pods') {
      const deletedAt = Date.parse(namespace.metadata.deletionTimestamp ?? '')
      const seconds = graceOf((await api.list(PODS, { namespace: name })).items)
      estimate = clock.now() - deletedAt >= seconds * 1000 ? 0 : seconds
    }
    await removeAll(api, resource, name)
    const left = await itemsOf(api, resource, name)
    return progressOf(resource, left, estimate, name)
  } catch (error) {
    return { estimate, error: error instanceof Error ? error.message : String(error) }
  }
}

/** Pure: what the objects that are left mean. */
export function progressOf(
  { group, version, resource }: ServedResource,
  left: readonly ApiObject[],
  estimate: number,
  namespace: string,
): Progress {
  if (left.length === 0) return { estimate: 0 }
  const finalizers = new Map<string, number>()
  for (const { metadata } of left)
    for (const name of metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1)
  const remaining = { resource: `${resource}.${group}`, objects: left.length, finalizers }
  if (estimate > 0) return { estimate, remaining }
  if (finalizers.size > 0) return { estimate: FINALIZER_SECONDS, remaining }
  const which = `${group}/${version}, Resource=${resource}`
  return {
    estimate,
    remaining,
    error: `unexpected items still remain in namespace: ${namespace} for gvr: ${which}`,
  }
}

/** The longest that a pod which still runs may take. */
export const graceOf = (pods: readonly Pod[]): number =>
  Math.max(
    0,
    ...pods
      .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
      .map(({ spec }) => spec?.terminationGracePeriodSeconds ?? 0),
  )

async function removeAll(api: Api, resource: ServedResource, namespace: string): Promise<void> {
  if (allows(resource, 'deletecollection')) {
    try {
      await api.deleteCollection(resource, { namespace }, BACKGROUND)
      return
    } catch (error) {
      if (!isUnserved(error)) throw error
    }
  }
  for (const { metadata } of await itemsOf(api, resource, namespace)) {
    await api
      .delete(resource, { namespace, name: metadata.name ?? '' }, BACKGROUND)
      .catch((error: unknown) => {
        if (!isUnserved(error)) throw error
      })
  }
}

async function itemsOf(api: Api, resource: ServedResource, namespace: string): Promise<readonly ApiObject[]> {
  if (!allows(resource, 'list')) return []
  try {
    return (await api.metadataOnly().list(resource, { namespace })).items
  } catch (error) {
    if (isUnserved(error)) return []
    throw error
  }
}

const isUnserved = (error: unknown): boolean =>
  isNotFound(error) || (error instanceof StatusError && error.code === 405)
