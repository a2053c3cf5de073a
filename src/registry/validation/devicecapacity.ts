// Rules of how much of a device's capacity a request may take, where several share the device.
// Used by deviceslices.ts. Follows pkg/apis/resource/validation.
import { addQuantities, compareQuantities, formatQuantity, quantityValue } from '../../machinery/quantity.ts'
import type { Quantity } from '../../machinery/quantity.ts'
import { setOf } from './devicenames.ts'
import { amountAt } from './resources.ts'
import type { Spot } from './spot.ts'

const MAX_OPTIONS = 10
const TWO_POLICIES =
  'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'

const isMore = (a: Quantity, b: Quantity): boolean => compareQuantities(a, b) > 0

interface Amounts {
  readonly capacity: Quantity
  readonly standard: Quantity
}

function options(list: Spot, { capacity, standard }: Amounts): void {
  const items = list.items()
  items.forEach((item, i) => {
    const [before, now] = [items[i - 1], amountAt(item)]
    const last = before && amountAt(before)
    if (!last || !now || !isMore(last, now)) return
    item.invalid('values must be sorted in ascending order')
  })
  const value = (item: Spot): string => String(quantityValue(amountAt(item) ?? standard))
  const isTooLarge = (item: Spot): void => {
    if (!isMore(amountAt(item) ?? capacity, capacity)) return
    item.invalid(`option is larger than capacity value: ${formatQuantity(capacity)}`)
  }
  setOf(list, MAX_OPTIONS, isTooLarge, value)
  if (
    items.length > MAX_OPTIONS ||
    !items.some((item) => compareQuantities(amountAt(item) ?? capacity, standard) === 0)
  ) {
    list.invalid('default value is not valid according to the requestPolicy', formatQuantity(standard))
  }
}

function step(
  spot: Spot,
  least: Quantity,
  most: Quantity | undefined,
  { capacity, standard }: Amounts,
): void {
  const size = amountAt(spot)
  if (!size) return
  const once = addQuantities(least, size)
  if (isMore(once, capacity)) {
    spot.invalid(
      `one step ${formatQuantity(once)} is larger than capacity value: ${formatQuantity(capacity)}`,
      formatQuantity(size),
    )
  }
  for (const value of [standard, most]) {
    // A step of zero ends upstream's request in a panic.
    if (!value || (quantityValue(value) - quantityValue(least)) % quantityValue(size) === 0) continue
    spot.invalid(
      `value is not a multiple of a given step (${formatQuantity(size)}) from (${formatQuantity(least)})`,
      formatQuantity(value),
    )
  }
}

function range(spot: Spot, amounts: Amounts): void {
  const { capacity, standard } = amounts
  const [min, max] = [spot.at('min'), spot.at('max')]
  const [least, most] = [amountAt(min), amountAt(max)]
  if (!least) return min.required('required when validRange is defined')
  const [all, from] = [formatQuantity(capacity), formatQuantity(least)]
  if (isMore(least, capacity)) min.invalid(`min is larger than capacity value: ${all}`, from)
  if (isMore(least, standard)) min.invalid(`default is less than min: ${from}`, formatQuantity(standard))
  if (most) {
    const to = formatQuantity(most)
    if (isMore(least, most)) max.invalid(`min is larger than max: ${to}`, from)
    if (isMore(most, capacity)) max.invalid(`max is larger than capacity value: ${all}`, to)
    if (isMore(standard, most)) max.invalid(`default is more than max: ${to}`, formatQuantity(standard))
  }
  step(spot.at('step'), least, most, amounts)
}

/** What may be asked of a capacity: values, or a range, of which a default is one. */
export function requestPolicy(policy: Spot, value: Spot): void {
  const [values, valid] = [policy.at('validValues'), policy.at('validRange')]
  if (!values.isEmpty && valid.isSet) return policy.forbidden(TWO_POLICIES)
  const name = values.isEmpty ? 'validRange' : 'validValues'
  if (!policy.at(name).isSet) return
  const [capacity, standard] = [amountAt(value), amountAt(policy.at('default'))]
  if (!standard) return policy.at('default').required(`required when ${name} is defined`)
  if (!capacity) return
  if (values.isEmpty) range(valid, { capacity, standard })
  else options(values, { capacity, standard })
}
