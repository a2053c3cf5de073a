// Capacity that claims take of devices which several may have at once: how much a request takes, and what is left.
// Follows k8s.io/dynamic-resource-allocation/structured/internal/incubating/consumable_capacity.go.
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  CapacityRequirements,
  Device,
  DeviceCapacity,
} from '../../../client/kinds/resource.v1.gen.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  newQuantity,
  parseQuantity,
  type Quantity,
  quantityValue,
  subtractQuantities,
} from '../../../machinery/quantity.ts'

/** Amounts by the names of capacities. */
export type Amounts = ReadonlyMap<string, Quantity>

/** Whether several may have the device at once. */
export const isShared = ({ allowMultipleAllocations }: Device): boolean => allowMultipleAllocations === true

/** What an allocation says that it takes. */
export const amountsOf = (texts: Readonly<Record<string, string>> = {}): Amounts =>
  new Map(Object.entries(texts).map(([name, text]) => [name, parseQuantity(text)]))

export const textsOf = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]))

/** `a` with the amounts of `b` added, or taken away. */
export function combined(a: Amounts | undefined, b: Amounts, sign: 1 | -1): Amounts {
  const sums = new Map(a)
  const both = sign === 1 ? addQuantities : subtractQuantities
  for (const [name, amount] of b) sums.set(name, both(sums.get(name) ?? NOTHING, amount))
  return sums
}

const NOTHING = newQuantity(0, 'DecimalSI')

/**
 * What the request takes of a device of which `used` is taken; undefined: it has not that much left, it has no such
 * capacity, or gives none in such amounts.
 */
export function takenOf(
  { capacity = {} }: Device,
  { requests = {} }: CapacityRequirements = {},
  used: Amounts | undefined,
): Amounts | undefined {
  if (Object.keys(requests).some((name) => !Object.hasOwn(capacity, name))) return undefined
  const taken = new Map<string, Quantity>()
  for (const [name, one] of Object.entries(capacity)) {
    const asked = Object.hasOwn(requests, name) ? requests[name] : undefined
    const amount = amountOf(asked, one)
    if (!isAllowed(amount, one.requestPolicy)) return undefined
    const sum = addQuantities(used?.get(name) ?? NOTHING, amount)
    if (compareQuantities(sum, parseQuantity(one.value)) > 0) return undefined
    taken.set(name, amount)
  }
  return taken
}

/** What is asked for, brought up to the next amount that the device gives; without a word its default, or all of it. */
function amountOf(text: string | undefined, { value, requestPolicy: policy }: DeviceCapacity): Quantity {
  if (text === undefined) return parseQuantity(policy?.default ?? value)
  const asked = parseQuantity(text)
  if (policy?.validRange) return inRange(asked, policy.validRange)
  const larger = policy?.validValues?.map(parseQuantity).find((one) => compareQuantities(asked, one) <= 0)
  return larger ?? asked
}

function inRange(asked: Quantity, { min, step }: CapacityRequestPolicyRange): Quantity {
  const least = parseQuantity(min)
  if (compareQuantities(asked, least) < 0) return least
  if (step === undefined) return asked
  const [from, by] = [quantityValue(least), quantityValue(parseQuantity(step))]
  return newQuantity(from + by * Math.ceil((quantityValue(asked) - from) / by), 'BinarySI')
}

function isAllowed(amount: Quantity, policy: CapacityRequestPolicy | undefined): boolean {
  if (!policy || compareQuantities(amount, parseQuantity(policy.default)) === 0) return true
  const { validRange, validValues = [] } = policy
  if (validRange) {
    const { min, max, step } = validRange
    if (max !== undefined && compareQuantities(amount, parseQuantity(max)) > 0) return false
    const beyond = quantityValue(amount) - quantityValue(parseQuantity(min))
    return step === undefined || beyond % quantityValue(parseQuantity(step)) === 0
  }
  return (
    validValues.length === 0 || validValues.some((one) => compareQuantities(amount, parseQuantity(one)) === 0)
  )
}
