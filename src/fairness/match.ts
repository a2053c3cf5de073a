// Which rules a request fits. What a rule says of users is asked once a user, what it says of requests each time.
// Pure. Follows k8s.io/apiserver/pkg/util/flowcontrol/rule.go.
import type { RequestInfo } from '../machinery/attributes.ts'
import { serviceAccountUsername, type UserInfo } from '../machinery/user.ts'
import type { NonResourceRule, ResourceRule, Rule, Subject } from './spec.ts'

const ALL = '*'

/** Whether one of the subjects is this user, or a group of theirs. */
export function matchesSubject(subjects: readonly Subject[], user: UserInfo): boolean {
  return subjects.some((subject) => {
    if (subject.kind === 'Group') return subject.name === ALL || user.groups.includes(subject.name)
    if (subject.kind === 'User') return subject.name === ALL || subject.name === user.name
    if (subject.name === ALL) return user.name.startsWith(serviceAccountUsername(subject.namespace, ''))
    return user.name === serviceAccountUsername(subject.namespace, subject.name)
  })
}

/** Whether the rule, of which the subjects fit, fits the request too. */
export function matchesRequest(rule: Rule, info: RequestInfo): boolean {
  if (info.isResourceRequest) {
    for (const one of rule.resources) if (matchesResource(one, info)) return true
    return false
  }
  for (const one of rule.nonResources) if (matchesPath(one, info)) return true
  return false
}

/** Whether the rule fits whatever is asked, so that none behind it is ever reached. */
export function matchesEverything(rule: Rule): boolean {
  const resources = rule.resources.some(
    ({ verbs, groups, resources, namespaces, clusterScope }) =>
      clusterScope && [verbs, groups, resources, namespaces].every(isAll),
  )
  return resources && rule.nonResources.some(({ verbs, urls }) => isAll(verbs) && urls.includes(ALL))
}

/** The wildcard stands alone, as validation has it. */
const isAll = (list: readonly string[]): boolean => list.length === 1 && list[0] === ALL
const holds = (list: readonly string[], value: string): boolean => isAll(list) || list.includes(value)

function matchesResource(
  rule: ResourceRule,
  { verb, group, resource, subresource, namespace }: RequestInfo,
): boolean {
  if (!holds(rule.verbs, verb) || !holds(rule.groups, group)) return false
  if (!isAll(rule.resources)) {
    const place = subresource === '' ? resource : `${resource}/${subresource}`
    if (!rule.resources.includes(place)) return false
  }
  return namespace === '' ? rule.clusterScope : holds(rule.namespaces, namespace)
}

function matchesPath({ verbs, urls }: NonResourceRule, { verb, path }: RequestInfo): boolean {
  return holds(verbs, verb) && urls.some((url) => url === ALL || url === path || isBelow(path, url))
}

/** A path, with or without a star at its end, stands for all below it. */
function isBelow(path: string, url: string): boolean {
  const prefix = url.endsWith('*') ? url.slice(0, -1) : url
  return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)
}
