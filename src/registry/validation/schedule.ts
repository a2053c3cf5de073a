// Reads a cron schedule as upstream does, for its faults alone.
// Follows github.com/robfig/cron (ParseStandard).
import { DurationError, parseDuration } from '../../machinery/duration.ts'

interface Bounds {
  readonly least: number
  readonly most: number
  readonly names: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const FIELDS: readonly Bounds[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: MONTHS },
  { least: 0, most: 6, names: DAYS },
]
const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

class ScheduleFault extends Error {}

function numberOf(text: string, bounds: Bounds): number {
  const named = bounds.names.indexOf(text.toLowerCase())
  if (named >= 0) return named + bounds.least
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw new ScheduleFault(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  }
  const value = Number(text)
  if (value < 0) throw new ScheduleFault(`negative number (${value}) not allowed: ${text}`)
  return value
}

function checkRange(text: string, bounds: Bounds): void {
  const [range = '', step, ...slashes] = text.split('/')
  const [low = '', high, ...hyphens] = range.split('-')
  if (slashes.length) throw new ScheduleFault(`too many slashes: ${text}`)
  let [start, end] = [bounds.least, bounds.most]
  if (low !== '*' && low !== '?') {
    if (hyphens.length) throw new ScheduleFault(`too many hyphens: ${text}`)
    start = numberOf(low, bounds)
    end = high === undefined ? (step === undefined ? start : bounds.most) : numberOf(high, bounds)
  }
  if (step !== undefined && numberOf(step, { ...bounds, names: [] }) === 0) {
    throw new ScheduleFault(`step of range should be a positive number: ${text}`)
  }
  if (start < bounds.least)
    throw new ScheduleFault(`beginning of range (${start}) below minimum (${bounds.least}): ${text}`)
  if (end > bounds.most)
    throw new ScheduleFault(`end of range (${end}) above maximum (${bounds.most}): ${text}`)
  if (start > end)
    throw new ScheduleFault(`beginning of range (${start}) beyond end of range (${end}): ${text}`)
}

function checkDescriptor(text: string): void {
  if (DESCRIPTORS.includes(text)) return
  if (!text.startsWith('@every ')) throw new ScheduleFault(`unrecognized descriptor: ${text}`)
  try {
    parseDuration(text.slice('@every '.length))
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    throw new ScheduleFault(`failed to parse duration ${text}: ${error.message}`)
  }
}

/** Why the text is no schedule; undefined: it is one. A time zone in front of it is read over. */
export function scheduleFault(schedule: string): string | undefined {
  const text = schedule.replace(/^(CRON_)?TZ=\S+\s+/, '').trim()
  try {
    if (text.startsWith('@')) checkDescriptor(text)
    else {
      const fields = text.split(/\s+/).filter(Boolean)
      if (fields.length !== FIELDS.length) {
        return `expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(' ')}]`
      }
      fields.forEach((field, i) => {
        for (const range of field.split(',').filter(Boolean)) checkRange(range, FIELDS[i] as Bounds)
      })
    }
    return undefined
  } catch (error) {
    if (error instanceof ScheduleFault) return error.message
    throw error
  }
}
