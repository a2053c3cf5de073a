// Policies in a file, one a line: who may read or do what, where. Read once, at the start.
// Follows k8s.io/kubernetes/pkg/auth/authorizer/abac and pkg/apis/abac.
import type { AuthorizationAttributes, Decision } from '../machinery/attributes.ts'
import { isObject, type JsonObject } from '../machinery/json.ts'
import { AUTHENTICATED_GROUP, type UserInfo } from '../machinery/user.ts'
import type { RuleAuthorizer } from './chain.ts'
import type { PolicyRule } from './policy.ts'
import type { UserRules } from './rbac.ts'

/** "*" stands for all of a field's values; "" for none but of what has none itself. */
interface Policy {
  readonly user: string
  readonly group: string
  readonly readonly: boolean
  readonly apiGroup: string
  readonly resource: string
  readonly namespace: string
  readonly nonResourcePath: string
}

const READS: readonly string[] = ['get', 'list', 'watch']
const VERSION = 'abac.authorization.kubernetes.io/v1beta1'
const ALLOWED: Decision = { decision: 'allow', reason: '' }
const NO_MATCH: Decision = { decision: 'noOpinion', reason: 'No policy matched.' }

/** The authorizer of a file's text. Throws an Error that names the line which cannot be read. */
export function abacAuthorizer(path: string, text: string): RuleAuthorizer {
  const policies = policiesOf(path, text)
  return {
    authorize: (attributes) => (policies.some((policy) => allows(policy, attributes)) ? ALLOWED : NO_MATCH),
    rulesFor: (user, namespace) => rulesOf(policies, user, namespace),
  }
}

function policiesOf(path: string, text: string): Policy[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const value = parsed(trimmed)
    const policy = value && policyOf(value)
    if (!policy) throw new Error(`error reading policy file ${path}, line ${i + 1}: ${line}: it is no policy`)
    return [policy]
  })
}

function parsed(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function policyOf(value: JsonObject): Policy | undefined {
  const { apiVersion, kind, spec } = value
  if (apiVersion === undefined && kind === undefined) return oldPolicy(value)
  return apiVersion === VERSION && kind === 'Policy' ? fieldsOf(isObject(spec) ? spec : {}) : undefined
}

/** Before versions: what is not said is everything. */
function oldPolicy(value: JsonObject): Policy | undefined {
  const given = fieldsOf(value)
  if (!given) return undefined
  const { user, group, namespace, resource } = given
  const isForAll = (user === '' && group === '') || user === '*' || group === '*'
  return {
    ...given,
    user: user === '*' || group === '*' ? '' : user,
    group: isForAll ? AUTHENTICATED_GROUP : group,
    apiGroup: '*',
    namespace: namespace || '*',
    resource: resource || '*',
    nonResourcePath: namespace === '' && resource === '' ? '*' : '',
  }
}

/** undefined where a field is of another type. */
function fieldsOf(spec: JsonObject): Policy | undefined {
  const text = (name: string): string => {
    const value = spec[name]
    return value === undefined ? '' : (value as string)
  }
  const policy: Policy = {
    user: text('user'),
    group: text('group'),
    readonly: (spec['readonly'] ?? false) as boolean,
    apiGroup: text('apiGroup'),
    resource: text('resource'),
    namespace: text('namespace'),
    nonResourcePath: text('nonResourcePath'),
  }
  const { readonly, ...texts } = policy
  if (typeof readonly !== 'boolean') return undefined
  return Object.values(texts).every((value) => typeof value === 'string') ? policy : undefined
}

function allows(policy: Policy, attributes: AuthorizationAttributes): boolean {
  if (!isAbout(policy, attributes.user)) return false
  if (policy.readonly && !READS.includes(attributes.verb)) return false
  return attributes.isResourceRequest
    ? fits(policy.namespace, attributes.namespace) &&
        fits(policy.resource, attributes.resource) &&
        fits(policy.apiGroup, attributes.group)
    : pathFits(policy.nonResourcePath, attributes.path)
}

/** A policy that names both user and group is about those who are both; one that names neither is about nobody. */
function isAbout({ user, group }: Policy, { name, groups }: UserInfo): boolean {
  if (user === '' && group === '') return false
  return (user === '' || fits(user, name)) && (group === '' || group === '*' || groups.includes(group))
}

const fits = (own: string, asked: string): boolean => own === '*' || own === asked

const pathFits = (own: string, path: string): boolean =>
  fits(own, path) || (own.endsWith('*') && path.startsWith(own.replace(/\*+$/, '')))

function rulesOf(policies: readonly Policy[], user: UserInfo, namespace: string): UserRules {
  const rules = policies
    .filter((policy) => isAbout(policy, user) && fits(policy.namespace, namespace))
    .flatMap(({ readonly, apiGroup, resource, nonResourcePath }): PolicyRule[] => {
      const verbs = readonly ? [...READS] : ['*']
      return [
        ...(resource === '' ? [] : [{ verbs, apiGroups: [apiGroup], resources: [resource] }]),
        ...(nonResourcePath === '' ? [] : [{ verbs, nonResourceURLs: [nonResourcePath] }]),
      ]
    })
  return { rules, errors: [] }
}
