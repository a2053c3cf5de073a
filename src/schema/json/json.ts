// Request bodies in JSON: bytes in, a plain value out, with what strict field validation must know of the text.
// Follows sigs.k8s.io/json (duplicate fields, int64) and Go's encoding/json (wording of syntax errors, UTF-8).
import { isUtf8 } from 'node:buffer'
import type { Json } from '../../machinery/json.ts'
import { readTokens } from '../../machinery/jsontext.ts'
import { jsonNumber } from '../../machinery/numbers.ts'
import { inspectJson } from './inspect.ts'
import { syntaxErrorOf } from './syntax.ts'
import { walkJson } from './walk.ts'

/** The text is no JSON; the message is what Go's encoding/json says of it. */
export class JsonSyntaxError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonSyntaxError'
  }
}

/** A number in the text is too large for a float64, which Go tells only once it knows what it decodes. */
export class JsonNumberError extends JsonSyntaxError {}

/** Numbers as they were written, by path (`spec.ports[0].port`): those of which their values do not tell. */
export type NumberTokens = ReadonlyMap<string, string>

export interface ParseOptions {
  /** Look for duplicate keys (strict and warning field validation); else `duplicates` stays empty. */
  readonly findDuplicates?: boolean
  /** Two objects of one key become one, as they do where Go decodes into a struct; else the last counts. */
  readonly mergeDuplicates?: boolean
}

export interface Parsed {
  readonly value: Json
  /** `duplicate field "spec.replicas"`, in document order, at most 100, none twice. */
  readonly duplicates: string[]
  /** Where there may be any; takes a walk over the text. */
  readonly tokens?: () => NumberTokens
}

/**
 * Parses one JSON text. The last of duplicate keys wins, where the options do not say otherwise. Integers of 64 bits are
 * exact, what is larger is a float64.
 *
 * @throws JsonSyntaxError
 */
export function parseJson(bytes: Buffer, options: ParseOptions = {}): Parsed {
  const findings = inspectJson(bytes)
  if (findings.tooDeep) throw new JsonSyntaxError(syntaxErrorOf(bytes) ?? 'exceeded max depth')
  const text = findings.ascii ? bytes.toString('latin1') : decodeUtf8(bytes)
  const sound = findings.escapes ? replaceLoneSurrogates(text) : text
  let value: Json
  try {
    value = JSON.parse(sound) as Json
  } catch {
    throw new JsonSyntaxError(syntaxErrorOf(bytes) ?? 'invalid JSON')
  }
  const merge = options.mergeDuplicates === true && findings.maybeDuplicates
  if (merge || findings.oddNumbers) value = readTokens(sound, { merge })
  const duplicates: string[] = []
  if (findings.oddNumbers || (options.findDuplicates && findings.maybeDuplicates)) {
    reportDetails(text, findings, options.findDuplicates ? duplicates : undefined)
  }
  if (!findings.oddNumbers && !findings.fractions) return { value, duplicates }
  return { value, duplicates, tokens: () => tokensOf(text) }
}

/** Upstream stops counting here too, so that a hostile body cannot make an answer many times its own size. */
export const MAX_DUPLICATES = 100

/** The exact, slow walk over a text known to be valid: taken only where the quick inspection saw something odd. */
function reportDetails(text: string, findings: { oddNumbers: boolean }, duplicates?: string[]): void {
  const reported = new Set<string>()
  walkJson(text, {
    key: (path, again) => {
      if (!again || !duplicates || reported.has(path) || duplicates.length >= MAX_DUPLICATES) return
      reported.add(path)
      duplicates.push(duplicateField(path))
    },
    ...(findings.oddNumbers && { number: checkNumber }),
  })
}

const duplicateField = (path: string): string => `duplicate field ${JSON.stringify(path)}`

/** Faults of fields, duplicate and unknown ones, in the order in which a reader of the text comes upon them. */
export function inTextOrder(bytes: Buffer, faults: readonly string[]): string[] {
  const ordered = new Set<string>()
  const all = new Set(faults)
  walkJson(decodeUtf8(bytes), {
    key: (path, again) => {
      const fault = again ? duplicateField(path) : `unknown field ${JSON.stringify(path)}`
      if (all.has(fault)) ordered.add(fault)
    },
  })
  return [...ordered, ...faults.filter((fault) => !ordered.has(fault))]
}

function checkNumber(token: string): void {
  if (/^[-0-9]/.test(token) && !Number.isFinite(Number(token)))
    throw new JsonNumberError(`json: cannot unmarshal number ${token} into Go value of type float64`)
}

function tokensOf(text: string): NumberTokens {
  const tokens = new Map<string, string>()
  walkJson(text, {
    key() {},
    number(token, path) {
      if (/^[-0-9]/.test(token) && String(jsonNumber(token)) !== token) tokens.set(path, token)
    },
  })
  return tokens
}

/** Go puts one U+FFFD for every byte that is no UTF-8, where Buffer puts one for a whole broken sequence. */
function decodeUtf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  let text = ''
  let good = 0
  for (let i = 0; i < bytes.length;) {
    const size = sequenceLength(bytes, i)
    if (size === 0) {
      text += bytes.toString('utf8', good, i) + '\ufffd'
      good = i + 1
    }
    i += size || 1
  }
  return text + bytes.toString('utf8', good)
}

/** Length of the valid UTF-8 sequence at `start`, 0 where there is none. */
function sequenceLength(bytes: Buffer, start: number): number {
  const lead = bytes[start] as number
  if (lead < 0x80) return 1
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
  return isUtf8(bytes.subarray(start, start + size)) && start + size <= bytes.length ? size : 0
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** \ud800 without its other half is U+FFFD to Go; JavaScript would keep it, and store what is no UTF-8. */
function replaceLoneSurrogates(text: string): string {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return text
  return text.replace(/(?:\\u[0-9a-fA-F]{4})+|\\[^u]/g, (run) => {
    if (run.length < 6) return run
    const decoded = JSON.parse(`"${run}"`) as string
    return JSON.stringify(decoded.replace(LONE_SURROGATE, '\ufffd')).slice(1, -1)
  })
}

const NEEDS_ESCAPE = /[<>&\u2028\u2029]/
const ESCAPES: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/**
 * The characters that Go's encoding/json escapes and JSON.stringify does not; apply to whole JSON texts.
 * Returns the argument itself where there is nothing to do, which is nearly always.
 */
export function escapeHtml(json: string): string {
  if (!NEEDS_ESCAPE.test(json)) return json
  return json.replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character] as string)
}
