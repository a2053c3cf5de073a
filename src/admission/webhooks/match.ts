// Which requests a webhook is asked about, and as what: rules, selectors, equivalent versions of a resource.
// Follows k8s.io/apiserver/pkg/admission/plugin/webhook/predicates and generic/webhook.go (ShouldCallHook).
import type { GroupVersionKind } from '../../machinery/gvk.ts'
import type { Labels, LabelSelector } from '../../machinery/labels.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { notFound, type StatusError } from '../../machinery/status.ts'
import type { Resource } from '../../schema/resource.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Hook, Rule } from './hook.ts'

export const NAMESPACES = { group: '', resource: 'namespaces' }
const EXEMPT = new Set([
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

/** Configurations of admission are nobody's to refuse: a webhook could not be got rid of any more. */
export const isExempt = ({ group, name }: Resource): boolean =>
  group === 'admissionregistration.k8s.io' && EXEMPT.has(name)

/** A webhook that is to be asked, and the version of the resource that it is asked about. */
export interface Invocation {
  readonly hook: Hook
  readonly resource: Resource
  readonly kind: GroupVersionKind
}

/** What a request may be asked about as: the other versions in which its objects are served, itself left out. */
export type Equivalents = (resource: Resource) => readonly Resource[]

/** Requests about a namespace count as requests in it. */
export const namespaceOf = ({ resource, namespace, name }: AdmissionAttributes): string =>
  isNamespaces(resource) ? name : namespace

const isNamespaces = ({ group, name }: Resource): boolean => name === 'namespaces' && group === ''

/**
 * Undefined: the webhook is not asked. Throws 404 where its selector needs the labels of a namespace that is not
 * there.
 */
export function invocationOf(
  hook: Hook,
  attributes: AdmissionAttributes,
  lister: Lister,
  equivalents: Equivalents,
): Invocation | undefined {
  const selected = matchNamespace(hook.namespaceSelector, attributes, lister)
  if (selected === false) return undefined
  if (!matchObject(hook.objectSelector, attributes)) return undefined
  const resource = matchRules(hook, attributes, equivalents)
  if (!resource) return undefined
  if (selected !== true) throw selected
  return { hook, resource, kind: kindOf(resource, attributes.subresource) }
}

/** The kind of the objects that requests to this place carry. */
export function kindOf(resource: Resource, subresource: string): GroupVersionKind {
  const { group, version, kind } = resource.subresources.find(({ name }) => name === subresource) ?? resource
  return { group, version, kind }
}

/** Whether the selector takes the namespace of the request; 404 where its labels are needed and it is not there. */
export function matchNamespace(
  selector: LabelSelector,
  attributes: AdmissionAttributes,
  lister: Lister,
): boolean | StatusError {
  const namespace = namespaceOf(attributes)
  if (selector.empty || (namespace === '' && attributes.resource.name !== 'namespaces')) return true
  const { resource, subresource, operation, object } = attributes
  const isWritten = subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
  // What is stored does not have the labels that the request sets.
  if (resource.name === 'namespaces' && isWritten) return selector.matches(labelsOf(object))
  const found = lister.get(NAMESPACES, '', namespace)
  return found ? selector.matches(labelsOf(found)) : notFound(NAMESPACES, namespace)
}

/** The selector takes the new object or the old one. */
export function matchObject(selector: LabelSelector, { object, old }: AdmissionAttributes): boolean {
  if (selector.empty) return true
  return (
    (object !== undefined && selector.matches(labelsOf(object))) ||
    (old !== undefined && selector.matches(labelsOf(old)))
  )
}

const labelsOf = (object: KubeObject | undefined): Labels => object?.metadata?.labels ?? {}

/** The resource as which the rules know what is asked. */
function matchRules(
  { rules, equivalent }: Hook,
  attributes: AdmissionAttributes,
  equivalents: Equivalents,
): Resource | undefined {
  const { resource } = attributes
  if (rules.some((rule) => matchesRule(rule, attributes, resource))) return resource
  if (!equivalent) return undefined
  const others = equivalents(resource)
  for (const rule of rules) {
    const found = others.find((other) => matchesRule(rule, attributes, other))
    if (found) return found
  }
  return undefined
}

/** True where the rule names this request, were it made to `resource`. */
export function matchesRule(rule: Rule, attributes: AdmissionAttributes, resource: Resource): boolean {
  return (
    has(rule.operations, attributes.operation) &&
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, resource.version) &&
    (rule.resources ?? []).some((name) => isNamed(name, resource.name, attributes.subresource)) &&
    inScope(rule.scope, attributes, resource)
  )
}

const has = (items: readonly string[] | undefined, wanted: string): boolean =>
  items !== undefined && (items.includes('*') || items.includes(wanted))

/** "pods", "pods/status", "*", "*" with a subresource of any or one name. */
function isNamed(name: string, resource: string, subresource: string): boolean {
  const slash = name.indexOf('/')
  const [main, sub] = slash < 0 ? [name, ''] : [name.slice(0, slash), name.slice(slash + 1)]
  return (main === '*' || main === resource) && (sub === '*' || sub === subresource)
}

function inScope(scope: string | undefined, attributes: AdmissionAttributes, resource: Resource): boolean {
  if (scope === undefined || scope === '*') return true
  const isCluster = isNamespaces(resource) || attributes.namespace === ''
  return scope === 'Cluster' ? isCluster : scope === 'Namespaced' && !isCluster
}
