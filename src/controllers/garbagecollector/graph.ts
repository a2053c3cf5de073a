// Who owns what: a node for each object, and one for each owner that somebody names and nobody has seen ("virtual").
// Pure bookkeeping: what a change makes worth looking at goes to the sink.
// Follows k8s.io/kubernetes/pkg/controller/garbagecollector/{graph,graph_builder}.go.
import type { OwnerReference } from '../../client/kinds/meta.v1.gen.ts'
import type { ApiObject } from '../../client/resource.ts'
import { alternateIdentity, type Identity, matches, partition, referredTo } from './identity.ts'

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

export interface Node {
  identity: Identity
  owners: readonly OwnerReference[]
  readonly dependents: Set<Node>
  /** Nobody has seen the object: it may not exist, or not under this name. */
  virtual: boolean
  beingDeleted: boolean
  /** Being deleted, once its dependents are gone. */
  deletingDependents: boolean
  /** Being deleted, once its dependents do not name it any more. */
  orphaning: boolean
}

/** Told of what is to be looked at. */
export interface GraphSink {
  tryDelete(uid: string): void
  tryDeleteLater(uid: string): void
  tryOrphan(uid: string): void
  /** This owner is known not to exist. */
  absent(owner: Identity): void
  /** The node names an owner that is in another namespace. */
  invalidNamespace(node: Node, owner: OwnerReference): void
}

const has = ({ metadata }: ApiObject, finalizer: string): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer)

export class Graph {
  readonly #nodes = new Map<string, Node>()
  readonly #sink: GraphSink

  constructor(sink: GraphSink) {
    this.#sink = sink
  }

  get(uid: string): Node | undefined {
    return this.#nodes.get(uid)
  }

  get size(): number {
    return this.#nodes.size
  }

  /** An object is there, as it is now. */
  observe(identity: Identity, object: ApiObject): void {
    const known = this.#nodes.get(identity.uid)
    const owners = object.metadata.ownerReferences ?? []
    if (!known) {
      const node = newNode(identity, owners)
      this.#nodes.set(identity.uid, node)
      this.#addToOwners(node, owners)
      this.#takeState(node, object)
      return
    }
    if (known.virtual) this.#identify(known, identity)
    this.#changeOwners(known, owners)
    this.#takeState(known, object)
  }

  /** An object is gone. */
  remove(uid: string): void {
    const node = this.#nodes.get(uid)
    if (node) this.#remove(node)
  }

  /** The server has no object of this identity. */
  confirmAbsent(identity: Identity): void {
    const node = this.#nodes.get(identity.uid)
    if (!node) return
    const [matching, others] = partition(node.dependents, identity)
    const isOther = !matches(node.identity, identity) || node.identity.namespace !== identity.namespace
    if (node.virtual ? others.length === 0 : !isOther) return this.#remove(node)
    if (matching.length > 0) {
      this.#sink.absent(identity)
      for (const dependent of matching) this.#sink.tryDelete(dependent.identity.uid)
    }
    if (!node.virtual || isOther) return
    // The dependents disagree on who their owner is: the next that one of them names is looked for.
    const alternate = alternateIdentity(others, identity)
    if (!alternate) return
    node.identity = alternate
    this.#sink.tryDeleteLater(identity.uid)
  }

  #remove(node: Node): void {
    this.#nodes.delete(node.identity.uid)
    this.#removeFromOwners(node, node.owners)
    if (node.dependents.size > 0) this.#sink.absent(node.identity)
    for (const dependent of node.dependents) this.#sink.tryDelete(dependent.identity.uid)
    for (const { uid } of node.owners) if (this.#nodes.get(uid)?.deletingDependents) this.#sink.tryDelete(uid)
  }

  /** A virtual node was seen: those that named it otherwise may have named nobody. */
  #identify(node: Node, identity: Identity): void {
    const [, others] = partition(node.dependents, identity)
    for (const dependent of others) {
      if (identity.namespace !== '' && dependent.identity.namespace !== identity.namespace)
        this.#reportNamespace(dependent, identity.uid)
      this.#sink.tryDelete(dependent.identity.uid)
    }
    node.identity = identity
    node.virtual = false
  }

  #takeState(node: Node, object: ApiObject): void {
    if (object.metadata.deletionTimestamp !== undefined) node.beingDeleted = true
    const [orphans, deletes] = [has(object, ORPHAN), has(object, FOREGROUND)]
    if (orphans && !node.orphaning) {
      node.orphaning = true
      this.#sink.tryOrphan(node.identity.uid)
      return
    }
    if (!deletes || node.deletingDependents) return
    node.deletingDependents = true
    for (const dependent of node.dependents) this.#sink.tryDelete(dependent.identity.uid)
    this.#sink.tryDelete(node.identity.uid)
  }

  #changeOwners(node: Node, owners: readonly OwnerReference[]): void {
    const before = new Map(node.owners.map((owner) => [owner.uid, owner]))
    const after = new Map(owners.map((owner) => [owner.uid, owner]))
    const removed = [...before.values()].filter(({ uid }) => !after.has(uid))
    const added = [...after.values()].filter(({ uid }) => !before.has(uid))
    // Owners that waited for this node need not wait any more.
    for (const { uid, blockOwnerDeletion } of before.values())
      if (blockOwnerDeletion && !after.get(uid)?.blockOwnerDeletion && this.#nodes.has(uid))
        this.#sink.tryDelete(uid)
    node.owners = owners
    if (added.length > 0) this.#addToOwners(node, added)
    this.#removeFromOwners(node, removed)
  }

  #removeFromOwners(node: Node, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) this.#nodes.get(uid)?.dependents.delete(node)
  }

  #addToOwners(node: Node, owners: readonly OwnerReference[]): void {
    let isDoubtful = false
    for (const reference of owners) {
      const known = this.#nodes.get(reference.uid)
      if (known) {
        known.dependents.add(node)
        isDoubtful = this.#isDoubtful(node, reference, known) || isDoubtful
        continue
      }
      const owner = { ...newNode(referredTo(reference, node.identity.namespace), []), virtual: true }
      owner.dependents.add(node)
      this.#nodes.set(reference.uid, owner)
      this.#sink.tryDelete(reference.uid)
    }
    if (isDoubtful) this.#sink.tryDelete(node.identity.uid)
  }

  /** Whether the reference may lead to nobody although its uid is known. */
  #isDoubtful(node: Node, reference: OwnerReference, { identity, virtual }: Node): boolean {
    const isElsewhere = identity.namespace !== node.identity.namespace
    if (identity.namespace !== '' && isElsewhere) {
      if (!virtual) this.#reportNamespace(node, reference.uid)
      return true
    }
    return !matches(reference, identity) || (isElsewhere && virtual)
  }

  #reportNamespace(node: Node, ownerUid: string): void {
    const reference = node.owners.find(({ uid }) => uid === ownerUid)
    if (reference) this.#sink.invalidNamespace(node, reference)
  }
}

const newNode = (identity: Identity, owners: readonly OwnerReference[]): Node => ({
  identity,
  owners,
  dependents: new Set(),
  virtual: false,
  beingDeleted: false,
  deletingDependents: false,
  orphaning: false,
})

/** Those that hold their owner's deletion up until they are gone. */
export const blockingDependents = (node: Node): readonly Node[] =>
  [...node.dependents].filter(({ owners }) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === node.identity.uid && blockOwnerDeletion === true),
  )
