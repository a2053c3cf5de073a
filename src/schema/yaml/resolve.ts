// What a plain YAML scalar is: YAML 1.1 as go.yaml.in/yaml/v2 reads it, which is what sigs.k8s.io/yaml is built on.

export type Resolved =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  /** Looks like a date; it stays the text that it is. */
  | { readonly kind: 'timestamp'; readonly value: string }
  | { readonly kind: 'str'; readonly value: string }

const NULL: Resolved = { kind: 'null' }
const TRUE: Resolved = { kind: 'bool', value: true }
const FALSE: Resolved = { kind: 'bool', value: false }
const float = (value: number): Resolved => ({ kind: 'float', value })

/** Each word in the three spellings that count: word, Word, WORD. */
function spellings(words: readonly string[], value: Resolved): [string, Resolved][] {
  const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
  return words.flatMap((word) =>
    [word, title(word), word.toUpperCase()].map((one): [string, Resolved] => [one, value]),
  )
}

const WORDS = new Map<string, Resolved>([
  ['', NULL],
  ['~', NULL],
  ...spellings(['null'], NULL),
  ...spellings(['y', 'yes', 'true', 'on'], TRUE),
  ...spellings(['n', 'no', 'false', 'off'], FALSE),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, Resolved] => [word, float(NaN)]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, Resolved] => [
    word,
    float(Infinity),
  ]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, Resolved] => [word, float(-Infinity)]),
])

const INTEGER = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const MAX_UINT64 = 18446744073709551615n
const MIN_INT64 = -9223372036854775808n
/** More digits than these are no integer of 64 bits, in any base. */
const MAX_INTEGER_TEXT = 72

/** Reads a plain scalar without a tag. */
export function resolvePlain(text: string): Resolved {
  const word = WORDS.get(text)
  if (word) return word
  const first = text.charCodeAt(0)
  const isDigit = first >= 0x30 && first <= 0x39
  if (!isDigit && text[0] !== '+' && text[0] !== '-' && text[0] !== '.') return { kind: 'str', value: text }
  if (isDigit && isTimestamp(text)) return { kind: 'timestamp', value: text }
  return resolveNumber(text) ?? { kind: 'str', value: text }
}

function resolveNumber(text: string): Resolved | undefined {
  // A text that begins with a point keeps its underscores, which then make it no number.
  const plain = text[0] === '.' ? text : text.replaceAll('_', '')
  const value = parseInteger(plain)
  if (value !== undefined) return { kind: 'int', value }
  if (!FLOAT.test(plain)) return undefined
  const number = Number(plain)
  return Number.isFinite(number) ? float(number) : undefined
}

function parseInteger(text: string): bigint | undefined {
  if (text.length > MAX_INTEGER_TEXT) return undefined
  const [, sign = '', digits = ''] = INTEGER.exec(text) ?? []
  if (digits === '') return undefined
  const octal = /^0[oO]?[0-7]+$/.test(digits)
  const size = BigInt(octal ? `0o${digits.replace(/^0[oO]?/, '')}` : digits.toLowerCase())
  const value = sign === '-' ? -size : size
  // Go reads unsigned numbers without any sign.
  const most = sign === '+' ? -MIN_INT64 - 1n : MAX_UINT64
  return value >= MIN_INT64 && value <= most ? value : undefined
}

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[+-](\d\d):(\d\d))| (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?)?$/

/** Whether the text is a date, or a date and a time, in one of the forms that YAML 1.1 takes for a timestamp. */
export function isTimestamp(text: string): boolean {
  const [, ...parts] = TIMESTAMP.exec(text) ?? []
  if (parts.length === 0) return false
  const [year = 0, month = 0, day = 0, h1, m1, s1, zoneHour = 0, zoneMinute = 0, h2, m2, s2] = parts.map(
    (part) => (part === undefined ? undefined : Number(part)),
  )
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  if (month < 1 || month > 12 || day < 1 || day > days) return false
  if ((h1 ?? h2 ?? 0) > 23 || (m1 ?? m2 ?? 0) > 59 || (s1 ?? s2 ?? 0) > 59) return false
  return zoneHour <= 24 && zoneMinute <= 60
}
