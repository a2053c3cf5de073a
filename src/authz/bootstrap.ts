// The policy that every cluster starts with, and how it is brought up to date over what stands in the store.
// Follows k8s.io/kubernetes/pkg/registry/rbac/rest (post-start hook) and k8s.io/component-helpers/auth/rbac/reconciliation.
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../machinery/json.ts'
import { selectorOfObject } from '../machinery/labels.ts'
import type { KubeObject } from '../machinery/object.ts'
import { missingRules } from './covers.ts'
import type { BindingObject, PolicyRule, RoleObject, Subject } from './policy.ts'

/** An object with this annotation set to "false" is never touched. */
const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

/** What is to be written, in this order; `recreate` are bindings to delete first, since their role may not change. */
export interface PolicyChanges {
  readonly create: readonly KubeObject[]
  readonly update: readonly KubeObject[]
  readonly recreate: readonly KubeObject[]
}

/**
 * The release's policy, ready to be stored. Roles that aggregate others (admin, edit, view) have their rules filled,
 * as the controller of aggregation will keep them.
 */
export function bootstrapPolicyObjects(policy: readonly KubeObject[]): KubeObject[] {
  const clusterRoles = policy.filter(({ kind }) => kind === 'ClusterRole') as RoleObject[]
  const filled = new Map<RoleObject, PolicyRule[]>()
  return policy.map((object) => {
    if (object.kind !== 'ClusterRole' || !(object as RoleObject).aggregationRule) return object
    return { ...object, rules: aggregatedRules(object as RoleObject, clusterRoles, filled) }
  })
}

/**
 * The rules of all roles that the role's selectors choose, in the order of their names, each once. A role among them
 * may aggregate too (admin takes in edit, which takes in view).
 */
function aggregatedRules(
  role: RoleObject,
  all: readonly RoleObject[],
  filled: Map<RoleObject, PolicyRule[]>,
): PolicyRule[] {
  const known = filled.get(role)
  if (known) return known
  const rules: PolicyRule[] = []
  const texts = new Set<string>()
  filled.set(role, rules)
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const { matches } = selectorOfObject(selector)
    const chosen = all.filter((other) => other !== role && matches(other.metadata.labels ?? {}))
    for (const other of chosen.sort(byName)) {
      const theirs = other.aggregationRule ? aggregatedRules(other, all, filled) : (other.rules ?? [])
      for (const rule of theirs) {
        const text = JSON.stringify(rule)
        if (!texts.has(text)) rules.push(rule)
        texts.add(text)
      }
    }
  }
  return rules
}

const byName = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1

/**
 * Compares the wanted policy with what is stored: what is missing is created; permissions, subjects, labels and
 * annotations that a stored object lacks are added to it; what it has beyond them stays. `existing` finds the stored
 * object of the same kind, namespace and name.
 */
export function reconcileBootstrapPolicy(
  wanted: readonly KubeObject[],
  existing: (object: KubeObject) => KubeObject | undefined,
): PolicyChanges {
  const create: KubeObject[] = []
  const update: KubeObject[] = []
  const recreate: KubeObject[] = []
  for (const object of wanted) {
    const stored = existing(object)
    if (!stored) create.push(object)
    else if (stored.metadata.annotations?.[AUTO_UPDATE] !== 'false') {
      if (refersElsewhere(stored, object)) recreate.push(object)
      else {
        const reconciled = isRole(object) ? reconcileRole(stored, object) : reconcileBinding(stored, object)
        if (reconciled) update.push(reconciled)
      }
    }
  }
  return { create, update, recreate }
}

const isRole = ({ kind }: KubeObject): boolean => kind === 'Role' || kind === 'ClusterRole'

function refersElsewhere(stored: BindingObject, wanted: BindingObject): boolean {
  const [own, theirs] = [stored.roleRef ?? {}, wanted.roleRef ?? {}]
  return (
    !isRole(wanted) && (['apiGroup', 'kind', 'name'] as const).some((field) => own[field] !== theirs[field])
  )
}

/** The stored role with what it lacks, or undefined where it lacks nothing. */
function reconcileRole(stored: RoleObject, wanted: RoleObject): KubeObject | undefined {
  const changed: Partial<RoleObject> = { ...reconcileMetadata(stored, wanted) }
  const [own, theirs] = [stored.rules ?? [], wanted.rules ?? []]
  // Nearly always the same; the comparison verb by verb takes a hundred times as long.
  const missing = textOf(own) === textOf(theirs) ? [] : missingRules(own, theirs)
  if (missing.length > 0) changed.rules = [...own, ...missing]
  const { aggregationRule: now } = stored
  const { aggregationRule: then } = wanted
  if (now && !then) {
    const { aggregationRule: _, ...plain } = stored
    return { ...plain, ...changed }
  }
  const selectors = missingSelectors(now?.clusterRoleSelectors ?? [], then?.clusterRoleSelectors ?? [])
  if (then && (!now || selectors.length > 0)) {
    changed.aggregationRule = { clusterRoleSelectors: [...(now?.clusterRoleSelectors ?? []), ...selectors] }
  }
  return Object.keys(changed).length > 0 ? { ...stored, ...changed } : undefined
}

/** Rules as text, whatever order their fields are in: the facts and the store have different ones. */
const textOf = (rules: readonly PolicyRule[]): string =>
  JSON.stringify(
    rules.map(({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }) => [
      verbs,
      apiGroups,
      resources,
      resourceNames,
      nonResourceURLs,
    ]),
  )

const missingSelectors = (own: readonly JsonObject[], wanted: readonly JsonObject[]): JsonObject[] =>
  wanted.filter((selector) => !own.some((other) => isDeepStrictEqual({ ...other }, { ...selector })))

function reconcileBinding(stored: BindingObject, wanted: BindingObject): KubeObject | undefined {
  const changed: Partial<BindingObject> = { ...reconcileMetadata(stored, wanted) }
  const own = stored.subjects ?? []
  const missing = (wanted.subjects ?? []).filter(
    (subject) => !own.some((other) => sameSubject(other, subject)),
  )
  if (missing.length > 0) changed.subjects = [...own, ...missing]
  return Object.keys(changed).length > 0 ? { ...stored, ...changed } : undefined
}

const sameSubject = (a: Subject, b: Subject): boolean =>
  (['kind', 'apiGroup', 'name', 'namespace'] as const).every((field) => (a[field] ?? '') === (b[field] ?? ''))

/** Labels and annotations that the stored object lacks; its own values win. */
function reconcileMetadata(stored: KubeObject, wanted: KubeObject): { metadata?: KubeObject['metadata'] } {
  const added: Record<string, Record<string, string>> = {}
  for (const field of ['labels', 'annotations'] as const) {
    const [own, theirs] = [stored.metadata[field] ?? {}, wanted.metadata[field] ?? {}]
    if (Object.keys(theirs).some((key) => !Object.hasOwn(own, key))) added[field] = { ...theirs, ...own }
  }
  return Object.keys(added).length > 0 ? { metadata: { ...stored.metadata, ...added } } : {}
}
