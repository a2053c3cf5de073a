// Rules of what extends the server: webhooks, and APIServices.
// Follows pkg/apis/admissionregistration/validation, apiserver pkg/util/webhook/validation.go and kube-aggregator.
import { hookUrlFaults } from '../../machinery/gourl.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import {
  dns1035LabelErrors,
  pathSegmentErrors,
  portNumberErrors,
  qualifiedNameErrors,
} from '../../machinery/validation.ts'
import type { Declared } from '../../cel/admission.ts'
import { objectAt, textAt, textsAt } from '../reading.ts'
import { expression as compiled } from './expressions.ts'
import { onCreate, onUpdate } from './rules.ts'
import type { Spot } from './spot.ts'

const ACCEPTED = ['v1', 'v1beta1']
const SAFE = ['None', 'NoneOnDryRun']
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const MAX_CONDITIONS = 64
const MAX_SECONDS = 30

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

function isQualifiedDomain(spot: Spot): void {
  if (!spot.neededAs(isSubdomain)) return
  if (spot.text.split('.').length >= 3) return
  spot.invalid('should be a domain with at least three segments separated by dots')
}

/** Something; and "*" only alone. */
function someOrAll(list: Spot, what: string): void {
  list.needed()
  const values = textsAt(list.value)
  if (values.length > 1 && values.includes('*')) {
    list.invalid(`if '*' is present, must not specify other ${what}`)
  }
}

function resources(list: Spot): void {
  list.needed()
  const names = textsAt(list.value)
  const [wholes, subs] = [new Set<string>(), new Set<string>()]
  for (const item of list.items()) {
    if (!item.needed() || !item.text.includes('/')) continue
    const [resource = ''] = item.text.split('/', 1)
    const sub = item.text.slice(resource.length + 1)
    if (wholes.has(resource)) item.invalid(`if '${resource}/*' is present, must not specify ${item.text}`)
    if (subs.has(sub)) item.invalid(`if '*/${sub}' is present, must not specify ${item.text}`)
    if (sub === '*') wholes.add(resource)
    if (resource === '*') subs.add(sub)
  }
  if (names.length > 1 && names.includes('*/*')) {
    list.invalid("if '*/*' is present, must not specify other resources")
  }
  const plain = names.filter((name) => name && !name.includes('/')).at(-1) ?? '*'
  if (names.includes('*') && plain !== '*') {
    list.invalid("if '*' is present, must not specify other resources without subresources")
  }
}

/** Which requests: operations on resources of groups and versions. */
export function rule(spot: Spot): void {
  someOrAll(spot.at('operations'), 'operations')
  for (const operation of spot.itemsOf('operations')) operation.oneOf(OPERATIONS)
  someOrAll(spot.at('apiGroups'), 'API groups')
  someOrAll(spot.at('apiVersions'), 'API versions')
  for (const version of spot.itemsOf('apiVersions')) version.needed()
  resources(spot.at('resources'))
  spot.at('scope').oneOfIfSet(['*', 'Cluster', 'Namespaced'])
}

function url(spot: Spot): void {
  for (const { value, why } of hookUrlFaults(spot.text)) {
    if (value === undefined) spot.required(why)
    else spot.invalid(why, value)
  }
}

function urlPath(spot: Spot): void {
  if (!spot.text || spot.text === '/') return
  if (spot.text === '//') return spot.invalid('segment[0] may not be empty')
  if (!spot.text.startsWith('/')) spot.invalid("must start with a '/'")
  const steps = spot.text.slice(1).replace(/\/$/, '').split('/')
  steps.forEach((step, i) => {
    if (!step) spot.invalid(`segment[${i}] may not be empty`)
    else for (const fault of isSubdomain(step)) spot.invalid(`segment[${i}]: ${fault}`)
  })
}

function port(spot: Spot): void {
  for (const fault of portNumberErrors(spot.number)) spot.invalid(`port is not valid: ${fault}`, spot.exact)
}

/** Where the Service of a webhook is. */
export function service(spot: Spot): void {
  // Upstream takes the one for the other.
  if (spot.at('namespace').isEmpty) spot.at('name').required()
  if (spot.at('name').isEmpty) spot.at('namespace').required()
  port(spot.at('port'))
  urlPath(spot.at('path'))
}

/** Where a webhook is: a URL or a Service. */
export function clientConfig(client: Spot): void {
  if (client.at('url').isSet === client.at('service').isSet) {
    client.required('exactly one of url or service is required')
  } else if (client.at('url').isSet) url(client.at('url'))
  else service(client.at('service'))
}

/** Conditions, and that they compile. */
export function matchConditions(list: Spot, declared: Declared = { params: false, authorizer: true }): void {
  if (list.items().length > MAX_CONDITIONS) list.tooMany(MAX_CONDITIONS)
  const seen = new Set<string>()
  for (const condition of list.items()) {
    const name = condition.at('name')
    if (!condition.at('expression').text.trim()) condition.at('expression').required()
    else compiled(condition.at('expression'), declared, 'condition')
    name.neededAs(qualifiedNameErrors)
    if (name.text && seen.has(name.text)) name.duplicate()
    seen.add(name.text)
  }
}

function reviewVersions(list: Spot): void {
  if (!list.needed(`must specify one of ${ACCEPTED.join(', ')}`)) return
  const seen = new Set<string>()
  for (const version of list.items()) {
    if (seen.has(version.text)) version.invalid('duplicate version')
    else version.matches(dns1035LabelErrors)
    seen.add(version.text)
  }
  if (ACCEPTED.some((version) => seen.has(version))) return
  list.invalid(`must include at least one of ${ACCEPTED.join(', ')}`)
}

function webhook(hook: Spot): void {
  isQualifiedDomain(hook.at('name'))
  hook.itemsOf('rules').forEach(rule)
  hook.at('failurePolicy').oneOfIfSet(['Fail', 'Ignore'])
  hook.at('matchPolicy').oneOfIfSet(['Equivalent', 'Exact'])
  if (hook.at('sideEffects').isSet) hook.at('sideEffects').oneOf(SAFE)
  else hook.at('sideEffects').required(`must specify one of ${SAFE.join(', ')}`)
  const timeout = hook.at('timeoutSeconds')
  if (timeout.isSet)
    timeout.between(1, MAX_SECONDS, `the timeout value must be between 1 and ${MAX_SECONDS} seconds`)
  hook.at('namespaceSelector').isSelector()
  hook.at('objectSelector').isSelector()
  hook.at('reinvocationPolicy').oneOfIfSet(['IfNeeded', 'Never'])
  clientConfig(hook.at('clientConfig'))
  matchConditions(hook.at('matchConditions'))
  reviewVersions(hook.at('admissionReviewVersions'))
}

function webhooks(object: Spot): void {
  const seen = new Set<string>()
  for (const hook of object.itemsOf('webhooks')) {
    const name = hook.at('name')
    webhook(hook)
    if (name.text && seen.has(name.text)) name.duplicate()
    seen.add(name.text)
  }
}

export const validateWebhooks = onCreate(webhooks)
export const validateWebhooksUpdate = onUpdate(webhooks)

// ---- APIServices

const MAX_GROUP_PRIORITY = 20_000
const MAX_VERSION_PRIORITY = 1000

/** It is named by what it serves. */
export function nameOfAPIService(name: string, _prefix: boolean, { spec }: KubeObject): string[] {
  const faults = pathSegmentErrors(name)
  const { version, group } = objectAt(spec)
  const wanted = `${textAt(version)}.${textAt(group)}`
  if (faults.length || name === wanted) return [...faults]
  return [`must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`]
}

function apiservice(object: Spot): void {
  const spec = object.at('spec')
  const [group, version] = [spec.at('group'), spec.at('version')]
  const [bundle, insecure] = [spec.at('caBundle'), spec.at('insecureSkipTLSVerify')]
  if (!group.text && version.text !== 'v1') {
    group.required('only v1 may have an empty group and it better be legacy kube')
  }
  group.ifSet(isSubdomain)
  version.matches(dns1035LabelErrors)
  spec.at('groupPriorityMinimum').between(1, MAX_GROUP_PRIORITY, 'must be positive and less than 20000')
  spec.at('versionPriority').between(1, MAX_VERSION_PRIORITY, 'must be positive and less than 1000')
  if (!spec.at('service').isSet) {
    const size = Buffer.byteLength(textAt(bundle.value), 'base64')
    if (size) bundle.invalid('local APIServices may not have a caBundle', `${size} bytes`)
    if (insecure.value === true) insecure.invalid('local APIServices may not have insecureSkipTLSVerify')
    return
  }
  spec.at('service').at('namespace').needed()
  spec.at('service').at('name').needed()
  port(spec.at('service').at('port'))
  if (insecure.value === true && bundle.text) insecure.invalid('may not be true if caBundle is present')
}

export const validateAPIService = onCreate(apiservice)
export const validateAPIServiceUpdate = onUpdate(apiservice)
