// Nobody grants by RBAC what they do not hold themselves, unless they may `escalate` roles or `bind` the role.
// Stands after mutating admission and before the object is prepared and validated.
// Follows k8s.io/kubernetes/pkg/registry/rbac (escalation_check, and the policybased stores of the four kinds).
import type { AuthorizationAttributes, Authorizer } from '../machinery/attributes.ts'
import type { GroupResource } from '../machinery/gvk.ts'
import { isObject, type Json } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { goQuote, goQuoteList } from '../machinery/quote.ts'
import { badRequest, forbidden, notFound, StatusError } from '../machinery/status.ts'
import { MASTERS_GROUP, type UserInfo } from '../machinery/user.ts'
import { pathSegmentErrors } from '../machinery/validation.ts'
import { describeRules, missingRules } from './covers.ts'
import { type BindingObject, type PolicyRule, RBAC_GROUP, type RoleObject, type RoleRef } from './policy.ts'
import type { RbacAuthorizer } from './rbac.ts'

/** A create or update of one of RBAC's kinds, as it stands after mutating admission. */
export interface RbacWrite {
  readonly user: UserInfo
  /** "roles", "clusterroles", "rolebindings" or "clusterrolebindings". */
  readonly resource: string
  /** Of the request: "" for the kinds of the cluster. */
  readonly namespace: string
  /** Of the request's path: "" where a POST creates. */
  readonly name: string
  readonly object: KubeObject
  /** undefined on create. */
  readonly old: KubeObject | undefined
}

/** What must be asked: all authorizers for the verbs escalate and bind, RBAC for the rules that the user holds. */
export interface Authority {
  readonly authorizer: Authorizer
  readonly rbac: RbacAuthorizer
}

const FULL_AUTHORITY: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]
const NEEDS_ALL = 'must have cluster-admin privileges to use the aggregationRule'

/** Whether `escalationCheck` has to be asked about writes of this resource. */
export function guardsResource({ group, resource }: GroupResource): boolean {
  return group === RBAC_GROUP && /^(cluster)?role(binding)?s$/.test(resource)
}

/** Throws a 403 for a write that grants more than its user holds, a 404 for a binding to a role that is missing. */
export async function escalationCheck(write: RbacWrite, authority: Authority): Promise<void> {
  if (write.user.groups.includes(MASTERS_GROUP)) return
  if (write.resource.endsWith('roles')) await checkRole(write, authority)
  else await checkBinding(write, authority)
}

async function checkRole(write: RbacWrite, authority: Authority): Promise<void> {
  const { namespace, name, resource } = write
  if (await allowed(write, authority, { verb: 'escalate', resource, namespace, name })) return
  if (onlyCollectorFieldsChange(write)) return
  const role = write.object as RoleObject
  confirmHeld(write, authority, role.rules ?? [])
  if (!aggregates(role) && !(write.old && aggregates(write.old as RoleObject))) return
  const { rules } = authority.rbac.rulesFor(write.user, namespace)
  if (missingRules(rules, FULL_AUTHORITY).length > 0) throw refusal(write, NEEDS_ALL)
}

async function checkBinding(write: RbacWrite, authority: Authority): Promise<void> {
  if (onlyCollectorFieldsChange(write)) return
  const ref = (write.object as BindingObject).roleRef ?? {}
  const { namespace } = write
  if (await mayBind(write, authority, ref)) return
  const role = authority.rbac.resolve(ref, namespace)
  if ('missing' in role) throw missingRole(write, ref, role.missing)
  confirmHeld(write, authority, role.rules)
}

async function mayBind(write: RbacWrite, authority: Authority, ref: RoleRef): Promise<boolean> {
  const resources: Readonly<Record<string, string>> = { ClusterRole: 'clusterroles', Role: 'roles' }
  const { kind = '', name = '' } = ref
  if (!Object.hasOwn(resources, kind)) return false
  const resource = resources[kind] as string
  return await allowed(write, authority, { verb: 'bind', resource, namespace: write.namespace, name })
}

async function allowed(
  write: RbacWrite,
  { authorizer }: Authority,
  what: Pick<AuthorizationAttributes, 'verb' | 'resource' | 'namespace' | 'name'>,
): Promise<boolean> {
  const { decision } = await authorizer.authorize({
    user: write.user,
    isResourceRequest: true,
    path: '',
    group: RBAC_GROUP,
    version: '*',
    subresource: '',
    ...what,
  })
  return decision === 'allow'
}

function confirmHeld(write: RbacWrite, { rbac }: Authority, wanted: readonly PolicyRule[]): void {
  const { rules, unresolved } = rbac.rulesFor(write.user, write.namespace)
  const missing = missingRules(rules, wanted)
  if (missing.length === 0) return
  const { name, groups } = write.user
  const who = `user ${goQuote(name)} (groups=${goQuoteList(groups)})`
  const lines = describeRules(missing).join('\n')
  const what = `${who} is attempting to grant RBAC permissions not currently held:\n${lines}`
  // Upstream words roles that are missing as if they were of the resource that is written.
  const errors = unresolved.map(
    ({ name = '' }) => `${write.resource}.${RBAC_GROUP} ${goQuote(name)} not found`,
  )
  throw refusal(write, errors.length > 0 ? `${what}; resolution errors: ${shown(errors)}` : what)
}

/** A Go slice of one error, itself an aggregate: "[a]" or "[[a, b]]". */
function shown(errors: readonly string[]): string {
  const distinct = [...new Set(errors)]
  return distinct.length === 1 ? `[${distinct[0]}]` : `[[${distinct.join(', ')}]]`
}

function refusal(write: RbacWrite, why: string): StatusError {
  return forbidden({ group: RBAC_GROUP, resource: write.resource }, write.object.metadata.name ?? '', why)
}

/** Upstream words the missing role as if it were of the binding's own resource. */
function missingRole(write: RbacWrite, { kind, name = '' }: RoleRef, why: string): StatusError {
  if (kind === 'Role' && write.namespace === '') return badRequest('Namespace parameter required.')
  if (kind === 'Role' || kind === 'ClusterRole') {
    if (name === '') return badRequest('Name parameter required.')
    const faults = pathSegmentErrors(name)
    if (faults.length > 0) return badRequest(`Name parameter invalid: ${goQuote(name)}: ${faults.join(';')}`)
    return notFound({ group: RBAC_GROUP, resource: write.resource }, name)
  }
  // Upstream's answer before the kind is validated: a 500 without a reason.
  const error = new StatusError({ code: 500, reason: '', message: why })
  delete error.status.reason
  return error
}

const aggregates = (role: RoleObject): boolean =>
  (role.aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0

/** Garbage collection may finish its work on an object whatever the object grants. */
function onlyCollectorFieldsChange({ object, old }: RbacWrite): boolean {
  return old !== undefined && same(withoutCollectorFields(object), withoutCollectorFields(old))
}

function withoutCollectorFields(object: KubeObject): KubeObject {
  const { ownerReferences: _, finalizers: __, managedFields: ___, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Equal but for what is absent on one side and empty on the other. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, i) => same(value, b[i]))
  }
  if (!isObject(a) || !isObject(b)) return false
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
    same(Object.hasOwn(a, key) ? a[key] : undefined, Object.hasOwn(b, key) ? b[key] : undefined),
  )
}

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
