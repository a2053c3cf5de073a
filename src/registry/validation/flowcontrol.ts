// Rules of flow schemas and priority levels.
// Follows pkg/apis/flowcontrol/validation.
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../machinery/names.ts'
import { textsAt } from '../reading.ts'
import { onCreate, onUpdate } from './rules.ts'
import type { Spot } from './spot.ts'

const MAX_PRECEDENCE = 10_000
const MAX_QUEUES = 10_000_000
const MAX_ENTROPY_BITS = 60
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const EXEMPT = 'exempt'

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)
const isNamespace = (text: string): string[] => nameIsDnsLabel(text, false)
const LISTED = "each member of this list must be '*' or a DNS-1123 label; "
const isListedNamespace = (text: string): string[] => isNamespace(text).map((fault) => LISTED + fault)

/** Something, or "*" alone. Answers whether the values are to be looked at one by one. */
function someOrAll(list: Spot, absent: string, what: string): boolean {
  const values = textsAt(list.value)
  if (!values.length) list.required(absent)
  else if (!values.includes('*')) return true
  else if (values.length > 1) list.invalid(`if '*' is present, must not specify other ${what}`)
  return false
}

function verbs(rule: Spot): void {
  const list = rule.at('verbs')
  if (!someOrAll(list, 'verbs must contain at least one value', 'verbs')) return
  if (textsAt(list.value).some((verb) => !VERBS.includes(verb))) list.notSupported(VERBS)
}

function resourceRule(rule: Spot): void {
  verbs(rule)
  someOrAll(rule.at('apiGroups'), 'resource rules must supply at least one api group', 'api groups')
  someOrAll(rule.at('resources'), 'resource rules must supply at least one resource', 'resources')
  const list = rule.at('namespaces')
  if (rule.at('clusterScope').value === true && list.isEmpty) return
  const absent = 'resource rules that are not cluster scoped must supply at least one namespace'
  if (!someOrAll(list, absent, 'namespaces')) return
  for (const namespace of list.items()) namespace.matches(isListedNamespace)
}

function urlFault(url: string): string | undefined {
  if (!url) return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const first = url.indexOf('*')
  if (first === -1 || (first === url.length - 1 && url.endsWith('/*'))) return undefined
  return 'wildcard can only do suffix matching'
}

function nonResourceRule(rule: Spot): void {
  verbs(rule)
  const list = rule.at('nonResourceURLs')
  if (!someOrAll(list, 'nonResourceURLs must contain at least one value', 'non-resource URLs')) return
  for (const url of list.items()) {
    const fault = urlFault(url.text)
    if (fault) url.invalid(fault)
  }
}

/** In the order in which a field of another kind is refused. */
const SUBJECTS: Readonly<Record<string, string>> = {
  ServiceAccount: 'serviceAccount',
  User: 'user',
  Group: 'group',
}

function subject(spot: Spot): void {
  const kind = spot.at('kind')
  const field = SUBJECTS[kind.text]
  if (!field) return kind.notSupported(Object.keys(SUBJECTS).sort(), kind.text)
  const named = spot.at(field)
  if (!named.isSet) named.required(`${field} is required when subject kind is '${kind.text}'`)
  else {
    named.at('name').needed()
    if (field === 'serviceAccount') {
      if (named.at('name').text !== '*') named.at('name').ifSet(isSubdomain)
      named.at('namespace').neededAs(isNamespace, 'must specify namespace for service account')
    }
  }
  for (const [other, name] of Object.entries(SUBJECTS)) {
    if (name !== field) spot.at(name).absent(`${name} is forbidden when subject kind is not '${other}'`)
  }
}

function schema(object: Spot): void {
  const spec = object.at('spec')
  const precedence = spec.at('matchingPrecedence')
  if (precedence.atLeast(1, 'must be a positive value') && precedence.number > MAX_PRECEDENCE) {
    precedence.invalid(`must not be greater than ${MAX_PRECEDENCE}`)
  }
  if (precedence.number === 1 && object.at('metadata').at('name').text !== EXEMPT) {
    precedence.invalid("only the schema named 'exempt' may have matchingPrecedence 1")
  }
  const method = spec.at('distinguisherMethod')
  const type = method.at('type')
  if (method.isSet && !['ByNamespace', 'ByUser'].includes(type.text)) {
    type.notSupported(['ByNamespace', 'ByUser'], { Type: type.text })
  }
  const level = spec.at('priorityLevelConfiguration').at('name')
  level.neededAs(isSubdomain, 'must reference a priority level')
  for (const rule of spec.itemsOf('rules')) {
    rule.at('subjects').needed('subjects must contain at least one value')
    rule.itemsOf('subjects').forEach(subject)
    if (rule.at('resourceRules').isEmpty && rule.at('nonResourceRules').isEmpty) {
      rule.required('at least one of resourceRules and nonResourceRules has to be non-empty')
    }
    rule.itemsOf('resourceRules').forEach(resourceRule)
    rule.itemsOf('nonResourceRules').forEach(nonResourceRule)
  }
}

function queuing(spot: Spot): void {
  const [queues, hand] = [spot.at('queues'), spot.at('handSize')]
  spot.at('queueLengthLimit').atLeast(1, 'must be positive')
  if (queues.atLeast(1, 'must be positive') && queues.number > MAX_QUEUES) {
    queues.invalid(`must not be greater than ${MAX_QUEUES}`)
  }
  if (!hand.atLeast(1, 'must be positive')) return
  const sizes = `deckSize ${queues.number} and handSize ${hand.number}`
  if (hand.number > queues.number) hand.invalid(`should not be greater than queues (${queues.number})`)
  else if (Math.ceil(Math.log2(queues.number) * hand.number) > MAX_ENTROPY_BITS) {
    hand.invalid(`required entropy bits of ${sizes} should not be greater than ${MAX_ENTROPY_BITS}`)
  }
}

function response(spot: Spot): void {
  const queues = spot.at('queuing')
  const type = spot.at('type')
  if (!type.neededOneOf(['Queue', 'Reject'])) return
  if (type.text === 'Reject') queues.absent('must be nil if limited.limitResponse.type is not Limited')
  else if (!queues.isSet) queues.required('must not be empty if limited.limitResponse.type is Limited')
  else queuing(queues)
}

const shares = (spot: Spot): boolean =>
  spot.at('nominalConcurrencyShares').atLeastIfSet(0, 'must be a non-negative integer')
const lendable = (spot: Spot): boolean =>
  !spot.at('lendablePercent').isSet || spot.at('lendablePercent').between(0, 100)

function level(object: Spot): void {
  const spec = object.at('spec')
  const [type, limited, exempt] = [spec.at('type'), spec.at('limited'), spec.at('exempt')]
  if ((object.at('metadata').at('name').text === EXEMPT) !== (type.text === 'Exempt')) {
    type.invalid("must be 'Exempt' if and only if `name` is 'exempt'", type.text)
  }
  if (!type.neededOneOf(['Exempt', 'Limited'])) return
  if (type.text === 'Exempt') {
    limited.absent('must be nil if the type is not Limited')
    shares(exempt)
    lendable(exempt)
    return
  }
  exempt.absent('must be nil if the type is Limited')
  if (!limited.isSet) return limited.required('must not be empty when type is Limited')
  shares(limited)
  response(limited.at('limitResponse'))
  lendable(limited)
  limited.at('borrowingLimitPercent').atLeastIfSet(0, 'if specified, must be a non-negative integer')
}

/** Each type of condition once. */
function conditions(object: Spot): void {
  const seen = new Set<string>()
  for (const condition of object.at('status').itemsOf('conditions')) {
    const type = condition.at('type')
    if (seen.has(type.text)) type.duplicate(type.text)
    seen.add(type.text)
    type.needed()
  }
}

export const validateFlowSchema = onCreate(schema)
export const validateFlowSchemaUpdate = onUpdate(schema, conditions)
export const validatePriorityLevel = onCreate(level)
export const validatePriorityLevelUpdate = onUpdate(level, conditions)
