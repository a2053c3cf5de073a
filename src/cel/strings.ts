// Functions on texts: cel-go's strings extension, version 2. Follows cel-go ext/{strings,formatting}.go.
import { GO_ESCAPES } from '../machinery/quote.ts'
import { CelError } from './fault.ts'
import { formatted } from './formatting.ts'
import type { Define, Library } from './overload.ts'
import { build, rebuild, walk } from './size.ts'
import { ListValue } from './values.ts'

/** Code points, where the text has any beyond UTF-16's units. */
const pointsOf = (text: string): readonly string[] => [...text]

export const strings: Library = (define) => {
  positions(define)
  changes(define)
}

function positions(define: Define): void {
  define('string->charAt(int) string', ([text, at]) => {
    const points = pointsOf(text as string)
    const i = Number(at)
    if (i < 0 || i > points.length) throw new CelError(`index out of range: ${i}`)
    return points[i] ?? ''
  })
  define('string->indexOf(string) int', ([text, part]) => indexOf(text as string, part as string, 0), walk)
  define(
    'string->indexOf(string, int) int',
    ([text, part, from]) => indexOf(text as string, part as string, Number(from)),
    walk,
  )
  define(
    'string->lastIndexOf(string) int',
    ([text, part]) => lastIndexOf(text as string, part as string),
    walk,
  )
  define(
    'string->lastIndexOf(string, int) int',
    ([text, part, from]) => lastIndexOf(text as string, part as string, Number(from)),
    walk,
  )
  define('string->substring(int) string', ([text, from]) => substring(text as string, Number(from)), walk)
  define(
    'string->substring(int, int) string',
    ([text, from, to]) => substring(text as string, Number(from), Number(to)),
    walk,
  )
}

function indexOf(text: string, part: string, from: number): bigint {
  const points = pointsOf(text)
  if (from < 0 || from > points.length) throw new CelError(`index out of range: ${from}`)
  const found = points.slice(from).join('').indexOf(part)
  if (found === -1) return -1n
  return BigInt(from + pointsOf(points.slice(from).join('').slice(0, found)).length)
}

function lastIndexOf(text: string, part: string, from?: number): bigint {
  const points = pointsOf(text)
  if (from !== undefined && (from < 0 || from > points.length)) {
    throw new CelError(`index out of range: ${from}`)
  }
  const until = from === undefined ? text.length : points.slice(0, from).join('').length
  const found = text.lastIndexOf(part, until)
  return found === -1 ? -1n : BigInt(pointsOf(text.slice(0, found)).length)
}

function substring(text: string, from: number, to?: number): string {
  const points = pointsOf(text)
  const end = to ?? points.length
  if (from < 0 || from > points.length) throw new CelError(`index out of range: ${from}`)
  if (end < 0 || end > points.length) throw new CelError(`index out of range: ${end}`)
  if (from > end) throw new CelError(`invalid substring range. start: ${from}, end: ${end}`)
  return points.slice(from, end).join('')
}

/** ASCII letters only. */
const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())
const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase())

function changes(define: Define): void {
  define('string->lowerAscii() string', ([text]) => lower(text as string), walk)
  define('string->upperAscii() string', ([text]) => upper(text as string), walk)
  define('string->trim() string', ([text]) => (text as string).trim(), walk)
  define(
    'string->replace(string, string) string',
    ([text, part, by]) => replace(text as string, part as string, by as string, -1),
    build,
  )
  define(
    'string->replace(string, string, int) string',
    ([text, part, by, count]) => replace(text as string, part as string, by as string, Number(count)),
    build,
  )
  define(
    'string->split(string) list(string)',
    ([text, by]) => split(text as string, by as string, -1),
    rebuild,
  )
  define(
    'string->split(string, int) list(string)',
    ([text, by, count]) => split(text as string, by as string, Number(count)),
    rebuild,
  )
  define('list(string)->join() string', ([list]) => (list as ListValue).values().join(''), build)
  define(
    'list(string)->join(string) string',
    ([list, by]) => (list as ListValue).values().join(by as string),
    build,
  )
  define('strings.quote(string) string', ([text]) => quote(text as string), walk)
  define(
    'string->format(list(dyn)) string',
    ([text, args]) => formatted(text as string, (args as ListValue).values()),
    build,
  )
}

function replace(text: string, part: string, by: string, count: number): string {
  const pieces = part === '' ? ['', ...pointsOf(text), ''] : text.split(part)
  const times = count < 0 ? pieces.length - 1 : Math.min(count, pieces.length - 1)
  const done = pieces.slice(0, times + 1).join(by)
  return times === pieces.length - 1 ? done : [done, ...pieces.slice(times + 1)].join(part)
}

function split(text: string, by: string, count: number): ListValue {
  if (count === 0) return new ListValue([])
  const pieces = by === '' ? pointsOf(text) : text.split(by)
  if (count < 0 || pieces.length <= count) return new ListValue(pieces)
  return new ListValue([...pieces.slice(0, count - 1), pieces.slice(count - 1).join(by)])
}

const quote = (text: string): string =>
  `"${text.replace(/[\\"\x07\b\f\n\r\t\v]/g, (char) => ESCAPES[char] ?? char)}"`

const ESCAPES: Readonly<Record<string, string>> = { ...GO_ESCAPES, '"': '\\"' }
