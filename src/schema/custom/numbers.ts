// Bounds of numbers by a schema. Made once for each node. Integers are compared as such with the bounds, which are
// floats, made integers; where a bound is no integer of the type's range, that is a fault of its own, and all is floats.
// Follows k8s.io/kube-openapi/pkg/validation/validate (validator.go's numberValidator, values.go).
import type { JsonObject } from '../../machinery/json.ts'
import { goNumber, isInteger, isNumeric, MIN_INT64 } from '../../machinery/numbers.ts'
import { cause } from '../../machinery/status.ts'
import { type Check, fieldOf, formatOf, numberOf, wholeCause } from './scalars.ts'

const MAX_INT32 = 2 ** 31 - 1
const MIN_INT32 = -(2 ** 31)
const BEYOND_INT64 = 2 ** 63

type Num = number | bigint

/** One bound of a node. */
interface Bound {
  /** How upstream names it where it is out of the type's range. */
  readonly name: string
  readonly value: number
  /** What a value that is not within should be. */
  readonly demand: string
  readonly holds: (value: Num, bound: Num) => boolean
}

/** undefined where there is nothing to check. */
export function numberCheck(props: JsonObject): Check | undefined {
  const bounds = boundsOf(props)
  const isWhole = props['type'] === 'integer'
  if (bounds.length === 0 && !isWhole) return undefined
  const format = isWhole ? formatOf(props) : ''
  const shape = format === '' ? '(default format)' : `with format ${format}`
  const fits = (value: Num): boolean => !isWhole || isInRange(value, format)
  const outside = bounds.map(({ value }) => !fits(value))
  return (value, path, result) => {
    if (!isNumeric(value)) return
    const unfit = (what: string): void =>
      result.add(wholeCause(`${what} value must be of type integer ${shape} in ${path}`))
    if (!fits(value)) unfit('Checked')
    bounds.forEach((bound, i) => {
      if (outside[i]) unfit(bound.name)
      const [given, limit] =
        !outside[i] && isInteger(value) ? [value, asInt64(bound)] : [Number(value), bound.value]
      if (bound.holds(given, limit)) return
      result.add(
        cause.invalid(fieldOf(path), given, `${path} in body should be ${bound.demand} ${goNumber(limit)}`),
      )
    })
    result.matches++
  }
}

function boundsOf(props: JsonObject): Bound[] {
  const bounds: Bound[] = []
  const factor = numberOf(props, 'multipleOf')
  if (factor !== undefined)
    bounds.push({ name: 'MultipleOf', value: factor, demand: 'a multiple of', holds: isMultiple })
  const min = numberOf(props, 'minimum')
  if (min !== undefined) {
    const name = 'Minimum boundary'
    if (props['exclusiveMinimum'] === true)
      bounds.push({ name, value: min, demand: 'greater than', holds: (a, b) => a > b })
    else bounds.push({ name, value: min, demand: 'greater than or equal to', holds: (a, b) => a >= b })
  }
  const max = numberOf(props, 'maximum')
  if (max !== undefined) {
    const name = 'Maximum boundary'
    if (props['exclusiveMaximum'] === true)
      bounds.push({ name, value: max, demand: 'less than', holds: (a, b) => a < b })
    else bounds.push({ name, value: max, demand: 'less than or equal to', holds: (a, b) => a <= b })
  }
  return bounds
}

/** Whether the digits of a number, as Go writes it without an exponent, are an integer of the format. */
function isInRange(value: Num, format: string): boolean {
  if (format === 'int32' && (value > MAX_INT32 || value < MIN_INT32)) return false
  return typeof value === 'bigint' || (Number.isInteger(value) && Math.abs(value) < BEYOND_INT64)
}

/** Go's conversion of a float64, which beyond int64 is what the processor makes of it. */
function asInt64({ value, holds }: Bound): Num {
  const whole = Math.trunc(value)
  // Of a value that counts as an integer nobody knows whether it was one: a factor below 1 is for floats.
  if (holds === isMultiple && whole === 0) return value
  if (Number.isSafeInteger(whole)) return whole
  return Math.abs(whole) < BEYOND_INT64 ? BigInt(whole) : MIN_INT64
}

function isMultiple(value: Num, factor: Num): boolean {
  if (isInteger(value) && isInteger(factor)) {
    if (typeof value === 'number' && typeof factor === 'number') return value % factor === 0
    return BigInt(value) % BigInt(factor) === 0n
  }
  const [data, by] = [Number(value), Number(factor)]
  return isJsonInteger(by < 1 ? (1 / by) * data : data / by)
}

/** What Go allows for that floating point loses. */
const TOLERANCE = 1e-9

/** A float64 counts as an integer up to 2^53, and where it is little more than one. */
function isJsonInteger(value: number): boolean {
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return false
  if (Number.isInteger(value)) return true
  const below = Math.floor(value)
  return below > 0 && (value - below) / (value + below) < TOLERANCE
}
