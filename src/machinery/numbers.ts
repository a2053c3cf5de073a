// Numbers in JSON values: integers of 64 bits are numbers where these can hold them, else bigints (see Json in json.ts).
// Follows what Go's decoders make of a number: int64 where it fits, float64 where not (sigs.k8s.io/json).
import type { Json } from './json.ts'

export const MAX_INT64 = 9223372036854775807n
export const MIN_INT64 = -9223372036854775808n

/** More characters than these are no integer of 64 bits, and would cost time to read as one. */
const MAX_INT64_TEXT = 20
const INTEGER = /^-?[0-9]+$/

/** The JSON value of an integer of 64 bits. */
export const jsonInteger = (value: bigint): number | bigint =>
  value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value

/** What a number in a JSON text stands for; `token` is one by JSON's grammar. May be infinite. */
export function jsonNumber(token: string): number | bigint {
  const value = Number(token)
  if (Number.isSafeInteger(value) || token.length > MAX_INT64_TEXT || !INTEGER.test(token)) return value
  const exact = BigInt(token)
  return exact <= MAX_INT64 && exact >= MIN_INT64 ? exact : value
}

/** Whether the value is a whole number that counts as one: a float64 does up to 2^53, beyond which it may be rounded. */
export const isInteger = (value: Json | undefined): value is number | bigint =>
  typeof value === 'bigint' || Number.isSafeInteger(value)

/** Either kind of number. */
export const isNumeric = (value: Json | undefined): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint'

/** A number as Go's FormatFloat(…, 'g', -1, 64) prints it: from a million on with an exponent. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power < -4 || power >= 6) {
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  }
  return Object.is(value, -0) ? '-0' : String(value)
}

/** A number as Go shows it in messages: whole ones in full as far as they count as integers, others as formatFloat. */
export const goNumber = (value: number | bigint): string =>
  isInteger(value) ? String(value) : formatFloat(Number(value))
