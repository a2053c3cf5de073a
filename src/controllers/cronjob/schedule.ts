// When a cron schedule is due next, in its time zone. Follows github.com/robfig/cron v3 (spec.go, constantdelay.go).
// Our own, since it must read what that one reads and go through changes of the clocks as it does, hour by hour.
import { DurationError, parseDuration } from '../../machinery/duration.ts'

/** The next time after `after`, both in ms since 1970; undefined where none comes within five years. */
export type Schedule = (after: number) => number | undefined

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SECOND_NS = 1_000_000_000n
/** As upstream: a schedule that is not due for so long never is. */
const MAX_YEARS = 5

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const BOUNDS = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: MONTHS },
  { least: 0, most: 6, names: DAYS },
] as const
const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** A moment on the wall. */
interface Local {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
}

interface Field {
  readonly values: ReadonlySet<number>
  /** Whether it leaves the choice to the other of the two fields of days. */
  readonly isStar: boolean
}

/** Undefined for what is no schedule, or of an unknown time zone. A zone in the text ("TZ=UTC …") is before `timeZone`. */
export function parseSchedule(text: string, timeZone?: string): Schedule | undefined {
  const [, zone, rest = text] = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(text) ?? []
  const local = localIn(zone ?? timeZone)
  if (local === undefined) return undefined
  const trimmed = rest.trim()
  if (trimmed.startsWith('@every ')) return every(trimmed.slice('@every '.length))
  const standard = Object.hasOwn(DESCRIPTORS, trimmed) ? DESCRIPTORS[trimmed] : trimmed
  const parts = (standard ?? '').split(/\s+/)
  const fields = parts.map((part, index) => fieldOf(part, index))
  if (fields.length !== BOUNDS.length || fields.some((field) => field === undefined)) return undefined
  return (after) => nextTime(fields as Field[], local, after)
}

/** Whether there is such a time zone. */
export const isTimeZone = (name: string): boolean => localIn(name) !== undefined

function every(text: string): Schedule | undefined {
  try {
    const seconds = parseDuration(text) / SECOND_NS
    const delay = Number(seconds < 1n ? 1n : seconds) * 1000
    return (after) => Math.floor(after / 1000) * 1000 + delay
  } catch (error) {
    if (error instanceof DurationError) return undefined
    throw error
  }
}

function fieldOf(text: string, index: number): Field | undefined {
  const values = new Set<number>()
  let isStar = false
  for (const part of text.split(',').filter(Boolean)) {
    const range = rangeOf(part, index)
    if (range === undefined) return undefined
    for (let value = range.start; value <= range.end; value += range.step) values.add(value)
    isStar ||= range.isStar
  }
  return { values, isStar }
}

function rangeOf(
  text: string,
  index: number,
): { start: number; end: number; step: number; isStar: boolean } | undefined {
  const bounds = BOUNDS[index]
  if (bounds === undefined) return undefined
  const [range = '', stepText] = text.split('/')
  const [low = '', high] = range.split('-')
  const step = stepText === undefined ? 1 : Number(stepText)
  const isAny = low === '*' || low === '?'
  const start = isAny ? bounds.least : valueOf(low, bounds)
  const single = stepText === undefined ? start : bounds.most
  const end = isAny ? bounds.most : high === undefined ? single : valueOf(high, bounds)
  const isRange = start >= bounds.least && end <= bounds.most && start <= end
  return isRange && Number.isInteger(step) && step > 0
    ? { start, end, step, isStar: isAny && step === 1 }
    : undefined
}

/** NaN for what is no value. */
function valueOf(text: string, { least, names }: { least: number; names: readonly string[] }): number {
  const named = names.indexOf(text.toLowerCase())
  return named >= 0 ? named + least : /^\d+$/.test(text) ? Number(text) : NaN
}

/**
 * From minute to minute, with leaps over months, days and hours that do not match. Where the clocks go forward, what would
 * be due in the hour that is not there is left out; where they go back, it is due twice.
 */
function nextTime(fields: readonly Field[], local: (ms: number) => Local, after: number): number | undefined {
  const [minutes, hours, days, months, weekdays] = fields as [Field, Field, Field, Field, Field]
  let at = Math.floor(after / MINUTE) * MINUTE + MINUTE
  const lastYear = local(at).year + MAX_YEARS
  for (;;) {
    const now = local(at)
    if (now.year > lastYear) return undefined
    const isDay = days.values.has(now.day)
    const isWeekday = weekdays.values.has(now.weekday)
    const isDue = days.isStar || weekdays.isStar ? isDay && isWeekday : isDay || isWeekday
    if (!months.values.has(now.month) || !isDue) at = nextMidnight(local, at, now)
    else if (!hours.values.has(now.hour)) at += HOUR - now.minute * MINUTE
    else if (!minutes.values.has(now.minute)) at += MINUTE
    else return at
  }
}

/** The first minute of the next day, which is not always 24 hours after the last one's. */
function nextMidnight(local: (ms: number) => Local, at: number, now: Local): number {
  let next = at + 24 * HOUR - now.hour * HOUR - now.minute * MINUTE
  const { day, hour, minute } = local(next)
  if (day === now.day) next += (24 - hour) * HOUR - minute * MINUTE
  else if (hour * HOUR + minute * MINUTE > 0 && local(next - hour * HOUR - minute * MINUTE).day === day) {
    next -= hour * HOUR + minute * MINUTE
  }
  return next
}

function localIn(timeZone: string | undefined): ((ms: number) => Local) | undefined {
  if (timeZone === 'UTC' || timeZone === '') return utc
  if (timeZone === undefined || timeZone === 'Local') return machine
  // A country's name or an offset is no zone for upstream.
  if (/^[+-]/.test(timeZone)) return undefined
  try {
    return inZone(new Intl.DateTimeFormat('en-US', { ...PARTS, timeZone }))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

const PARTS = {
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
} as const

function inZone(format: Intl.DateTimeFormat): (ms: number) => Local {
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type as string, Number(value)]))
    const part = (type: string): number => parts.get(type) ?? 0
    const [year, month, day] = [part('year'), part('month'), part('day')]
    const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay()
    return { year, month, day, weekday, hour: part('hour'), minute: part('minute') }
  }
}

const utc = (ms: number): Local => {
  const date = new Date(ms)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  }
}

const machine = (ms: number): Local => {
  const date = new Date(ms)
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    weekday: date.getDay(),
    hour: date.getHours(),
    minute: date.getMinutes(),
  }
}

/** RFC 3339 in a zone, UTC without one: "2026-01-01T02:00:00+02:00". */
export function timeInZone(ms: number, timeZone: string | undefined): string {
  const { year, month, day, hour, minute } = (localIn(timeZone ?? 'UTC') ?? utc)(ms)
  const seconds = Math.floor(ms / 1000) % 60
  const wall = Date.UTC(year, month - 1, day, hour, minute, seconds)
  const text = new Date(wall).toISOString().slice(0, 19)
  const offset = Math.round((wall - Math.floor(ms / 1000) * 1000) / MINUTE)
  if (offset === 0) return `${text}Z`
  const two = (value: number): string => String(value).padStart(2, '0')
  const size = Math.abs(offset)
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
