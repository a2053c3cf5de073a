// Go's durations ("1h30m", "1.5s") and the short ages that tables show ("5m3s", "2d4h").
// Follows Go's time.ParseDuration and Duration.String, and k8s.io/apimachinery/pkg/util/duration.
import { quoteAscii } from './quote.ts'

/** A text that is no duration; `message` is Go's. */
export class DurationError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DurationError'
  }
}

const MAX_INT64 = 9223372036854775807n
const LIMIT = MAX_INT64 + 1n
const SECOND = 1_000_000_000n

const UNITS = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', SECOND],
  ['m', 60n * SECOND],
  ['h', 3600n * SECOND],
])

const PART = /([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/y
/** Of 2^63. */
const MAX_DIGITS = 19

/** Nanoseconds of a Go duration. @throws DurationError */
export function parseDuration(text: string): bigint {
  const fail = (): never => {
    throw new DurationError(`time: invalid duration ${quoteAscii(text)}`)
  }
  const signed = text[0] === '-' || text[0] === '+'
  const body = signed ? text.slice(1) : text
  if (body === '0') return 0n
  if (body === '') return fail()
  let total = 0n
  for (let position = 0; position < body.length;) {
    PART.lastIndex = position
    const [, whole = '', fraction = '', unitName = ''] = PART.exec(body) as RegExpExecArray
    if (whole === '' && fraction === '') return fail()
    position = PART.lastIndex
    const digits = whole.replace(/^0+(?=.)/, '') || '0'
    if (digits.length > MAX_DIGITS || BigInt(digits) > LIMIT) return fail()
    if (unitName === '') throw new DurationError(`time: missing unit in duration ${quoteAscii(text)}`)
    const unit = UNITS.get(unitName)
    if (unit === undefined) {
      throw new DurationError(`time: unknown unit ${quoteAscii(unitName)} in duration ${quoteAscii(text)}`)
    }
    total += BigInt(digits) * unit + fractionOf(fraction, unit)
    if (total > LIMIT) return fail()
  }
  if (text[0] === '-') return -total
  return total > MAX_INT64 ? fail() : total
}

/** Reckoned in floating point from the digits that fit 63 bits, as Go does: both round the same way. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n
  let scale = 1
  for (const digit of digits) {
    const longer = value * 10n + BigInt(digit)
    if (longer > LIMIT) break
    value = longer
    scale *= 10
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)))
}

/** Nanoseconds as Go prints them: "1h30m0s", "1.5s", "100ms", "0s". */
export function formatDuration(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? '-' : ''
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  if (size === 0n) return '0s'
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`
  if (size < SECOND) return `${sign}${decimal(size, 6)}ms`
  const minutes = size / (60n * SECOND)
  const seconds = `${decimal(size % (60n * SECOND), 9)}s`
  if (minutes === 0n) return sign + seconds
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function decimal(value: bigint, places: number): string {
  const divisor = 10n ** BigInt(places)
  const rest = value % divisor
  if (rest === 0n) return `${value / divisor}`
  return `${value / divisor}.${rest.toString().padStart(places, '0').replace(/0+$/, '')}`
}

const MINUTE_S = 60
const HOUR_S = 3600
const DAY_H = 24
const YEAR_H = 24 * 365

/** An age in milliseconds with two figures or so: "5m3s", "2d4h", "3y12d"; clocks may differ by a second. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * MINUTE_S) return `${seconds}s`
  const minutes = Math.trunc(seconds / MINUTE_S)
  if (minutes < 10) return pair(minutes, 'm', seconds % MINUTE_S, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(seconds / HOUR_S)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 2 * DAY_H) return `${hours}h`
  const days = Math.trunc(hours / DAY_H)
  if (hours < 8 * DAY_H) return pair(days, 'd', hours % DAY_H, 'h')
  if (hours < 2 * YEAR_H) return `${days}d`
  const years = Math.trunc(hours / YEAR_H)
  return hours < 8 * YEAR_H ? pair(years, 'y', days % 365, 'd') : `${years}y`
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

/** An age in milliseconds with one figure: "5m", "2d". */
export function shortHumanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < MINUTE_S) return `${seconds}s`
  if (seconds < HOUR_S) return `${Math.trunc(seconds / MINUTE_S)}m`
  const hours = Math.trunc(seconds / HOUR_S)
  if (hours < DAY_H) return `${hours}h`
  if (hours < YEAR_H) return `${Math.trunc(hours / DAY_H)}d`
  return `${Math.trunc(hours / YEAR_H)}y`
}
