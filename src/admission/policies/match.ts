// Which requests a policy or a binding is about. Follows
// k8s.io/apiserver/pkg/admission/plugin/policy/matching/matching.go.
import type { JsonObject } from '../../machinery/json.ts'
import { EVERYTHING, selectorOfObject, type LabelSelector } from '../../machinery/labels.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { Resource } from '../../schema/resource.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Rule } from '../webhooks/hook.ts'
import { matchesRule, matchNamespace, matchObject, type Equivalents } from '../webhooks/match.ts'

export interface NamedRule extends Rule {
  resourceNames?: string[]
}

export interface MatchResources extends JsonObject {
  namespaceSelector?: JsonObject
  objectSelector?: JsonObject
  resourceRules?: NamedRule[]
  excludeResourceRules?: NamedRule[]
  matchPolicy?: string
}

export interface Match {
  readonly namespaceSelector: LabelSelector
  readonly objectSelector: LabelSelector
  readonly rules: readonly NamedRule[]
  readonly excluded: readonly NamedRule[]
  readonly equivalent: boolean
}

const selectorOf = (selector: JsonObject | undefined): LabelSelector =>
  selector === undefined ? EVERYTHING : selectorOfObject(selector)

export function matchOf(match: MatchResources): Match {
  return {
    namespaceSelector: selectorOf(match.namespaceSelector),
    objectSelector: selectorOf(match.objectSelector),
    rules: match.resourceRules ?? [],
    excluded: match.excludeResourceRules ?? [],
    equivalent: match.matchPolicy !== 'Exact',
  }
}

/** As which resource the request matches; undefined: not at all. Throws 404 for a namespace that is not there. */
export function matched(
  match: Match,
  attributes: AdmissionAttributes,
  { lister, equivalents }: { readonly lister: Lister; readonly equivalents: Equivalents },
): Resource | undefined {
  const selected = matchNamespace(match.namespaceSelector, attributes, lister)
  if (selected === false || !matchObject(match.objectSelector, attributes)) return undefined
  const find = (rules: readonly NamedRule[]): Resource | undefined =>
    ruled(rules, match.equivalent, attributes, equivalents)
  if (match.excluded.length && find(match.excluded)) return undefined
  const resource = match.rules.length ? find(match.rules) : attributes.resource
  if (resource && selected !== true) throw selected
  return resource
}

function ruled(
  rules: readonly NamedRule[],
  equivalent: boolean,
  attributes: AdmissionAttributes,
  equivalents: Equivalents,
): Resource | undefined {
  const named = rules.filter(
    ({ resourceNames }) => !resourceNames?.length || resourceNames.includes(attributes.name),
  )
  const { resource } = attributes
  if (named.some((rule) => matchesRule(rule, attributes, resource))) return resource
  if (!equivalent || named.length === 0) return undefined
  const others = equivalents(resource)
  for (const rule of named) {
    const found = others.find((other) => matchesRule(rule, attributes, other))
    if (found) return found
  }
  return undefined
}
