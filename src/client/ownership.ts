// Who controls an object: references to the one controller, and how a controller takes on orphans that it selects and
// lets go of what it selects no longer. Follows k8s.io/kubernetes/pkg/controller/controller_ref_manager.go.
import { type Api, isNotFound } from './api.ts'
import { StatusError } from '../machinery/status.ts'
import type { Informer } from './informer.ts'
import type { OwnerReference } from './kinds/meta.v1.gen.ts'
import { type ApiObject, apiVersionOfResource, keyOf, type Resource } from './resource.ts'
import type { Reader } from './store.ts'

/** An object that controls others, and its kind. */
export interface Owner {
  readonly resource: Resource
  readonly object: ApiObject
}

/** The reference that a controlled object carries. */
export function controllerRef({ resource, object: { metadata } }: Owner): OwnerReference {
  return {
    apiVersion: apiVersionOfResource(resource),
    kind: resource.kind,
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** The reference to the object's controller, if it has one. */
export const controllerOf = ({ metadata }: ApiObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true)

export function isControlledBy(object: ApiObject, owner: ApiObject): boolean {
  const uid = controllerOf(object)?.uid
  return uid !== undefined && uid === owner.metadata.uid
}

/**
 * What the controller of `object` is, out of a copy of `resource`. Undefined where the controller is of another kind, gone,
 * or another object of that name.
 */
export function resolveController<T extends ApiObject>(
  object: ApiObject,
  resource: Resource<T>,
  reader: Reader<T>,
): T | undefined {
  const ref = controllerOf(object)
  if (ref === undefined || ref.kind !== resource.kind || !isOfGroup(ref.apiVersion, resource.group))
    return undefined
  const namespace = resource.namespaced ? object.metadata.namespace : ''
  const owner = reader.get(namespace ? `${namespace}/${ref.name}` : ref.name)
  return owner?.metadata.uid === ref.uid ? owner : undefined
}

const isOfGroup = (apiVersion: string, group: string): boolean => {
  const at = apiVersion.indexOf('/')
  return (at < 0 ? '' : apiVersion.slice(0, at)) === group
}

const CONTROLLER_INDEX = 'controller'
/** No uid looks like this. */
const orphansOf = (namespace: string): string => `orphans of ${namespace}`

/** Lets `controlledOrOrphans` and `controlledBy` find what an owner controls without looking at everything. */
export function indexByController<T extends ApiObject>(informer: Informer<T>): Informer<T> {
  return informer.index(CONTROLLER_INDEX, (object) => [
    controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace ?? ''),
  ])
}

/** Those that the owner controls. Needs `indexByController`. */
export const controlledBy = <T extends ApiObject>(reader: Reader<T>, owner: ApiObject): readonly T[] =>
  reader.by(CONTROLLER_INDEX, owner.metadata.uid ?? '')

/** Those that the owner controls, and those of its namespace that nobody controls. Needs `indexByController`. */
export const controlledOrOrphans = <T extends ApiObject>(
  reader: Reader<T>,
  owner: ApiObject,
): readonly T[] => [...controlledBy(reader, owner), ...orphansIn(reader, owner.metadata.namespace ?? '')]

/** Those of a namespace that nobody controls. Needs `indexByController`. */
export const orphansIn = <T extends ApiObject>(reader: Reader<T>, namespace: string): readonly T[] =>
  reader.by(CONTROLLER_INDEX, orphansOf(namespace))

export interface ClaimOptions<T extends ApiObject> {
  readonly api: Api
  readonly owner: Owner
  /** Of the objects. */
  readonly resource: Resource<T>
  readonly matches: (object: T) => boolean
  /** Given to what is adopted, taken from what is released. */
  readonly finalizers?: readonly string[]
}

/**
 * Adopts orphans that match, releases controlled objects that do not, and returns those that are the owner's now. The
 * owner is read anew before the first adoption: one that is being deleted adopts nothing. Rejects when all were tried
 * and one failed.
 */
export async function claim<T extends ApiObject>(
  options: ClaimOptions<T>,
  objects: readonly T[],
): Promise<T[]> {
  const failures: unknown[] = []
  let adoptable: Promise<void> | undefined
  const mayAdopt = (): Promise<void> => (adoptable ??= recheck(options))
  const claimed = await Promise.all(
    objects.map((object) =>
      claimOne(options, object, mayAdopt).catch((error: unknown) => void failures.push(error)),
    ),
  )
  if (failures.length > 0) throw failures[0]
  return objects.filter((_, index) => claimed[index] === true)
}

async function claimOne<T extends ApiObject>(
  options: ClaimOptions<T>,
  object: T,
  mayAdopt: () => Promise<void>,
): Promise<boolean> {
  const owner = options.owner.object.metadata
  const ref = controllerOf(object)
  if (ref !== undefined) {
    if (ref.uid !== owner.uid) return false
    if (options.matches(object)) return true
    if (owner.deletionTimestamp === undefined) await release(options, object)
    return false
  }
  if (owner.deletionTimestamp !== undefined || object.metadata.deletionTimestamp !== undefined) return false
  if (owner.namespace && owner.namespace !== object.metadata.namespace) return false
  if (!options.matches(object)) return false
  await mayAdopt()
  return adopt(options, object)
}

/** What an informer knows of the owner may be old: its own deletion must not be missed. */
async function recheck<T extends ApiObject>({ api, owner }: ClaimOptions<T>): Promise<void> {
  const { namespace, name = '', uid } = owner.object.metadata
  const fresh = await api.get(owner.resource, { namespace, name })
  const where = `${namespace}/${name}`
  if (fresh.metadata.uid !== uid) {
    throw new Error(
      `original ${owner.resource.kind} ${where} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`,
    )
  }
  if (fresh.metadata.deletionTimestamp !== undefined) {
    throw new Error(`${where} has just been deleted at ${fresh.metadata.deletionTimestamp}`)
  }
}

async function adopt<T extends ApiObject>(options: ClaimOptions<T>, { metadata }: T): Promise<boolean> {
  const { api, owner, resource, finalizers } = options
  const place = { namespace: metadata.namespace, name: metadata.name ?? '' }
  const ref = { ...controllerRef(owner) } as Record<string, string | boolean>
  const body = {
    metadata: {
      uid: metadata.uid ?? '',
      ownerReferences: [ref],
      ...(finalizers?.length ? { finalizers: [...finalizers] } : {}),
    },
  }
  try {
    await api.patch(resource, place, body, { type: 'strategic' })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** Frees an object from its controller. That it is gone, or another of its name, is as well. */
export async function release<T extends ApiObject>(options: ClaimOptions<T>, { metadata }: T): Promise<void> {
  const { api, owner, resource, finalizers } = options
  const place = { namespace: metadata.namespace, name: metadata.name ?? '' }
  const body = {
    metadata: {
      uid: metadata.uid ?? '',
      ownerReferences: [{ $patch: 'delete', uid: owner.object.metadata.uid ?? '' }],
      ...(finalizers?.length ? { '$deleteFromPrimitiveList/finalizers': [...finalizers] } : {}),
    },
  }
  try {
    await api.patch(resource, place, body, { type: 'strategic' })
  } catch (error) {
    if (isNotFound(error) || (error instanceof StatusError && error.reason === 'Invalid')) return
    throw error
  }
}

/** "namespace/name" of all controllers in `owners` that select an orphan. */
export const selecting = <T extends ApiObject>(
  owners: Reader<T>,
  orphan: ApiObject,
  selects: (owner: T, labels: Readonly<Record<string, string>>) => boolean,
): string[] =>
  owners
    .inNamespace(orphan.metadata.namespace ?? '')
    .filter((owner) => selects(owner, orphan.metadata.labels ?? {}))
    .map(keyOf)
