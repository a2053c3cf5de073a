// The scalars of the API in the form in which Go writes them, and what Go says of those it cannot read.
// Follows encoding/json and the UnmarshalJSON methods of apimachinery (Time, MicroTime, Duration, Quantity, IntOrString).
import { formatDuration, parseDuration } from '../machinery/duration.ts'
import type { Json } from '../machinery/json.ts'
import { jsonText } from '../machinery/jsontext.ts'
import { isInteger } from '../machinery/numbers.ts'
import { canonicalQuantity } from '../machinery/quantity.ts'
import { canonicalMicroTime, canonicalTime } from '../machinery/time.ts'
import type { ScalarType } from './type.ts'

const MAX_INT32 = 2147483647
const MIN_INT32 = -2147483648

/**
 * What the decoder makes of a JSON value that is not null; undefined for a value of another kind. Texts that are no
 * time, quantity, duration or base64 are errors with Go's message.
 */
export type ScalarDecode = (value: Json) => Json | undefined

const isInt32 = (value: Json): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value <= MAX_INT32 && value >= MIN_INT32

const text =
  (canonical: (text: string) => string | null): ScalarDecode =>
  (value) =>
    typeof value === 'string' ? canonical(value) : undefined

const checked =
  (accepts: (value: Json) => boolean): ScalarDecode =>
  (value) =>
    accepts(value) ? value : undefined

/** The decoder of one scalar type. */
export function scalarDecoder(type: ScalarType): ScalarDecode {
  switch (type.kind) {
    case 'string':
      return checked((value) => typeof value === 'string')
    case 'integer':
      return checked(type.format === 'int32' ? isInt32 : isInteger)
    case 'number':
      return (value) =>
        typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined
    case 'boolean':
      return checked((value) => typeof value === 'boolean')
    case 'bytes':
      return text(canonicalBase64)
    case 'quantity':
      // Go hands the raw text of any value to the parser.
      return (value) => canonicalQuantity((typeof value === 'string' ? value : jsonText(value)).trim())
    case 'time':
      return text(canonicalTime)
    case 'microtime':
      return text(canonicalMicroTime)
    case 'duration':
      return text((value) => formatDuration(parseDuration(value)))
    case 'intOrString':
      return checked((value) => typeof value === 'string' || isInt32(value))
  }
}

/** What Go writes for the zero value of a scalar. */
export function zeroScalar(type: ScalarType): Json {
  switch (type.kind) {
    case 'string':
      return ''
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0
    case 'boolean':
      return false
    case 'quantity':
      return '0'
    case 'duration':
      return '0s'
    case 'bytes':
    case 'time':
    case 'microtime':
      return null
  }
}

/** The text is no base64; the message is Go's. */
export class Base64Error extends Error {
  constructor(offset: number) {
    super(`illegal base64 data at input byte ${offset}`)
    this.name = 'Base64Error'
  }
}

/** As Go would write the bytes again: no line ends, and no stray bits before the padding. */
function canonicalBase64(value: string): string {
  const bad = badBase64At(value)
  if (bad !== undefined) throw new Base64Error(bad)
  return /[=\r\n]/.test(value) ? Buffer.from(value, 'base64').toString('base64') : value
}

const ALPHABET = /^[A-Za-z0-9+/]$/

/**
 * Offset of the byte at which Go's base64.StdEncoding gives up, undefined for good base64 (whose line ends it skips).
 */
function badBase64At(value: string): number | undefined {
  if (value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined
  let inQuantum = 0
  for (let i = 0; i < value.length; i++) {
    const c = value[i] as string
    if (c === '\n' || c === '\r') continue
    if (c === '=') return badPaddingAt(value, i, inQuantum)
    if (!ALPHABET.test(c)) return i
    inQuantum = (inQuantum + 1) % 4
  }
  return inQuantum === 0 ? undefined : value.length - inQuantum
}

/** `at`: the first "=", after `have` characters of its group of four. */
function badPaddingAt(value: string, at: number, have: number): number | undefined {
  if (have < 2) return at
  let i = at + 1
  const skip = (): void => {
    while (value[i] === '\n' || value[i] === '\r') i++
  }
  skip()
  if (have === 2) {
    if (i >= value.length) return value.length
    if (value[i] !== '=') return i - 1
    i++
    skip()
  }
  return i < value.length ? i : undefined
}
