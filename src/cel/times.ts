// Moments and spans: their texts, and their parts in a time zone. Follows cel-go common/types/{timestamp,duration}.go.
import { CelError } from './fault.ts'
import type { Library } from './overload.ts'
import type { Duration, Timestamp } from './values.ts'
import { floorDivide, secondsOf, type Value } from './values.ts'

/** RFC 3339 in UTC, with as much of a second as there is. */
export function timeText(time: Timestamp): string {
  const rest = time.nanos - secondsOf(time.nanos) * 1_000_000_000n
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
  return `${time.date.toISOString().slice(0, 19)}${fraction}Z`
}

/** Seconds with their fraction: "5400s", "1.5s". */
export function goDuration({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${nanos < 0n ? '-' : ''}${size / 1_000_000_000n}${fraction ? `.${fraction}` : ''}s`
}

/** The calendar of a zone: the moment as a Date whose UTC fields are the zone's. */
function local(time: Timestamp, zone: string | undefined): Date {
  if (zone === undefined || zone === '' || zone === 'UTC') return time.date
  const offset = /^([-+]?)(\d{2}):(\d{2})$/.exec(zone)
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(time.date.getTime() + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  try {
    const parts = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    }).formatToParts(time.date)
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
    return new Date(
      Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')),
    )
  } catch {
    throw new CelError(`unknown time zone ${zone}`)
  }
}

const DAY = 86_400_000

const PARTS: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
}

const UNITS: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
}

const zoneOf = (zone: Value | undefined): string | undefined => zone as string | undefined

export const times: Library = (define) => {
  for (const [name, part] of Object.entries(PARTS)) {
    for (const params of ['', 'string']) {
      define(`timestamp->${name}(${params}) int`, ([time, zone]) =>
        BigInt(part(local(time as Timestamp, zoneOf(zone)))),
      )
    }
  }
  for (const params of ['', 'string']) {
    define(`timestamp->getMilliseconds(${params}) int`, ([time]) => {
      const { nanos } = time as Timestamp
      return floorDivide(nanos - secondsOf(nanos) * 1_000_000_000n, 1_000_000n)
    })
  }
  for (const [name, unit] of Object.entries(UNITS)) {
    define(`duration->${name}() int`, ([span]) => (span as Duration).nanos / unit)
  }
  define('duration->getMilliseconds() int', ([span]) => ((span as Duration).nanos / 1_000_000n) % 1000n)
}
