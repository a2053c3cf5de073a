// Rules of resource amounts: which names there are, that amounts are sound, and that requests keep to limits.
// Used for containers, pods, nodes, quotas and claims. Follows pkg/apis/core/validation and pkg/apis/core/helper.
import {
  compareQuantities,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  type Quantity,
} from '../../machinery/quantity.ts'
import { dns1123LabelErrors, qualifiedNameErrors } from '../../machinery/validation.ts'
import { NOT_NEGATIVE, type Spot } from './spot.ts'

const INTEGER = 'must be an integer'
const ZERO = parseQuantity('0')

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']
const COUNTS = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]
const CONTAINER: ReadonlySet<string> = new Set(COMPUTE)
const INTEGERS: ReadonlySet<string> = new Set(COUNTS)
const QUOTA: ReadonlySet<string> = new Set([
  ...COMPUTE,
  ...COMPUTE.map((name) => `requests.${name}`),
  ...COMPUTE.map((name) => `limits.${name}`),
  ...COUNTS,
  'requests.storage',
])
const STANDARD: ReadonlySet<string> = new Set([...QUOTA, 'storage'])

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
const isQuotaHugePages = (name: string): boolean =>
  isHugePages(name) || name.startsWith('requests.hugepages-')
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')
export const mayOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name)

export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && qualifiedNameErrors(`requests.${name}`).length === 0

/** The amount at a spot; undefined where there is none. */
export function amountAt(spot: Spot): Quantity | undefined {
  return spot.isSet ? parseQuantity(String(spot.value)) : undefined
}

/** A name that every list of resources may have: a standard one, or one with a domain. */
export function isResourceName(spot: Spot, name: string): boolean {
  const faults = qualifiedNameErrors(name)
  for (const fault of faults) spot.invalid(fault, name)
  if (faults.length) return false
  if (name.includes('/') || STANDARD.has(name) || isQuotaHugePages(name)) return true
  spot.invalid('must be a standard resource type or fully qualified', name)
  return false
}

/** A name that a container's resources may have. */
export function isContainerResourceName(spot: Spot, name: string): void {
  isResourceName(spot, name)
  if (!name.includes('/')) {
    if (!CONTAINER.has(name) && !isHugePages(name))
      spot.invalid('must be a standard resource for containers', name)
  } else if (!isNative(name) && !isExtended(name)) {
    spot.invalid("doesn't follow extended resource name standard", name)
  }
}

/** One of the names that quotas know. */
export const isQuotaName = (name: string): boolean => QUOTA.has(name) || isQuotaHugePages(name)

/** A name that a quota may limit. */
export function isQuotaResourceName(spot: Spot, name: string): void {
  isResourceName(spot, name)
  if (!name.includes('/') && !isQuotaName(name)) {
    spot.invalid('must be a standard resource for quota', name)
  }
}

/** Not negative, and whole where the resource counts things. */
export function isAmountOf(spot: Spot, name: string): void {
  const amount = amountAt(spot)
  if (!amount) return
  if (compareQuantities(amount, ZERO) < 0) spot.invalid(NOT_NEGATIVE, String(spot.value))
  const whole = quantityMilliValue(amount) % 1000 === 0
  if (!whole && (INTEGERS.has(name) || isExtended(name))) spot.invalid(INTEGER, String(spot.value))
}

/** Bytes of a page, from the name of the resource: hugepages-2Mi. 0: not a size. */
function pageSize(name: string): number {
  try {
    const size = parseQuantity(name.slice('hugepages-'.length))
    return quantityMilliValue(size) % 1000 === 0 ? Math.max(0, quantityValue(size)) : 0
  } catch {
    return 0
  }
}

/** Huge pages come whole. */
function isWholePages(spot: Spot, name: string): void {
  const amount = isHugePages(name) ? amountAt(spot) : undefined
  if (!amount) return
  const size = pageSize(name)
  if (size && quantityValue(amount) % size === 0) return
  spot.invalid(`${String(spot.value)} is not positive integer multiple of ${name}`, String(spot.value))
}

export function isNotNegative(spot: Spot): void {
  const amount = amountAt(spot)
  if (amount && compareQuantities(amount, ZERO) < 0) spot.invalid(NOT_NEGATIVE, String(spot.value))
}

/** Above zero. */
export function isPositive(spot: Spot, detail = 'must be greater than zero'): void {
  const amount = amountAt(spot) ?? ZERO
  if (compareQuantities(amount, ZERO) <= 0) spot.invalid(detail, String(spot.value))
}

function requestKeepsToLimit(resources: Spot, name: string): void {
  const request = resources.at('requests').key(name)
  const limit = resources.at('limits').key(name)
  const wanted = amountAt(request)
  const most = amountAt(limit)
  if (!most || !wanted) {
    if (!mayOvercommit(name))
      resources.at('limits').required('Limit must be set for non overcommitable resources')
    return
  }
  const order = compareQuantities(wanted, most)
  const spot = resources.at('requests')
  if (order !== 0 && !mayOvercommit(name)) {
    spot.invalid(`must be equal to ${name} limit of ${String(limit.value)}`, String(request.value))
  } else if (order > 0) {
    spot.invalid(
      `must be less than or equal to ${name} limit of ${String(limit.value)}`,
      String(request.value),
    )
  }
}

/** Limits and requests of a container, and the claims it names. */
export function resourceRequirements(
  resources: Spot,
  claimNames: readonly string[],
  isName = isContainerResourceName,
): void {
  if (!resources.isSet) return
  const limits = resources.at('limits')
  const requests = resources.at('requests')
  for (const name of limits.keys()) {
    isName(limits.key(name), name)
    isAmountOf(limits.key(name), name)
    isWholePages(limits.key(name), name)
  }
  for (const name of requests.keys()) {
    isName(requests.key(name), name)
    isAmountOf(requests.key(name), name)
    isWholePages(requests.key(name), name)
    requestKeepsToLimit(resources, name)
  }
  const names = [...limits.keys(), ...requests.keys()]
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    resources.forbidden('HugePages require cpu or memory')
  }
  claimReferences(resources.at('claims'), claimNames)
}

function claimReferences(claims: Spot, known: readonly string[]): void {
  const seen = new Set<string>()
  for (const claim of claims.items()) {
    const [name, request] = [claim.at('name').text, claim.at('request')]
    if (!name) {
      claim.required()
      continue
    }
    if (seen.has(name)) claim.duplicate(name)
    else {
      request.ifSet(dns1123LabelErrors)
      const key = request.text ? `${name}/${request.text}` : name
      if (seen.has(key)) claim.duplicate(key)
      // All of a claim of which requests were named before.
      else if (!request.text)
        for (const other of seen) if (other.startsWith(`${name}/`)) claim.duplicate(name)
      seen.add(key)
    }
    if (known.includes(name)) continue
    const names = known.length ? `: ${[...known].sort().join(', ')}` : ' which is empty'
    claim.notFoundAmong(name, `must be one of the names in pod.spec.resourceClaims${names}`)
  }
}
