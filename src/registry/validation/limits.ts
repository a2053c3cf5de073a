// Rules of what a namespace's objects may use: limit ranges and resource quotas.
// Follows pkg/apis/core/validation.
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { compareQuantities, parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { qualifiedNameErrors } from '../../machinery/validation.ts'
import { FIELD_IMMUTABLE } from '../metadata.ts'
import { objectAt, textsAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import {
  amountAt,
  isAmountOf,
  isContainerResourceName,
  isQuotaName,
  isQuotaResourceName,
  isResourceName,
  mayOvercommit,
} from './resources.ts'
import { Spot } from './spot.ts'

const LIMIT_TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio']
const ONE = parseQuantity('1')

function limitType(type: Spot): void {
  if (!type.matches(qualifiedNameErrors) || type.text.includes('/') || LIMIT_TYPES.includes(type.text)) return
  type.invalid('must be a standard limit type or fully qualified')
}

/** Of two amounts of one resource, the first may not be above the second. */
const ORDER: readonly (readonly [low: string, high: string, at: string, shown: string, text: string])[] = [
  ['min', 'max', 'min', 'min', 'min value LOW is greater than max value HIGH'],
  [
    'min',
    'defaultRequest',
    'defaultRequest',
    'defaultRequest',
    'min value LOW is greater than default request value HIGH',
  ],
  [
    'defaultRequest',
    'max',
    'defaultRequest',
    'defaultRequest',
    'default request value LOW is greater than max value HIGH',
  ],
  [
    'defaultRequest',
    'default',
    'defaultRequest',
    'defaultRequest',
    'default request value LOW is greater than default limit value HIGH',
  ],
  ['min', 'default', 'default', 'min', 'min value LOW is greater than default value HIGH'],
  ['default', 'max', 'default', 'max', 'default value LOW is greater than max value HIGH'],
]

function amounts(limit: Spot, name: string): void {
  for (const [low, high, at, shown, text] of ORDER) {
    const [a, b] = [limit.at(low).key(name), limit.at(high).key(name)]
    const [least, most] = [amountAt(a), amountAt(b)]
    if (!least || !most || compareQuantities(least, most) <= 0) continue
    const why = text.replace('LOW', String(a.value)).replace('HIGH', String(b.value))
    limit
      .at(at)
      .key(name)
      .invalid(why, String(limit.at(shown).key(name).value))
  }
  const spot = limit.at('maxLimitRequestRatio').key(name)
  const ratio = amountAt(spot)
  if (ratio && compareQuantities(ratio, ONE) < 0)
    spot.invalid(`ratio ${String(spot.value)} is less than 1`, String(spot.value))
  const [least, most] = [amountAt(limit.at('min').key(name)), amountAt(limit.at('max').key(name))]
  if (ratio && least && most) {
    const widest = quantityMilliValue(most) / quantityMilliValue(least)
    if (quantityMilliValue(ratio) / 1000 > widest) {
      const shown = Number.isFinite(widest) ? widest.toFixed(6) : Number.isNaN(widest) ? 'NaN' : '+Inf'
      spot.invalid(`ratio ${String(spot.value)} is greater than max/min = ${shown}`, String(spot.value))
    }
  }
  const [given, asked] = [limit.at('default').key(name), limit.at('defaultRequest').key(name)]
  const [one, other] = [amountAt(given), amountAt(asked)]
  if (mayOvercommit(name) || !one || !other || compareQuantities(one, other) === 0) return
  const why = `default value ${String(given.value)} must equal to defaultRequest value ${String(asked.value)} in ${name}`
  asked.invalid(why, String(asked.value))
}

function limitRules(limit: Spot): void {
  const isPod = limit.at('type').text === 'Pod'
  for (const list of LISTS) {
    const spot = limit.at(list)
    const forbidden = isPod && (list === 'default' || list === 'defaultRequest')
    if (forbidden && !spot.isEmpty) spot.forbidden("may not be specified when `type` is 'Pod'")
    if (forbidden) continue
    for (const name of spot.keys()) {
      if (isPod || limit.at('type').text === 'Container') isContainerResourceName(spot.key(name), name)
      else isResourceName(spot.key(name), name)
    }
  }
  const storage = ['min', 'max'].some((list) => limit.at(list).at('storage').isSet)
  if (limit.at('type').text === 'PersistentVolumeClaim' && !storage) {
    limit
      .at('limits')
      .required('either minimum or maximum storage value is required, but neither was provided')
  }
  const names = new Set(LISTS.flatMap((list) => limit.at(list).keys()))
  for (const name of names) amounts(limit, name)
}

export function validateLimitRange(range: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  const types = new Set<string>()
  for (const limit of Spot.of(range, causes).at('spec').itemsOf('limits')) {
    const type = limit.at('type')
    limitType(type)
    if (types.has(type.text)) type.duplicate()
    types.add(type.text)
    limitRules(limit)
  }
  return causes
}

const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
]
const POD_RESOURCES = /^(pods|cpu|memory|(requests|limits)\.(cpu|memory))$/
const SCOPE_EXISTS =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

/** Whether a quota with this scope can count this resource. */
function scopeCounts(scope: string, name: string): boolean {
  if (scope === 'BestEffort') return name === 'pods'
  if (scope === 'VolumeAttributesClass')
    return name === 'persistentvolumeclaims' || name === 'requests.storage'
  return !SCOPES.includes(scope) || POD_RESOURCES.test(name)
}

const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

/** `shown`: `spec.scopes`, whichever way the scopes were given. */
function conflicts(spot: Spot, scopes: readonly string[], shown: Spot): void {
  for (const [one, other] of CONFLICTS) {
    if (scopes.includes(one) && scopes.includes(other))
      spot.invalid('conflicting scopes', shown.value ?? null)
  }
}

const UNCOUNTED = 'unsupported scope applied to resource'

function quotaScopes(spec: Spot): void {
  const scopes = spec.at('scopes')
  const names = spec.at('hard').keys()
  for (const scope of scopes.items()) {
    if (!SCOPES.includes(scope.text)) scopes.invalid('unsupported scope')
    for (const name of names) {
      if (isQuotaName(name) && !scopeCounts(scope.text, name)) scopes.invalid(UNCOUNTED)
    }
  }
  conflicts(
    scopes,
    scopes.items().map((scope) => scope.text),
    scopes,
  )
}

/** The selector as upstream shows it, by its names in Go. */
const shownSelector = (list: Spot): JsonObject => ({
  MatchExpressions: list.items().map((item) => ({
    ScopeName: item.at('scopeName').text,
    Operator: item.at('operator').text,
    Values: item.at('values').value ?? null,
  })),
})

function scopeSelector(spec: Spot): void {
  const names = spec.at('hard').keys().filter(isQuotaName)
  const list = spec.at('scopeSelector').at('matchExpressions')
  for (const expression of list.items()) {
    const [scope, operator, values] = ['scopeName', 'operator', 'values'].map((name) =>
      list.at(name).with(expression.object[name]),
    ) as [Spot, Spot, Spot]
    if (!SCOPES.includes(scope.text)) scope.invalid('unsupported scope')
    for (const name of names) if (!scopeCounts(scope.text, name)) list.invalid(UNCOUNTED, shownSelector(list))
    const plain =
      SCOPES.includes(scope.text) && scope.text !== 'PriorityClass' && scope.text !== 'VolumeAttributesClass'
    if (plain && operator.text !== 'Exists') operator.invalid(SCOPE_EXISTS)
    if (operator.text === 'In' || operator.text === 'NotIn') {
      values.needed("must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")
    } else if (operator.text === 'Exists' || operator.text === 'DoesNotExist') {
      if (!values.isEmpty) {
        values.invalid("must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector")
      }
    } else operator.invalid('not a valid selector operator')
  }
  const scopes = list.items().map((item) => item.at('scopeName').text)
  conflicts(list, scopes, spec.at('scopes'))
}

function amountsOf(list: Spot): void {
  for (const name of list.keys()) {
    isQuotaResourceName(list.key(name), name)
    isAmountOf(list.key(name), name)
  }
}

function quotaSpec(spec: Spot): void {
  amountsOf(spec.at('hard'))
  quotaScopes(spec)
  scopeSelector(spec)
}

export function validateQuota(quota: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  quotaSpec(Spot.of(quota, causes).at('spec'))
  return causes
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.every((text) => b.includes(text)) && b.every((text) => a.includes(text))

export function validateQuotaUpdate(
  quota: KubeObject,
  old: KubeObject,
  context: WriteContext,
): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(quota, causes)
  if (context.subresource === 'status') {
    amountsOf(spot.at('status').at('hard'))
    amountsOf(spot.at('status').at('used'))
    return causes
  }
  quotaSpec(spot.at('spec'))
  const before: JsonObject = objectAt(old['spec'])
  const scopes = spot.at('spec').at('scopes')
  if (!sameSet(textsAt(scopes.value as string[]), textsAt(before['scopes'] as string[])))
    scopes.invalid(FIELD_IMMUTABLE)
  return causes
}
