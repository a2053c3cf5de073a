// YAML bodies and answers. Reading goes through the package js-yaml, loaded when the first body comes (decode.ts);
// writing needs no package: it is the block style of go.yaml.in/yaml/v2, which sigs.k8s.io/yaml writes.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { formatFloat } from '../../machinery/numbers.ts'
import { JsonSyntaxError, parseJson, type Parsed, type ParseOptions } from '../json/json.ts'
import { resolvePlain } from './resolve.ts'

/**
 * Parses the first document of a YAML text to the JSON value that sigs.k8s.io/yaml makes of it. Duplicate keys, where
 * they are asked for, are one text that names them all, as upstream's strict decoder words them.
 *
 * Rejects with YamlError; its message begins with `yaml: `.
 */
export async function parseYaml(bytes: Buffer, options: ParseOptions = {}): Promise<Parsed> {
  return parseAsJson(bytes, options) ?? (await import('./decode.ts')).decodeYaml(bytes, options)
}

/** JSON is YAML, and what kubectl sends to be applied is JSON under YAML's name. */
function parseAsJson(bytes: Buffer, options: ParseOptions): Parsed | undefined {
  if (bytes[0] !== OPEN_BRACE) return undefined
  try {
    const parsed = parseJson(bytes, options)
    // YAML has words of its own for duplicates.
    return parsed.duplicates.length === 0 && !hasFractions(parsed) ? parsed : undefined
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined
    throw error
  }
}

/** To YAML 1e18 is an integer, as it is written when it becomes JSON. */
function hasFractions({ tokens }: Parsed): boolean {
  for (const token of tokens?.().values() ?? []) if (/[.eE]/.test(token)) return true
  return false
}

const OPEN_BRACE = 0x7b

/** A JSON value as YAML: keys sorted, two blanks of indentation, lists flush with their key, ends with a newline. */
export function toYaml(value: Json): string {
  const lines: string[] = []
  write(value, { lines, prefix: '', indent: 0, inMapping: false })
  return `${lines.join('\n')}\n`
}

interface Place {
  readonly lines: string[]
  /** What already stands on the line: "key:" or "- ". */
  readonly prefix: string
  /** Where the entries of a collection here begin. */
  readonly indent: number
  /** The value of a key, as against an item or the whole document. */
  readonly inMapping: boolean
}

const blanks = (count: number): string => ' '.repeat(count)

function write(value: Json, place: Place): void {
  if (Array.isArray(value)) writeList(value, place)
  else if (typeof value === 'object' && value !== null) writeMap(value, place)
  else place.lines.push(joined(place, scalar(value, Math.max(place.indent, 2))))
}

function joined({ prefix, inMapping }: Place, text: string): string {
  // An empty plain scalar leaves no blank behind the colon; there is none, for it reads as null.
  return inMapping ? `${prefix} ${text}` : prefix + text
}

function writeList(list: readonly Json[], place: Place): void {
  if (list.length === 0) {
    place.lines.push(joined(place, '[]'))
    return
  }
  // Below a key, lists begin where the key does.
  const indent = place.inMapping ? place.indent - 2 : place.indent
  if (place.inMapping) place.lines.push(place.prefix)
  list.forEach((item, index) => {
    const start = index === 0 && !place.inMapping ? place.prefix : blanks(indent)
    write(item, { lines: place.lines, prefix: `${start}- `, indent: indent + 2, inMapping: false })
  })
}

function writeMap(map: JsonObject, place: Place): void {
  const keys = Object.keys(map)
  if (keys.length === 0) {
    place.lines.push(joined(place, '{}'))
    return
  }
  if (place.inMapping) place.lines.push(place.prefix)
  keys.sort(compareKeys).forEach((key, index) => {
    const start = index === 0 && !place.inMapping ? place.prefix : blanks(place.indent)
    const { lines, indent } = place
    const value = map[key] ?? null
    const name = stringText(key, indent + 2)
    if (Buffer.byteLength(key) <= MAX_SIMPLE_KEY && !key.includes('\n')) {
      write(value, { lines, prefix: `${start}${name}:`, indent: indent + 2, inMapping: true })
      return
    }
    lines.push(`${start}? ${name}`)
    write(value, { lines, prefix: `${blanks(indent)}: `, indent: indent + 2, inMapping: false })
  })
}

/** Longer keys are announced by "? ". */
const MAX_SIMPLE_KEY = 128

/** Digits compare as numbers, letters come after other characters. */
function compareKeys(left: string, right: string): number {
  const a = Array.from(left)
  const b = Array.from(right)
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return compareAt(a, b, i)
  }
  return a.length - b.length
}

const isLetter = (c: string): boolean => /^\p{L}$/u.test(c)
const isDigit = (c: string | undefined): boolean => c !== undefined && /^\p{Nd}$/u.test(c)

function compareAt(a: readonly string[], b: readonly string[], at: number): number {
  const [x, y] = [a[at] as string, b[at] as string]
  const order = (x.codePointAt(0) as number) - (y.codePointAt(0) as number)
  const [xLetter, yLetter] = [isLetter(x), isLetter(y)]
  if (xLetter && yLetter) return order
  if (xLetter || yLetter) return yLetter ? -1 : 1
  const start = (x === '0' || y === '0') && followsNumber(a, at) ? 1n : 0n
  const [xNumber, xEnd] = numberAt(a, at, start)
  const [yNumber, yEnd] = numberAt(b, at, start)
  if (xNumber !== yNumber) return xNumber < yNumber ? -1 : 1
  return xEnd !== yEnd ? xEnd - yEnd : order
}

/** Whether digits stand before `at`, of which one is not zero. */
function followsNumber(text: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0 && isDigit(text[i]); i--) if (text[i] !== '0') return true
  return false
}

function numberAt(text: readonly string[], at: number, start: bigint): [bigint, number] {
  let value = start
  let end = at
  for (; isDigit(text[end]); end++) {
    value = BigInt.asIntN(64, value * 10n + BigInt((text[end] as string).codePointAt(0) as number) - 48n)
  }
  return [value, end]
}

function scalar(value: string | number | bigint | boolean | null, indent: number): string {
  if (typeof value === 'string') return stringText(value, indent)
  if (typeof value !== 'number') return String(value)
  if (Number.isInteger(value) && value < 2 ** 64 && value > -(2 ** 63)) return JSON.stringify(value)
  return formatFloat(value)
}

// What may not stand in quotes or blocks: go-yaml prints tabs, controls and everything beyond U+FFFF as escapes.
const SPECIAL = /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/
const INDICATOR_FIRST = /^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?: |$)|---|\.\.\.)/
const INDICATOR_INSIDE = /:(?: |\n|$)| #|\n#/

function stringText(text: string, indent: number): string {
  if (text.includes('\n')) {
    if (SPECIAL.test(text) || / (?:\n|$)/.test(text)) return doubleQuoted(text)
    return literal(text, indent)
  }
  if (resolvePlain(text).kind !== 'str' || BASE_60.test(text)) return doubleQuoted(text)
  return plainOrSingle(text)
}

function plainOrSingle(text: string): string {
  if (SPECIAL.test(text)) return doubleQuoted(text)
  const bare = !/^[ \u2028\u2029]|[ \u2028\u2029]$/.test(text) && !/[\u2028\u2029]/.test(text)
  if (bare && !INDICATOR_FIRST.test(text) && !INDICATOR_INSIDE.test(text)) return text
  return `'${text.replaceAll("'", "''")}'`
}

/** A block of lines; `indent` is that of its content. */
function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? '2' : ''
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : ''
  const lines = text.endsWith('\n') ? text.slice(0, -1).split('\n') : text.split('\n')
  return [`|${hint}${chomp}`, ...lines.map((line) => (line === '' ? '' : blanks(indent) + line))].join('\n')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
}

function doubleQuoted(text: string): string {
  const escaped = text.replace(
    /[^\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]|["\\]/gu,
    (c) => {
      const named = ESCAPES[c]
      if (named !== undefined) return named
      const code = c.codePointAt(0) as number
      const [letter, digits] = code <= 0xff ? ['x', 2] : code <= 0xffff ? ['u', 4] : ['U', 8]
      return `\\${letter}${code.toString(16).toUpperCase().padStart(Number(digits), '0')}`
    },
  )
  return `"${escaped}"`
}
