// metav1.Time and metav1.MicroTime: RFC 3339 in, UTC out.
// Follows k8s.io/apimachinery/pkg/apis/meta/v1 (time.go, micro_time.go) and the wording of Go's time.Parse.
import { quoteAscii } from './quote.ts'

/** A point in time: seconds since 1970, which may be negative, and 0 to 999,999,999 nanoseconds on top. */
export interface Instant {
  readonly seconds: number
  readonly nanoseconds: number
}

/** A text that is no time; `message` is Go's. */
export class TimeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TimeError'
  }
}

export const TIME_LAYOUT = '2006-01-02T15:04:05Z07:00'
export const MICRO_TIME_LAYOUT = '2006-01-02T15:04:05.000000Z07:00'

/** 0001-01-01T00:00:00Z, Go's zero time, which JSON shows as null. */
export const ZERO_TIME_SECONDS = -62135596800

const DAY = 86400

/** Parses RFC 3339 with any zone; a fraction of the second is read, too. @throws TimeError */
export function parseTime(text: string): Instant {
  return parse(text, TIME_LAYOUT)
}

/** Parses RFC 3339 with exactly six digits behind the second. @throws TimeError */
export function parseMicroTime(text: string): Instant {
  return parse(text, MICRO_TIME_LAYOUT)
}

/** "2026-01-02T03:04:05Z" */
export function formatTime(at: Instant): string {
  return `${formatSeconds(at.seconds)}Z`
}

/** "2026-01-02T03:04:05.000000Z"; what is finer is cut off. */
export function formatMicroTime(at: Instant): string {
  const micro = Math.trunc(at.nanoseconds / 1000)
  return `${formatSeconds(at.seconds)}.${String(micro).padStart(6, '0')}Z`
}

const CANONICAL =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{6})?Z$/
const TIME_LENGTH = 20
const MICRO_TIME_LENGTH = 27

/** The two digits at this place. */
const piece = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528

/** Whether the text is a valid time in the form in which the API itself writes it: nearly all are. */
function isCanonical(text: string, length: number): boolean {
  if (text.length !== length || !CANONICAL.test(text)) return false
  const day = piece(text, 8)
  return day <= 28 || day <= daysIn(piece(text, 5), piece(text, 0) * 100 + piece(text, 2))
}

/** How a Time of an object is shown: UTC, whole seconds; null for Go's zero time. @throws TimeError */
export function canonicalTime(text: string): string | null {
  if (!text.startsWith('0001') && isCanonical(text, TIME_LENGTH)) return text
  const at = parseTime(text)
  return isZeroTime(at) ? null : formatTime(at)
}

/** How a MicroTime of an object is shown: UTC, six digits; null for Go's zero time. @throws TimeError */
export function canonicalMicroTime(text: string): string | null {
  if (!text.startsWith('0001') && isCanonical(text, MICRO_TIME_LENGTH)) return text
  const at = parseMicroTime(text)
  return isZeroTime(at) ? null : formatMicroTime(at)
}

export function isZeroTime(at: Instant): boolean {
  return at.seconds === ZERO_TIME_SECONDS && at.nanoseconds === 0
}

/** The instant of `Date.now()` or another count of milliseconds since 1970. */
export function instantOf(milliseconds: number): Instant {
  const seconds = Math.floor(milliseconds / 1000)
  return { seconds, nanoseconds: Math.floor((milliseconds - seconds * 1000) * 1e6) }
}

/** Days since 1970 of a date in the proleptic Gregorian calendar; years run from March, so that leap days end them. */
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return (
    era * 146097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719468
  )
}

function formatSeconds(seconds: number): string {
  const days = Math.floor(seconds / DAY)
  const rest = seconds - days * DAY
  // Shifted by whole cycles of 400 years into what Date holds without signs; only the year must be shifted back.
  const cycles = Math.floor((days + 719528) / 146097)
  const date = new Date((days - (cycles - 5) * 146097) * DAY * 1000)
  const year = date.getUTCFullYear() + (cycles - 5) * 400
  const clock = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map(two).join(':')
  return `${yearText(year)}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}T${clock}`
}

const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`)
const yearText = (year: number): string => (year < 0 ? '-' : '') + String(Math.abs(year)).padStart(4, '0')

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysIn(month: number, year: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && leap ? 29 : (DAYS_OF_MONTH[month - 1] as number)
}

/** All pieces are at fixed places, and there is no zone. */
function parseCanonical(text: string, micro: boolean): Instant {
  const days = daysOf(piece(text, 0) * 100 + piece(text, 2), piece(text, 5), piece(text, 8))
  return {
    seconds: days * DAY + piece(text, 11) * 3600 + piece(text, 14) * 60 + piece(text, 17),
    nanoseconds: micro ? (piece(text, 20) * 10000 + piece(text, 22) * 100 + piece(text, 24)) * 1000 : 0,
  }
}

/** Walks the layout piece by piece as Go does: which piece fails first is in the message. */
function parse(text: string, layout: string): Instant {
  const micro = layout === MICRO_TIME_LAYOUT
  if (isCanonical(text, micro ? MICRO_TIME_LENGTH : TIME_LENGTH)) return parseCanonical(text, micro)
  const reader = new Reader(text, layout)
  const year = reader.year()
  reader.literal('-')
  const month = reader.number('01', true)
  if (month < 1 || month > 12) reader.outOfRange('month')
  reader.literal('-')
  const day = reader.number('02', true)
  reader.literal('T')
  const hour = reader.number('15', false)
  if (hour > 23) reader.outOfRange('hour')
  reader.literal(':')
  const minute = reader.number('04', true)
  if (minute > 59) reader.outOfRange('minute')
  reader.literal(':')
  const second = reader.number('05', true)
  if (second > 59) reader.outOfRange('second')
  const nanoseconds = layout === TIME_LAYOUT ? reader.anyFraction() : reader.microFraction()
  const offset = reader.zone()
  reader.end()
  if (day < 1 || day > daysIn(month, year)) reader.outOfRange('day')
  return {
    seconds: daysOf(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset,
    nanoseconds,
  }
}

class Reader {
  private readonly text: string
  private readonly layout: string
  private rest: string

  constructor(text: string, layout: string) {
    this.text = text
    this.layout = layout
    this.rest = text
  }

  private mismatch(rest: string, piece: string): never {
    const texts = `${quoteAscii(this.text)} as ${quoteAscii(this.layout)}: cannot parse ${quoteAscii(rest)} as ${quoteAscii(piece)}`
    throw new TimeError(`parsing time ${texts}`)
  }

  outOfRange(what: string): never {
    throw new TimeError(`parsing time ${quoteAscii(this.text)}: ${what} out of range`)
  }

  year(): number {
    const digits = this.rest.slice(0, 4)
    if (!/^[0-9]{4}$/.test(digits)) this.mismatch(this.rest, '2006')
    this.rest = this.rest.slice(4)
    return Number(digits)
  }

  literal(character: string): void {
    if (this.rest[0] !== character) this.mismatch(this.rest, character)
    this.rest = this.rest.slice(1)
  }

  number(piece: string, twoDigits: boolean): number {
    const digits = (twoDigits ? /^[0-9]{2}/ : /^[0-9]{1,2}/).exec(this.rest)?.[0]
    if (digits === undefined) this.mismatch(this.rest, piece)
    this.rest = this.rest.slice(digits.length)
    return Number(digits)
  }

  /** Digits that the layout does not ask for. */
  anyFraction(): number {
    const fraction = /^[.,]([0-9]+)/.exec(this.rest)
    if (!fraction) return 0
    this.rest = this.rest.slice(fraction[0].length)
    return Number((fraction[1] as string).slice(0, 9).padEnd(9, '0'))
  }

  microFraction(): number {
    const fraction = /^[.,]([+-]?)([0-9]+)$/.exec(this.rest.slice(0, 7))
    if (!fraction || fraction[0].length !== 7) this.mismatch(this.rest, '.000000')
    this.rest = this.rest.slice(7)
    const nanoseconds = Number(fraction[2]) * 1000
    if (fraction[1] === '-' && nanoseconds > 0) this.outOfRange('fractional second')
    return nanoseconds
  }

  /** Seconds east of UTC; Go lets 24 hours and 60 minutes pass. */
  zone(): number {
    if (this.rest[0] === 'Z') {
      this.rest = this.rest.slice(1)
      return 0
    }
    const [, sign, hours, minutes] = /^(.)([0-9]{2}):(..)/s.exec(this.rest) ?? []
    if (Number(hours) > 24) this.outOfRange('time zone offset hour')
    const digits = minutes !== undefined && /^[0-9]{2}$/.test(minutes)
    if (digits && Number(minutes) > 60) this.outOfRange('time zone offset minute')
    if (!digits || (sign !== '+' && sign !== '-')) this.mismatch(this.rest, 'Z07:00')
    this.rest = this.rest.slice(6)
    const seconds = Number(hours) * 3600 + Number(minutes) * 60
    return sign === '-' ? -seconds : seconds
  }

  end(): void {
    if (this.rest === '') return
    throw new TimeError(`parsing time ${quoteAscii(this.text)}: extra text: ${quoteAscii(this.rest)}`)
  }
}
