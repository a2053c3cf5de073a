// Which object a reference means: kind, name, namespace and uid, which references may get wrong.
// Follows k8s.io/kubernetes/pkg/controller/garbagecollector/{graph,graph_builder}.go.
import type { OwnerReference } from '../../client/kinds/meta.v1.gen.ts'

/** Where an object is. */
export interface Identity {
  readonly apiVersion: string
  readonly kind: string
  /** Empty for what is in no namespace. */
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

type Coordinates = Omit<Identity, 'namespace'>

/** Whether all but the namespace is the same. */
export const matches = (a: Coordinates, b: Coordinates): boolean =>
  a.uid === b.uid && a.name === b.name && a.kind === b.kind && a.apiVersion === b.apiVersion

/** What a reference from this namespace leads to, unless it is to something in none. */
export const referredTo = ({ apiVersion, kind, name, uid }: OwnerReference, namespace: string): Identity => ({
  apiVersion,
  kind,
  namespace,
  name,
  uid,
})

/** "[apps/v1/Deployment, namespace: a, name: b, uid: c]": as upstream's events and logs write it. */
export const textOf = ({ apiVersion, kind, namespace, name, uid }: Identity): string =>
  `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`

interface Dependent {
  readonly identity: Identity
  readonly owners: readonly OwnerReference[]
}

/** Those that mean exactly this owner, and those that give its uid to something else; some do both. */
export function partition<D extends Dependent>(dependents: Iterable<D>, owner: Identity): [D[], D[]] {
  const matching: D[] = []
  const others: D[] = []
  for (const dependent of dependents) {
    if (owner.namespace !== '' && owner.namespace !== dependent.identity.namespace) {
      others.push(dependent)
      continue
    }
    const references = dependent.owners.filter(({ uid }) => uid === owner.uid)
    if (references.some((reference) => matches(reference, owner))) matching.push(dependent)
    if (references.some((reference) => !matches(reference, owner))) others.push(dependent)
  }
  return [matching, others]
}

/** The next identity, in a fixed order, that dependents give to the uid of an owner which is known not to exist. */
export function alternateIdentity(dependents: readonly Dependent[], absent: Identity): Identity | undefined {
  const found = new Map<string, Identity>()
  for (const { identity, owners } of dependents) {
    for (const reference of owners) {
      if (reference.uid !== absent.uid) continue
      const isKind = reference.apiVersion === absent.apiVersion && reference.kind === absent.kind
      const namespace = absent.namespace === '' && isKind ? '' : identity.namespace
      const one = referredTo(reference, namespace)
      found.set(orderOf(one), one)
    }
  }
  const key = orderOf(absent)
  found.delete(key)
  const keys = [...found.keys()].sort()
  const next = keys.find((one) => one > key) ?? keys[0]
  return next === undefined ? undefined : found.get(next)
}

/** Kinds first, so that the order is the same whether or not they are in namespaces. No name has a zero byte. */
const orderOf = ({ kind, apiVersion, namespace, name, uid }: Identity): string =>
  [kind, apiVersion, namespace, name, uid].join('\0')
