// resource.Quantity: fixed-point amounts such as "500m", "128Mi" and "1e3", exact at any size.
// Follows k8s.io/apimachinery/pkg/api/resource: the same texts in and out, the same rounding, the same errors.

/** How a quantity was written, and is written again: 12e6, 12Mi or 12M. */
export type QuantityFormat = 'DecimalExponent' | 'BinarySI' | 'DecimalSI'

/** An immutable amount: `unscaled` times ten to the power of `scale`. */
export interface Quantity {
  readonly unscaled: bigint
  readonly scale: number
  readonly format: QuantityFormat
  /** The text as it was parsed, where upstream gives it back unchanged ("+5", "1.500"). */
  readonly text?: string
}

/** A text that is no quantity; `message` is upstream's. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'QuantityError'
  }
}

const FORMAT_WRONG =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const NUMERIC_WRONG = 'unable to parse numeric part of quantity'
const SUFFIX_WRONG = "unable to parse quantity's suffix"

const NANO = -9
const MAX_INT64 = 9223372036854775807n
/** Decimal digits that always fit 64 bits. */
const SAFE_DIGITS = 18
/** DEVIATION: upstream has no bound. Longer texts name no amount of anything, and cost quadratic time to read. */
const MAX_TEXT_LENGTH = 1024
/** DEVIATION: upstream aligns 1e1000000000 with 1 digit by digit until memory ends; further apart, the larger wins. */
const MAX_SCALE_SPAN = 4096
/** Texts repeat ("100m", "128Mi"): what is known of them is kept, up to this many, if they are as short as most. */
const CACHED_TEXTS = 4096
const MAX_CACHED_LENGTH = 32

const DECIMAL_SUFFIXES = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const DECIMAL_NAMES = new Map([...DECIMAL_SUFFIXES].map(([suffix, exponent]) => [exponent, suffix]))
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

const cache = new Map<string, Quantity>()

function remember<T>(known: Map<string, T>, text: string, value: T): T {
  if (text.length > MAX_CACHED_LENGTH) return value
  if (known.size >= CACHED_TEXTS) known.clear()
  known.set(text, value)
  return value
}

/** Parses a quantity. @throws QuantityError */
export function parseQuantity(text: string): Quantity {
  const known = cache.get(text)
  if (known) return known
  return remember(cache, text, text === '0' ? zero(text) : parseText(text))
}

const zero = (text: string): Quantity => ({ unscaled: 0n, scale: 0, format: 'DecimalSI', text })

const canonicalTexts = new Map<string, string>()

/** The canonical text of a quantity's text: what a stored object shows. @throws QuantityError */
export function canonicalQuantity(text: string): string {
  return canonicalTexts.get(text) ?? remember(canonicalTexts, text, formatQuantity(parseQuantity(text)))
}

const SHAPE = /^([+-]?)(0*)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/

function parseText(text: string): Quantity {
  if (text === '' || text.length > MAX_TEXT_LENGTH) throw new QuantityError(FORMAT_WRONG)
  const shape = SHAPE.exec(text)
  if (!shape) throw new QuantityError(FORMAT_WRONG)
  const [, sign = '', zeros = '', digits = '', fraction = '', suffix = ''] = shape
  // Upstream forgets the point, the sign and leading zeros of "+000", but takes "." for zero only behind a digit.
  if (digits === '' && !text.includes('.') && suffix === '') return zeroOf()
  const { exponent, format } = interpretSuffix(suffix)
  const whole = digits === '' ? '0' : digits
  const shifted = whole + fraction
  const narrow = parseNarrow({ text, negative: sign === '-', shifted, fraction, exponent, format })
  if (narrow) return narrow
  if (zeros + digits + fraction === '') throw new QuantityError(NUMERIC_WRONG)
  return parseWide(BigInt(sign + 1) * BigInt(shifted), fraction.length, exponent, format)
}

const zeroOf = (): Quantity => ({ unscaled: 0n, scale: 0, format: 'DecimalSI' })

function interpretSuffix(suffix: string): { exponent: number; format: QuantityFormat } {
  const decimal = DECIMAL_SUFFIXES.get(suffix)
  if (decimal !== undefined) return { exponent: decimal, format: 'DecimalSI' }
  const binary = BINARY_SUFFIXES.indexOf(suffix)
  if (binary > 0) return { exponent: binary * 10, format: 'BinarySI' }
  if (!/^[eE][+-]?[0-9]+$/.test(suffix)) throw new QuantityError(SUFFIX_WRONG)
  const exponent = BigInt(suffix.slice(suffix[1] === '+' ? 2 : 1))
  if (exponent > MAX_INT64 || exponent < -MAX_INT64 - 1n) throw new QuantityError(SUFFIX_WRONG)
  return { exponent: Number(BigInt.asIntN(32, exponent)), format: 'DecimalExponent' }
}

interface Parts {
  readonly text: string
  readonly negative: boolean
  /** All digits, without the point. */
  readonly shifted: string
  readonly fraction: string
  readonly exponent: number
  readonly format: QuantityFormat
}

/** Amounts that surely fit 64 bits; undefined for the others. */
function parseNarrow(parts: Parts): Quantity | undefined {
  const { text, shifted, fraction, exponent, format } = parts
  const binary = format === 'BinarySI'
  if (binary && fraction !== '') return undefined
  const room = binary
    ? 15 - shifted.length - Math.trunc((exponent * 3) / 10) - 1
    : SAFE_DIGITS - shifted.length
  const scale = (binary ? 0 : exponent) - fraction.length
  if (room < 0 || scale < NANO) return undefined
  const plain = BigInt(shifted)
  const value = binary ? plain << BigInt(exponent) : plain
  const kept = binary
    ? (plain & 7n) !== 0n
    : scale % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0')
  const unscaled = parts.negative ? -value : value
  return { unscaled, scale, format, ...(kept ? { text } : {}) }
}

function parseWide(digits: bigint, fraction: number, exponent: number, format: QuantityFormat): Quantity {
  const negative = digits < 0n
  let unscaled = negative ? -digits : digits
  let scale = -fraction
  if (format === 'BinarySI') unscaled <<= BigInt(exponent)
  else scale += exponent
  if (unscaled !== 0n && scale < NANO) {
    unscaled = divideUp(unscaled, NANO - scale)
    scale = NANO
  }
  let shown = format
  if (format === 'BinarySI') {
    if (compareScaled(unscaled, scale, MAX_INT64, 0) > 0) [unscaled, scale] = [MAX_INT64, 0]
    if (unscaled > 0n && compareScaled(unscaled, scale, 1n, 0) < 0) shown = 'DecimalSI'
  }
  return { unscaled: negative ? -unscaled : unscaled, scale, format: shown }
}

/** `value` over ten to the power of `places`, rounded away from zero. */
function divideUp(value: bigint, places: number): bigint {
  if (value === 0n) return 0n
  const sign = value < 0n ? -1n : 1n
  // Fewer digits than places: the rest is below one, whatever it is.
  if (places > MAX_TEXT_LENGTH * 2) return sign
  const divisor = 10n ** BigInt(places)
  const quotient = value / divisor
  return value % divisor === 0n ? quotient : quotient + sign
}

function compareScaled(a: bigint, aScale: number, b: bigint, bScale: number): number {
  const signs = Math.sign(Number(a > 0n) - Number(a < 0n) - Number(b > 0n) + Number(b < 0n))
  if (signs !== 0 || (a === 0n && b === 0n)) return signs
  const gap = aScale - bScale
  if (Math.abs(gap) > MAX_SCALE_SPAN) return gap > 0 === a > 0n ? 1 : -1
  const left = gap > 0 ? a * 10n ** BigInt(gap) : a
  const right = gap < 0 ? b * 10n ** BigInt(-gap) : b
  return left < right ? -1 : left > right ? 1 : 0
}

/** -1, 0 or 1. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return compareScaled(a.unscaled, a.scale, b.unscaled, b.scale)
}

/** The sum; it is written as `a` is, unless `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const format = a.unscaled === 0n ? b.format : a.format
  if (b.unscaled === 0n) return { unscaled: a.unscaled, scale: a.scale, format }
  if (a.unscaled === 0n) return { unscaled: b.unscaled, scale: b.scale, format }
  const gap = a.scale - b.scale
  if (Math.abs(gap) > MAX_SCALE_SPAN) {
    const larger = gap > 0 ? a : b
    return { unscaled: larger.unscaled, scale: larger.scale, format }
  }
  const scale = Math.min(a.scale, b.scale)
  const left = a.unscaled * 10n ** BigInt(a.scale - scale)
  const right = b.unscaled * 10n ** BigInt(b.scale - scale)
  return { unscaled: left + right, scale, format }
}

/** The difference; it is written as `a` is, unless `a` is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, negateQuantity(b))
}

export function negateQuantity(a: Quantity): Quantity {
  return { unscaled: -a.unscaled, scale: a.scale, format: a.format }
}

/** A quantity of `value` times ten to the power of `scale`; `value` is an integer. */
export function newQuantity(value: number | bigint, format: QuantityFormat, scale = 0): Quantity {
  return { unscaled: BigInt(value), scale, format }
}

/** The amount in whole units, rounded away from zero; exact up to 2^53, held at the ends of int64. */
export function quantityValue(a: Quantity): number {
  return Number(scaledValue(a, 0))
}

/** The amount in thousandths, rounded away from zero; exact up to 2^53, held at the ends of int64. */
export function quantityMilliValue(a: Quantity): number {
  return Number(scaledValue(a, -3))
}

/** DEVIATION: what is beyond int64 stays at its end, where upstream overflows to some other number. */
function scaledValue(a: Quantity, scale: number): bigint {
  const gap = a.scale - scale
  if (gap < 0) return clampInt64(divideUp(a.unscaled, -gap))
  if (gap <= SAFE_DIGITS) return clampInt64(a.unscaled * 10n ** BigInt(gap))
  return a.unscaled === 0n ? 0n : a.unscaled > 0n ? MAX_INT64 : -MAX_INT64
}

function clampInt64(value: bigint): bigint {
  return value > MAX_INT64 ? MAX_INT64 : value < -MAX_INT64 ? -MAX_INT64 : value
}

/** The canonical text: no fraction, the largest suffix that loses nothing. */
export function formatQuantity(a: Quantity): string {
  if (a.text !== undefined) return a.text
  if (a.unscaled === 0n) return '0'
  return (a.format === 'BinarySI' ? formatBinary(a) : undefined) ?? formatDecimal(a)
}

/** Undefined where the amount is below 1Ki, or has a fraction that binary suffixes cannot show. */
function formatBinary(a: Quantity): string | undefined {
  const small = compareScaled(a.unscaled, a.scale, -1024n, 0) > 0
  if (small && compareScaled(a.unscaled, a.scale, 1024n, 0) < 0) return undefined
  const divisor = 10n ** BigInt(Math.max(-a.scale, 0))
  if (a.unscaled % divisor !== 0n) return undefined
  let value = a.scale > 0 ? a.unscaled * 10n ** BigInt(a.scale) : a.unscaled / divisor
  let power = 0
  while (value % 1024n === 0n) {
    value /= 1024n
    power++
  }
  return `${value}${BINARY_SUFFIXES[power] ?? ''}`
}

function formatDecimal(a: Quantity): string {
  let value = a.unscaled
  let exponent = a.scale
  while (value % 10n === 0n) {
    value /= 10n
    exponent++
  }
  while (exponent % 3 !== 0) {
    value *= 10n
    exponent--
  }
  if (a.format === 'DecimalExponent') return exponent === 0 ? `${value}` : `${value}e${exponent}`
  // Beyond exa there is no suffix, and upstream writes none: the amount is lost there too.
  return `${value}${DECIMAL_NAMES.get(exponent) ?? ''}`
}
