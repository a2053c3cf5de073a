// Which requests are recorded, and how much of them: the first rule that fits decides.
// Follows k8s.io/apiserver/pkg/audit/policy and pkg/apis/audit/validation.
import type { AuthorizationAttributes } from '../machinery/attributes.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { nameIsDnsSubdomain } from '../machinery/names.ts'
import { cause, type StatusCause } from '../machinery/status.ts'

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

/** What a rule says of the requests that it fits. */
export interface Recording {
  readonly level: Level
  readonly omitStages: ReadonlySet<string>
  readonly omitManagedFields: boolean
}

/** The user is absent where nobody could be authenticated. */
export type Audited = Omit<AuthorizationAttributes, 'user'> & Partial<Pick<AuthorizationAttributes, 'user'>>

export type Policy = (attributes: Audited) => Recording

interface Rule extends Recording {
  readonly users: readonly string[]
  readonly userGroups: readonly string[]
  readonly verbs: readonly string[]
  readonly namespaces: readonly string[]
  readonly resources: readonly GroupResources[]
  readonly nonResourceUrls: readonly string[]
}

interface GroupResources {
  readonly group: string
  readonly resources: readonly string[]
  readonly resourceNames: readonly string[]
}

/** Reads a policy of audit.k8s.io/v1; throws an Error, in one line, for what upstream refuses. */
export function readPolicy(value: Json): Policy {
  if (!isObject(value) || value['apiVersion'] !== 'audit.k8s.io/v1' || value['kind'] !== 'Policy')
    throw new Error('it is no Policy of audit.k8s.io/v1')
  const causes: StatusCause[] = []
  const omitStages = textsOf(value['omitStages'])
  checkStages(omitStages, 'omitStages', causes)
  const defaults = { omitStages, omitManagedFields: value['omitManagedFields'] === true }
  const rules = objectsOf(value['rules']).map((rule, i) =>
    ruleOf(rule, defaults, { path: `rules[${i}]`, causes }),
  )
  const faults = causes.map(({ field, message }) => `${field}: ${message}`)
  if (faults.length > 0) throw new Error(faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`)
  if (rules.length === 0) throw new Error('loaded illegal policy with 0 rules')
  const none: Recording = { level: 'None', omitStages: new Set(), omitManagedFields: false }
  return (attributes) => rules.find((rule) => fits(rule, attributes)) ?? none
}

interface Defaults {
  readonly omitStages: readonly string[]
  readonly omitManagedFields: boolean
}

interface Place {
  readonly path: string
  readonly causes: StatusCause[]
}

function ruleOf(rule: JsonObject, defaults: Defaults, { path, causes }: Place): Rule {
  const level = rule['level']
  const known = LEVELS.find((name) => name === level)
  if (level === undefined || level === '') causes.push(cause.required(`${path}.level`))
  else if (!known) causes.push(cause.notSupported(`${path}.level`, level, LEVELS))
  const omitStages = textsOf(rule['omitStages'])
  checkStages(omitStages, `${path}.omitStages`, causes)
  const made: Rule = {
    level: known ?? 'None',
    omitStages: new Set([...defaults.omitStages, ...omitStages]),
    omitManagedFields:
      typeof rule['omitManagedFields'] === 'boolean' ? rule['omitManagedFields'] : defaults.omitManagedFields,
    users: textsOf(rule['users']),
    userGroups: textsOf(rule['userGroups']),
    verbs: textsOf(rule['verbs']),
    namespaces: textsOf(rule['namespaces']),
    resources: objectsOf(rule['resources']).map(groupResourcesOf),
    nonResourceUrls: textsOf(rule['nonResourceURLs']),
  }
  checkPlaces(made, { path, causes })
  return made
}

const groupResourcesOf = (entry: JsonObject): GroupResources => ({
  group: typeof entry['group'] === 'string' ? entry['group'] : '',
  resources: textsOf(entry['resources']),
  resourceNames: textsOf(entry['resourceNames']),
})

function checkStages(stages: readonly string[], path: string, causes: StatusCause[]): void {
  stages.forEach((stage, i) => {
    if (!(STAGES as readonly string[]).includes(stage))
      causes.push(cause.invalid(`${path}[${i}]`, stage, `allowed stages are ${STAGES.join(',')}`))
  })
}

function checkPlaces({ nonResourceUrls, resources, namespaces }: Rule, { path, causes }: Place): void {
  nonResourceUrls.forEach((url, i) => {
    const refuse = (why: string): void =>
      void causes.push(cause.invalid(`${path}.nonResourceURLs[${i}]`, url, why))
    if (url === '*') return
    if (!url.startsWith('/')) refuse("non-resource URL rules must begin with a '/' character")
    if (url.slice(0, -1).includes('*'))
      refuse("non-resource URL wildcards '*' must be the final character of the rule")
  })
  for (const { group, resources: names, resourceNames } of resources) {
    const faults = group === '' || group === '*' ? [] : nameIsDnsSubdomain(group, false)
    if (faults.length > 0) causes.push(cause.invalid(`${path}.resources.group`, group, faults.join(',')))
    if (resourceNames.length > 0 && names.length === 0) {
      const why = 'using resourceNames requires at least one resource'
      causes.push(cause.invalid(`${path}.resources.resourceNames`, resourceNames, why))
    }
  }
  if (nonResourceUrls.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    const why = 'rules cannot apply to both regular resources and non-resource URLs'
    causes.push(cause.invalid(`${path}.nonResourceURLs`, nonResourceUrls, why))
  }
}

function fits(rule: Rule, attributes: Audited): boolean {
  const { user, verb } = attributes
  if (rule.users.length > 0 && !(user && rule.users.includes(user.name))) return false
  if (rule.userGroups.length > 0 && !user?.groups.some((group) => rule.userGroups.includes(group)))
    return false
  if (rule.verbs.length > 0 && !rule.verbs.includes(verb)) return false
  if (rule.namespaces.length > 0 || rule.resources.length > 0) return fitsResource(rule, attributes)
  if (rule.nonResourceUrls.length === 0) return true
  return !attributes.isResourceRequest && rule.nonResourceUrls.some((url) => fitsPath(attributes.path, url))
}

const fitsPath = (path: string, url: string): boolean =>
  url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')))

function fitsResource({ namespaces, resources }: Rule, attributes: Audited): boolean {
  if (!attributes.isResourceRequest) return false
  if (namespaces.length > 0 && !namespaces.includes(attributes.namespace)) return false
  return resources.length === 0 || resources.some((entry) => fitsEntry(entry, attributes))
}

function fitsEntry(entry: GroupResources, { group, resource, subresource, name }: Audited): boolean {
  if (entry.group !== group && entry.group !== '*') return false
  if (entry.resources.length === 0) return true
  if (entry.resourceNames.length > 0 && !entry.resourceNames.includes(name)) return false
  const combined = subresource === '' ? resource : `${resource}/${subresource}`
  return entry.resources.some(
    (wanted) =>
      wanted === combined ||
      wanted === '*' ||
      (subresource !== '' && wanted === `*/${subresource}`) ||
      wanted === `${resource}/*`,
  )
}

const textsOf = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

const objectsOf = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []
