// The fields of Role, ClusterRole and their bindings that decisions read, and whether one rule allows a request.
// Follows k8s.io/kubernetes/pkg/apis/rbac/v1 (evaluation helpers).
import type { AuthorizationAttributes } from '../machinery/attributes.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

export interface PolicyRule extends JsonObject {
  verbs?: string[]
  apiGroups?: string[]
  resources?: string[]
  resourceNames?: string[]
  nonResourceURLs?: string[]
}

export interface Subject extends JsonObject {
  kind?: string
  apiGroup?: string
  name?: string
  namespace?: string
}

export interface RoleRef extends JsonObject {
  apiGroup?: string
  kind?: string
  name?: string
}

/** A Role or a ClusterRole; only the second has an aggregation rule. */
export interface RoleObject extends KubeObject {
  rules?: PolicyRule[] | null
  aggregationRule?: { clusterRoleSelectors?: JsonObject[] }
}

/** A RoleBinding or a ClusterRoleBinding. */
export interface BindingObject extends KubeObject {
  subjects?: Subject[]
  roleRef?: RoleRef
}

/** What is asked for, with the parts that rules are compared with put together once. */
export interface Ask {
  readonly attributes: AuthorizationAttributes
  /** "deployments", or with a subresource "deployments/scale". */
  readonly resource: string
  /** "*" and the subresource: "*\/scale"; undefined where there is none. */
  readonly anySubresource: string | undefined
}

export function askOf(attributes: AuthorizationAttributes): Ask {
  const { resource, subresource } = attributes
  if (subresource === '') return { attributes, resource, anySubresource: undefined }
  return { attributes, resource: `${resource}/${subresource}`, anySubresource: `*/${subresource}` }
}

/** Whether the rule covers what is asked. */
export function ruleAllows(rule: PolicyRule, ask: Ask): boolean {
  const { attributes } = ask
  if (!hasOrStar(rule.verbs, attributes.verb)) return false
  if (!attributes.isResourceRequest) {
    return rule.nonResourceURLs?.some((url) => urlCovers(url, attributes.path)) ?? false
  }
  return (
    hasOrStar(rule.apiGroups, attributes.group) &&
    coversResource(rule, ask) &&
    coversName(rule, attributes.name)
  )
}

/** A path with a star at its end covers all that begin with what stands before it. */
export function urlCovers(url: string, path: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')))
}

function coversResource(rule: PolicyRule, ask: Ask): boolean {
  const { resources } = rule
  if (!resources) return false
  if (hasOrStar(resources, ask.resource)) return true
  return ask.anySubresource !== undefined && resources.includes(ask.anySubresource)
}

function coversName(rule: PolicyRule, name: string): boolean {
  const names = rule.resourceNames
  return !names || names.length === 0 || names.includes(name)
}

function hasOrStar(list: readonly string[] | undefined, wanted: string): boolean {
  return list ? list.includes(wanted) || list.includes('*') : false
}
