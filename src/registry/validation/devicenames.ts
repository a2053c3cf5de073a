// The rules that all kinds of resource.k8s.io share: names of drivers, pools and attributes, taints, opaque parameters,
// and lists with a limit.
// Used by devices.ts, deviceclaims.ts and deviceslices.ts. Follows pkg/apis/resource/validation.
import { jsonText } from '../../machinery/jsontext.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { cIdentifierErrors } from '../../machinery/validation.ts'
import { isSelector } from './deviceselectors.ts'
import type { Spot } from './spot.ts'
import { isDriverName } from './volumesources.ts'

const MAX_POOL_NAME = 253
const MAX_ID = 32
/** Bytes of opaque parameters, of a device's data, and of an expression. */
export const MAX_DATA = 10 * 1024
const MAX_SELECTORS = 32
const MAX_BINDING_CONDITIONS = 4
const TAINT_EFFECTS = ['NoExecute', 'NoSchedule', 'None']
const HIDDEN = '<value omitted>'

type Rule = (item: Spot) => void

/** Holds each item to the rule; a list that is too long is not looked at. Answers whether it was. */
export function listOf(list: Spot, most: number, rule: Rule): boolean {
  if (list.items().length > most) {
    list.tooMany(most)
    return false
  }
  list.items().forEach(rule)
  return true
}

/** The same for a list whose items, or what `keyOf` reads of them, are there once. */
export function setOf(list: Spot, most: number, rule: Rule, keyOf = (item: Spot): string => item.text): void {
  if (!listOf(list, most, rule)) return
  const seen = new Set<string>()
  for (const item of list.items()) {
    const key = keyOf(item)
    if (seen.has(key)) item.duplicate(key)
    seen.add(key)
  }
}

export const nameOf = (item: Spot): string => item.at('name').text

/** Domains with slashes between them. */
export function isPoolName(spot: Spot): void {
  if (!spot.needed()) return
  if (spot.text.length > MAX_POOL_NAME) spot.tooLong(MAX_POOL_NAME)
  for (const part of spot.text.split('/')) {
    for (const fault of nameIsDnsSubdomain(part, false)) spot.invalid(fault, part)
  }
}

function isIdentifier(spot: Spot): void {
  if (spot.text.length > MAX_ID) spot.tooLong(MAX_ID)
  spot.matches(cIdentifierErrors)
}

/** The name of an attribute or a capacity: domain/identifier, or the identifier alone. */
export function isAttributeName(spot: Spot): void {
  const parts = spot.text.split('/')
  const [domain = '', id = ''] = parts
  if (parts.length === 1) isIdentifier(spot)
  // More slashes are taken, as upstream does.
  if (parts.length !== 2) return
  if (domain) isDriverName(spot.with(domain))
  else spot.invalid('the domain must not be empty', '')
  if (id) isIdentifier(spot.with(id))
  else spot.invalid('the name must not be empty', '')
}

export function isFullAttributeName(spot: Spot): void {
  isAttributeName(spot)
  if (spot.text.includes('/')) return
  spot.invalid('a fully qualified name must be a domain and a name separated by a slash')
}

/** A map whose keys are names; a fault of a key is one of the map. */
export function mapOf(map: Spot, isName: Rule, rule: Rule): void {
  for (const name of map.keys()) {
    isName(map.with(name))
    rule(map.key(name))
  }
}

/** A JSON object of at most 10 KiB; `stored`: it was there before the limit was. */
export function isJsonObject(spot: Spot, stored = false): void {
  if (!spot.isSet) return spot.required()
  // DEVIATION: the limit counts the bytes of the compact form, not those that the client sent.
  if (!stored && Buffer.byteLength(jsonText(spot.value)) > MAX_DATA) return spot.tooLong(MAX_DATA)
  if (typeof spot.value !== 'object' || Array.isArray(spot.value)) {
    spot.invalid('must be a valid JSON object', HIDDEN)
  }
}

export function deviceConfiguration(config: Spot, stored = false): void {
  const opaque = config.at('opaque')
  if (!opaque.isSet) return opaque.required()
  isDriverName(opaque.at('driver'))
  isJsonObject(opaque.at('parameters'), stored)
}

export function selectors(list: Spot): void {
  listOf(list, MAX_SELECTORS, (selector) => {
    const cel = selector.at('cel')
    if (!cel.isSet) return cel.required()
    const expression = cel.at('expression')
    if (Buffer.byteLength(expression.text) > MAX_DATA) expression.tooLong(MAX_DATA)
    else isSelector(expression)
  })
}

export function isTaintEffect(effect: Spot): void {
  effect.oneOf(TAINT_EFFECTS)
}

export function taint(spot: Spot): void {
  spot.at('key').isQualifiedName()
  if (spot.at('value').text) spot.at('value').isLabelValue()
  if (spot.at('effect').needed()) isTaintEffect(spot.at('effect'))
}

const texts = (list: Spot): Set<string> => new Set(list.items().map((item) => item.text))

function unequal(list: Spot, others: ReadonlySet<string>): void {
  const seen = new Set<string>()
  for (const item of list.items()) {
    if (seen.has(item.text)) item.duplicate()
    seen.add(item.text)
    if (!others.has(item.text)) continue
    item.invalid('bindingFailureConditions must not overlap with bindingConditions')
  }
}

/** What must come true, or must not, before a pod is bound: both, or neither. */
export function bindingConditions(spot: Spot): void {
  const [conditions, failures] = [spot.at('bindingConditions'), spot.at('bindingFailureConditions')]
  for (const list of [conditions, failures]) {
    listOf(list, MAX_BINDING_CONDITIONS, (item) => void item.isQualifiedName())
  }
  unequal(conditions, new Set())
  unequal(failures, texts(conditions))
  if (conditions.isEmpty && !failures.isEmpty) {
    conditions.invalid('bindingConditions are required to use bindingFailureConditions')
  }
  if (failures.isEmpty && !conditions.isEmpty) {
    failures.invalid('bindingFailureConditions are required to use bindingConditions')
  }
}
