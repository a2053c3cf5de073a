// Rules of roles and their bindings. Who may grant what is the authorizer's matter.
// Follows pkg/apis/rbac/validation.
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { pathSegmentErrors } from '../../machinery/validation.ts'
import { semanticEqual } from '../equality.ts'
import { onCreate, onUpdate } from './rules.ts'
import type { Spot } from './spot.ts'

const GROUP = 'rbac.authorization.k8s.io'

function policyRule(rule: Spot, namespaced: boolean): void {
  rule.at('verbs').needed('verbs must contain at least one value')
  const urls = rule.at('nonResourceURLs')
  if (!urls.isEmpty) {
    if (namespaced) urls.invalid('namespaced rules cannot apply to non-resource URLs')
    if (['apiGroups', 'resources', 'resourceNames'].some((name) => !rule.at(name).isEmpty)) {
      urls.invalid('rules cannot apply to both regular resources and non-resource URLs')
    }
    return
  }
  rule.at('apiGroups').needed('resource rules must supply at least one api group')
  rule.at('resources').needed('resource rules must supply at least one resource')
}

function role(object: Spot): void {
  for (const rule of object.itemsOf('rules')) policyRule(rule, true)
}

function clusterRole(object: Spot): void {
  for (const rule of object.itemsOf('rules')) policyRule(rule, false)
  const aggregation = object.at('aggregationRule')
  if (!aggregation.isSet) return
  const selectors = aggregation.at('clusterRoleSelectors')
  selectors.needed('at least one clusterRoleSelector required if aggregationRule is non-nil')
  for (const selector of selectors.items()) {
    const before = selector.causes.length
    selector.isSelector()
    if (selector.causes.length > before) selector.invalid('invalid label selector.', null)
  }
}

function subject(spot: Spot, namespaced: boolean): void {
  const [name, group, kind] = [spot.at('name'), spot.at('apiGroup'), spot.at('kind')]
  name.needed()
  if (kind.text === 'ServiceAccount') {
    name.ifSet((text) => nameIsDnsSubdomain(text, false))
    if (group.text) group.notSupported([''])
    if (!namespaced) spot.at('namespace').needed()
  } else if (kind.text === 'User' || kind.text === 'Group') group.oneOf([GROUP])
  else kind.notSupported(['ServiceAccount', 'User', 'Group'])
}

const binding =
  (namespaced: boolean) =>
  (object: Spot): void => {
    const ref = object.at('roleRef')
    ref.at('apiGroup').oneOf([GROUP])
    ref.at('kind').oneOf(namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'])
    ref.at('name').neededAs(pathSegmentErrors)
    for (const item of object.itemsOf('subjects')) subject(item, namespaced)
  }

/** The changes of both kinds of binding. */
export const validateBindingUpdate = onUpdate((object, old) => {
  const ref = object.at('roleRef')
  if (semanticEqual(ref.value, old['roleRef'])) return
  const [APIGroup, Kind, Name] = ['apiGroup', 'kind', 'name'].map((key) => ref.at(key).text)
  ref.invalid('cannot change roleRef', { APIGroup, Kind, Name })
})

export const validateRole = onCreate(role)
export const validateClusterRole = onCreate(clusterRole)
export const validateRoleBinding = onCreate(binding(true))
export const validateClusterRoleBinding = onCreate(binding(false))
