// Looks at one object: deletes it when no owner is left, makes owners wait for it, or lets it go from them.
// Follows k8s.io/kubernetes/pkg/controller/garbagecollector/{garbagecollector,operations,patch}.go.
import { type Api, isConflict, isNotFound } from '../../client/api.ts'
import { TryLater } from '../../client/controller.ts'
import { kindKey, type ServedResource } from '../../client/discovery.ts'
import type { OwnerReference } from '../../client/kinds/meta.v1.gen.ts'
import type { ApiObject, Resource } from '../../client/resource.ts'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { StatusError } from '../../machinery/status.ts'
import { blockingDependents, FOREGROUND, type Graph, type Node, ORPHAN } from './graph.ts'
import type { Identity } from './identity.ts'

/** As upstream's: owners that many dependents name are asked for once. */
const MAX_ABSENT = 500
/** Dependents that are let go from one owner at a time; more would be turned away by the server's own bounds. */
const ORPHANS_AT_ONCE = 20
/** Tries of a change that others cross, as client-go's default. */
const MAX_CONFLICTS = 5

export interface CollectorOptions {
  readonly api: Api
  readonly graph: Graph
  /** By `kindKey`. */
  kinds(): ReadonlyMap<string, ServedResource>
  tryDelete(uid: string): void
}

/** What references of an object lead to. */
interface Classified {
  readonly solid: readonly OwnerReference[]
  readonly dangling: readonly OwnerReference[]
  /** To owners that wait until this object is gone. */
  readonly waiting: readonly OwnerReference[]
}

/** A reference out of no namespace into one: no retry mends it. */
class NamespacedOwner extends Error {}

export class Collector {
  readonly #options: CollectorOptions
  readonly #api: Api
  readonly #absent = new Set<string>()

  constructor(options: CollectorOptions) {
    this.#options = options
    this.#api = options.api.metadataOnly()
  }

  /** This owner is known not to exist. */
  absent(owner: Identity): void {
    const key = absentKey(owner, owner.namespace)
    this.#absent.delete(key)
    this.#absent.add(key)
    if (this.#absent.size > MAX_ABSENT) this.#absent.delete(this.#absent.values().next().value as string)
  }

  /** Rejects where it has to be looked at again. */
  async attemptToDelete(uid: string): Promise<void> {
    const node = this.#options.graph.get(uid)
    if (!node) return
    try {
      if (await this.#attempt(node)) return
    } catch (error) {
      if (error instanceof NamespacedOwner) return
      throw error
    }
    if (node.virtual && this.#options.graph.get(uid) === node) throw new TryLater('nobody has seen it yet')
  }

  /** Takes the owner out of its dependents' references, then lets it go. */
  async orphanDependents(uid: string): Promise<void> {
    const node = this.#options.graph.get(uid)
    if (!node) return
    await this.#orphan([...node.dependents], uid)
    await this.#removeFinalizer(node, ORPHAN)
  }

  /** Goes through all of them, so that each try leaves fewer; rejects with the first failure then. */
  async #orphan(dependents: Node[], owner: string): Promise<void> {
    const failures: unknown[] = []
    const some = async (): Promise<void> => {
      for (let next = dependents.pop(); next; next = dependents.pop())
        await this.#dropOwners(next, [owner]).catch((error: unknown) => void failures.push(error))
    }
    await Promise.all(Array.from({ length: ORPHANS_AT_ONCE }, some))
    if (failures.length > 0) throw failures[0]
  }

  /** Whether all is said about it, were it virtual or not. */
  async #attempt(node: Node): Promise<boolean> {
    if (node.beingDeleted && !node.deletingDependents) return false
    const { identity } = node
    const latest = await this.#get(identity).catch(undefinedIfGone)
    if (!latest || latest.metadata.uid !== identity.uid) return this.#confirmAbsent(identity)
    if (node.deletingDependents) {
      await this.#waitForDependents(node)
      return false
    }
    const references = latest.metadata.ownerReferences ?? []
    if (references.length === 0) return false
    const { solid, dangling, waiting } = await this.#classify(node, references)
    if (solid.length > 0) {
      const gone = [...dangling, ...waiting].map((one) => one.uid)
      if (gone.length > 0) await this.#dropOwners(node, gone)
      return false
    }
    const isForeground = waiting.length > 0 && node.dependents.size > 0
    if (isForeground) await this.#unblockCycle(node)
    const policy = isForeground ? 'Foreground' : policyOf(latest)
    if (await this.#delete(identity, latest, policy)) return false
    return this.#confirmAbsent(identity)
  }

  #confirmAbsent(identity: Identity): true {
    this.#options.graph.confirmAbsent(identity)
    return true
  }

  async #waitForDependents(node: Node): Promise<void> {
    const blocking = blockingDependents(node)
    if (blocking.length === 0) return this.#removeFinalizer(node, FOREGROUND)
    for (const dependent of blocking)
      if (!dependent.deletingDependents) this.#options.tryDelete(dependent.identity.uid)
  }

  /** A dependent that waits for its own dependents may wait, in a circle, for this node: nobody waits for this one then. */
  async #unblockCycle(node: Node): Promise<void> {
    if (![...node.dependents].some(({ deletingDependents }) => deletingDependents)) return
    const ownerReferences = node.owners
      .filter(({ blockOwnerDeletion }) => blockOwnerDeletion)
      .map((owner) => ({ ...owner, blockOwnerDeletion: false }))
    await this.#patchOwners(node, ownerReferences, (current) =>
      current.map((owner) => (owner.blockOwnerDeletion ? { ...owner, blockOwnerDeletion: false } : owner)),
    )
  }

  async #classify(node: Node, references: readonly OwnerReference[]): Promise<Classified> {
    const solid: OwnerReference[] = []
    const dangling: OwnerReference[] = []
    const waiting: OwnerReference[] = []
    for (const reference of references) {
      const owner = await this.#ownerOf(node.identity, reference)
      if (!owner) dangling.push(reference)
      else if (owner.metadata.deletionTimestamp && owner.metadata.finalizers?.includes(FOREGROUND))
        waiting.push(reference)
      else solid.push(reference)
    }
    return { solid, dangling, waiting }
  }

  async #ownerOf({ namespace }: Identity, reference: OwnerReference): Promise<ApiObject | undefined> {
    if (this.#absent.has(absentKey(reference, ''))) return undefined
    if (this.#absent.has(absentKey(reference, namespace))) return undefined
    const resource = this.#resourceOf(reference)
    const place = resource.namespaced ? namespace : ''
    if (resource.namespaced && namespace === '') throw new NamespacedOwner()
    const owner = await this.#api
      .get(resource, { namespace: place, name: reference.name })
      .catch(undefinedIfGone)
    if (owner?.metadata.uid === reference.uid) return owner
    this.absent({ ...reference, namespace: place })
    return undefined
  }

  #resourceOf({ apiVersion, kind }: { apiVersion: string; kind: string }): Resource {
    const resource = this.#options.kinds().get(kindKey(apiVersion, kind))
    // It may come yet, as custom resources do.
    if (!resource)
      throw new TryLater(
        `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`,
      )
    return resource
  }

  #placeOf(identity: Identity): [Resource, { namespace: string; name: string }] {
    const resource = this.#resourceOf(identity)
    if (resource.namespaced && identity.namespace === '') throw new NamespacedOwner()
    return [resource, { namespace: resource.namespaced ? identity.namespace : '', name: identity.name }]
  }

  async #get(identity: Identity): Promise<ApiObject> {
    return this.#api.get(...this.#placeOf(identity))
  }

  /** False: it was gone already. */
  async #delete(identity: Identity, latest: ApiObject, propagationPolicy: string): Promise<boolean> {
    const [resource, place] = this.#placeOf(identity)
    const { uid, resourceVersion, ownerReferences } = latest.metadata
    try {
      await this.#api.delete(resource, place, { preconditions: { uid, resourceVersion }, propagationPolicy })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      if (!isConflict(error)) throw error
    }
    // Changes that leave its owners as they are must not keep it alive for ever.
    const live = await this.#api.get(resource, place).catch(undefinedIfGone)
    if (!live || live.metadata.uid !== uid) return false
    if (JSON.stringify(live.metadata.ownerReferences) !== JSON.stringify(ownerReferences))
      throw new TryLater('its owners have changed')
    return this.#api.delete(resource, place, { preconditions: { uid }, propagationPolicy }).then(
      () => true,
      (error: unknown) => {
        if (isNotFound(error)) return false
        throw error
      },
    )
  }

  async #dropOwners(node: Node, uids: readonly string[]): Promise<void> {
    const drops = uids.map((uid) => ({ $patch: 'delete', uid }))
    await this.#patchOwners(node, drops, (current) => current.filter(({ uid }) => !uids.includes(uid)))
  }

  /** By a strategic merge; custom resources know none, and get their references written anew. */
  async #patchOwners(
    { identity }: Node,
    strategic: readonly object[],
    change: (current: readonly OwnerReference[]) => readonly OwnerReference[],
  ): Promise<void> {
    const [resource, place] = this.#placeOf(identity)
    const body = { metadata: { uid: identity.uid, ownerReferences: strategic as unknown as Json } }
    try {
      await this.#api.patch(resource, place, body, { type: 'strategic' })
      return
    } catch (error) {
      if (isNotFound(error)) return
      if (!(error instanceof StatusError && error.code === 415)) throw error
    }
    await this.#change(identity, ({ ownerReferences = [] }) => ({
      ownerReferences: change(ownerReferences) as unknown as Json,
    }))
  }

  async #removeFinalizer({ identity }: Node, finalizer: string): Promise<void> {
    await this.#change(identity, ({ finalizers = [] }) =>
      finalizers.includes(finalizer)
        ? { finalizers: finalizers.filter((one) => one !== finalizer) }
        : undefined,
    )
  }

  /** Metadata after what `change` makes of them; undefined: nothing to do. */
  async #change(
    identity: Identity,
    change: (metadata: ApiObject['metadata']) => JsonObject | undefined,
  ): Promise<void> {
    const [resource, place] = this.#placeOf(identity)
    for (let tries = 1; ; tries++) {
      const latest = await this.#api.get(resource, place).catch(undefinedIfGone)
      if (!latest || latest.metadata.uid !== identity.uid) return
      const changed = change(latest.metadata)
      if (!changed) return
      const { resourceVersion = '' } = latest.metadata
      try {
        await this.#api.patch(
          resource,
          place,
          { metadata: { resourceVersion, ...changed } },
          { type: 'merge' },
        )
        return
      } catch (error) {
        if (isNotFound(error)) return
        if (!isConflict(error) || tries === MAX_CONFLICTS) throw error
      }
    }
  }
}

/** The finalizers that are there say how; else in the background. */
function policyOf({ metadata: { finalizers = [] } }: ApiObject): string {
  if (finalizers.includes(ORPHAN)) return 'Orphan'
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background'
}

function undefinedIfGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}

const absentKey = ({ apiVersion, kind, name, uid }: Omit<Identity, 'namespace'>, namespace: string): string =>
  [apiVersion, kind, namespace, name, uid].join('\0')
