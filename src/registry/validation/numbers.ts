// Rules of numbers that may be percentages: how many pods may be missing, or too many.
// Follows pkg/apis/apps/validation and pkg/apis/policy/validation.
import { percentErrors } from '../../machinery/validation.ts'
import type { Spot } from './spot.ts'

/** A number that is not negative, or a percentage. */
export function isIntOrPercent(spot: Spot): void {
  if (!spot.isSet) return
  if (typeof spot.value === 'string') spot.matches(percentErrors)
  else spot.atLeast(0)
}

/** No percentage above 100. */
export function isNotMoreThanAll(spot: Spot): void {
  if (typeof spot.value !== 'string' || !/^[0-9]+%$/.test(spot.value)) return
  if (Number.parseInt(spot.value, 10) > 100) spot.invalid('must not be greater than 100%')
}

/** What a number or percentage says, without the sign. */
export const amountOf = (spot: Spot): number =>
  typeof spot.value === 'string' ? Number.parseInt(spot.value, 10) || 0 : spot.number
