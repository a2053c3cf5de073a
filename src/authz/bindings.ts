// Who is granted which role, indexed by subject, so that a decision looks at a user's own bindings only.
// Follows k8s.io/kubernetes/pkg/registry/rbac/validation (DefaultRuleResolver), which walks all bindings instead.
import { goQuote } from '../machinery/quote.ts'
import { serviceAccountUsername, type UserInfo } from '../machinery/user.ts'
import type { BindingObject, RoleRef, Subject } from './policy.ts'

/** One binding, as it applies to one of its subjects. Holds on to nothing else of it: there may be many thousands. */
export class Grant {
  /** Place of the binding in the list: upstream's order of rules. */
  readonly order: number
  /** Of the subject among the binding's. */
  readonly place: number
  readonly roleRef: RoleRef
  readonly #name: string
  readonly #namespace: string
  readonly #subject: Subject

  constructor(order: number, place: number, { metadata, roleRef = {}, subjects }: BindingObject) {
    this.order = order
    this.place = place
    this.roleRef = roleRef
    this.#name = metadata.name ?? ''
    this.#namespace = metadata.namespace ?? ''
    this.#subject = subjects?.[place] ?? {}
  }

  /** 'RoleBinding "b/ns" of Role "r" to User "u"'. */
  describe(): string {
    const name = this.#name
    const namespace = this.#namespace
    const { kind = '', name: role = '' } = this.roleRef
    const binding = namespace
      ? `RoleBinding ${goQuote(`${name}/${namespace}`)}`
      : `ClusterRoleBinding ${goQuote(name)}`
    return `${binding} of ${kind} ${goQuote(role)} to ${describeSubject(this.#subject, namespace)}`
  }
}

function describeSubject({ kind = '', name = '', namespace }: Subject, bindingNamespace: string): string {
  if (kind !== 'ServiceAccount') return `${kind} ${goQuote(name)}`
  return `${kind} ${goQuote(`${name}/${namespace || bindingNamespace}`)}`
}

/** The bindings of one namespace, or of the cluster, by whom they apply to. */
export class BindingIndex {
  readonly #byUser = new Map<string, Grant[]>()
  readonly #byGroup = new Map<string, Grant[]>()

  /** `namespace` is "" for cluster role bindings, in which service accounts must name their namespace. */
  constructor(bindings: readonly BindingObject[], namespace: string) {
    bindings.forEach((binding, order) => {
      binding.subjects?.forEach((subject, place) => {
        this.#add(new Grant(order, place, binding), subject, namespace)
      })
    })
  }

  /** All that apply, in no order; a binding may come more than once, by different subjects. */
  *of(user: UserInfo): Generator<Grant> {
    const own = this.#byUser.get(user.name)
    if (own) yield* own
    for (const group of user.groups) {
      const grants = this.#byGroup.get(group)
      if (grants) yield* grants
    }
  }

  /** All that apply, one for each binding, in the order of the bindings. */
  inOrder(user: UserInfo): Grant[] {
    const byOrder = new Map<number, Grant>()
    for (const grant of this.of(user)) if (!byOrder.has(grant.order)) byOrder.set(grant.order, grant)
    return [...byOrder.values()].sort((a, b) => a.order - b.order)
  }

  /** The same binding by the first of its subjects that is this user, as upstream names it. */
  first(grant: Grant, user: UserInfo): Grant {
    let first = grant
    for (const one of this.of(user)) if (one.order === grant.order && one.place < first.place) first = one
    return first
  }

  #add(grant: Grant, subject: Subject, bindingNamespace: string): void {
    const { kind, name = '' } = subject
    if (kind === 'User') push(this.#byUser, name, grant)
    else if (kind === 'Group') push(this.#byGroup, name, grant)
    else if (kind === 'ServiceAccount') {
      const namespace = subject.namespace || bindingNamespace
      if (namespace !== '') push(this.#byUser, serviceAccountUsername(namespace, name), grant)
    }
  }
}

function push(map: Map<string, Grant[]>, key: string, grant: Grant): void {
  const grants = map.get(key)
  if (grants) grants.push(grant)
  else map.set(key, [grant])
}
