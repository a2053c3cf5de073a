// RBAC: a request is allowed when a role that is bound to its user has a rule for it.
// Follows k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation.
import { aggregate } from '../machinery/aggregate.ts'
import type { AuthorizationAttributes, Authorizer, Decision } from '../machinery/attributes.ts'
import type { GroupResource } from '../machinery/gvk.ts'
import type { Lister } from '../machinery/lister.ts'
import { goQuote } from '../machinery/quote.ts'
import type { UserInfo } from '../machinery/user.ts'
import { BindingIndex, type Grant } from './bindings.ts'
import {
  askOf,
  type BindingObject,
  type PolicyRule,
  RBAC_GROUP,
  type RoleObject,
  type RoleRef,
  ruleAllows,
} from './policy.ts'

const ROLES: GroupResource = { group: RBAC_GROUP, resource: 'roles' }
const CLUSTER_ROLES: GroupResource = { group: RBAC_GROUP, resource: 'clusterroles' }
const ROLE_BINDINGS: GroupResource = { group: RBAC_GROUP, resource: 'rolebindings' }
const CLUSTER_ROLE_BINDINGS: GroupResource = { group: RBAC_GROUP, resource: 'clusterrolebindings' }

/** What RBAC reads; the composition root awaits `lister.ready(...RBAC_RESOURCES)` before the first decision. */
export const RBAC_RESOURCES: readonly GroupResource[] = [
  ROLES,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  CLUSTER_ROLE_BINDINGS,
]

/** Rules that apply to a user, as far as they could be found; `errors` tell which roles could not. */
export interface UserRules {
  readonly rules: readonly PolicyRule[]
  readonly errors: readonly string[]
  /** There may be more: whoever decides cannot list what it allows. */
  readonly incomplete?: boolean
}

/** With the references that lead to no role, one for each error. */
export interface BoundRules extends UserRules {
  readonly unresolved: readonly RoleRef[]
}

/** A role that a binding names: its rules, or why there are none. */
export type ResolvedRole = { readonly rules: readonly PolicyRule[] } | { readonly missing: string }

export class RbacAuthorizer implements Authorizer {
  readonly #lister: Lister
  readonly #roles: Cached<ResolvedRole>
  readonly #clusterRoles: Cached<ResolvedRole>
  readonly #bindings: Cached<BindingIndex>
  readonly #clusterBindings: Cached<BindingIndex>

  constructor(lister: Lister) {
    this.#lister = lister
    this.#roles = new Cached(lister, ROLES)
    this.#clusterRoles = new Cached(lister, CLUSTER_ROLES)
    this.#bindings = new Cached(lister, ROLE_BINDINGS)
    this.#clusterBindings = new Cached(lister, CLUSTER_ROLE_BINDINGS)
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const ask = askOf(attributes)
    let errors: string[] | undefined
    for (const scope of this.#scopes(attributes.namespace)) {
      for (const grant of scope.index.of(attributes.user)) {
        const role = this.resolve(grant.roleRef, scope.namespace)
        if ('missing' in role) (errors ??= []).push(role.missing)
        else if (role.rules.some((rule) => ruleAllows(rule, ask))) {
          return new Allowed(grant, scope.index, attributes.user)
        }
      }
    }
    return { decision: 'noOpinion', reason: errors ? `RBAC: ${aggregate(errors)}` : '' }
  }

  /** Every rule that applies to the user in the namespace ("" for those of the cluster alone). */
  rulesFor(user: UserInfo, namespace: string): BoundRules {
    const rules: PolicyRule[] = []
    const errors: string[] = []
    const unresolved: RoleRef[] = []
    for (const scope of this.#scopes(namespace)) {
      for (const grant of scope.index.inOrder(user)) {
        const role = this.resolve(grant.roleRef, scope.namespace)
        if ('missing' in role) {
          errors.push(role.missing)
          unresolved.push(grant.roleRef)
        } else rules.push(...role.rules)
      }
    }
    return { rules, errors, unresolved }
  }

  /** The role that a binding in `namespace` ("" for a cluster role binding) names. */
  resolve(ref: RoleRef, namespace: string): ResolvedRole {
    const { kind = '', name = '' } = ref
    if (kind === 'ClusterRole') {
      return this.#clusterRoles.get(name, () => this.#read(CLUSTER_ROLES, '', name))
    }
    if (kind !== 'Role') return { missing: `unsupported role reference kind: ${goQuote(kind)}` }
    return this.#roles.get(`${namespace}/${name}`, () => this.#read(ROLES, namespace, name))
  }

  #read(resource: GroupResource, namespace: string, name: string): ResolvedRole {
    const role = this.#lister.get(resource, namespace, name) as RoleObject | undefined
    if (role) return { rules: role.rules ?? [] }
    return { missing: `${resource.resource.slice(0, -1)}.${RBAC_GROUP} ${goQuote(name)} not found` }
  }

  #scopes(namespace: string): { index: BindingIndex; namespace: string }[] {
    const cluster = this.#clusterBindings.get('', () => this.#index(CLUSTER_ROLE_BINDINGS, ''))
    if (namespace === '') return [{ index: cluster, namespace }]
    const local = this.#bindings.get(namespace, () => this.#index(ROLE_BINDINGS, namespace))
    return [
      { index: cluster, namespace: '' },
      { index: local, namespace },
    ]
  }

  #index(resource: GroupResource, namespace: string): BindingIndex {
    return new BindingIndex(this.#lister.list(resource, namespace) as readonly BindingObject[], namespace)
  }
}

/** An allowing decision; the sentence about why is made only for those who read it (reviews, audit). */
class Allowed implements Decision {
  readonly decision = 'allow'
  readonly #grant: Grant
  readonly #index: BindingIndex
  readonly #user: UserInfo

  constructor(grant: Grant, index: BindingIndex, user: UserInfo) {
    this.#grant = grant
    this.#index = index
    this.#user = user
  }

  get reason(): string {
    return `RBAC: allowed by ${this.#index.first(this.#grant, this.#user).describe()}`
  }
}

/** Most entries that one resource's cache holds: names that do not exist are asked for too. */
const CACHE_SIZE = 10_000

/** Values computed from one resource's objects, good until any of them changes. */
class Cached<T> {
  readonly #lister: Lister
  readonly #resource: GroupResource
  readonly #values = new Map<string, T>()
  #version = -1

  constructor(lister: Lister, resource: GroupResource) {
    this.#lister = lister
    this.#resource = resource
  }

  get(key: string, compute: () => T): T {
    const version = this.#lister.version(this.#resource)
    if (version !== this.#version || this.#values.size >= CACHE_SIZE) {
      this.#values.clear()
      this.#version = version
    }
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const value = compute()
    this.#values.set(key, value)
    return value
  }
}
