// How functions are declared: by a signature in one line, "string.startsWith(string) bool", and what runs.
// Follows cel-go common/decls.
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  opaque,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
  type CelType,
} from './types.ts'
import type { Value } from './values.ts'

/** What functions may ask of the evaluation that they run in. */
export interface Evaluation {
  /** The answer of the authorizer; an Error where it is not there yet, which ends this evaluation for now. */
  authorize?(attributes: unknown): Value
}

export type Implementation = (args: readonly Value[], evaluation: Evaluation) => Value
/** What a call costs, by its arguments and its result. */
export type Cost = (args: readonly Value[], result: Value) => number

export interface Overload {
  readonly name: string
  readonly member: boolean
  readonly params: readonly CelType[]
  readonly result: CelType
  readonly run: Implementation
  readonly cost?: Cost
}

/** Functions by name: the overloads of each, in the order in which they are tried. */
export type Functions = Map<string, Overload[]>

export type Library = (define: Define) => void
/** Declares one overload. */
export type Define = (signature: string, run: Implementation, cost?: Cost) => void

/** Functions of several libraries. */
export function functionsOf(libraries: readonly Library[]): Functions {
  const functions: Functions = new Map()
  const define: Define = (signature, run, cost) => {
    const overload = { ...readSignature(signature), run, ...(cost && { cost }) }
    const known = functions.get(overload.name)
    if (known) known.push(overload)
    else functions.set(overload.name, [overload])
  }
  for (const library of libraries) library(define)
  return functions
}

/** "receiver.name(params) result", or "name(params) result"; names with dots are those of plain functions. */
function readSignature(signature: string): Pick<Overload, 'name' | 'member' | 'params' | 'result'> {
  const [head = '', result = ''] = splitAt(signature, signature.lastIndexOf(' '))
  const open = openOf(head)
  const name = head.slice(0, open)
  const params = splitTypes(head.slice(open + 1, -1)).map(readType)
  const colon = name.indexOf('->')
  if (colon === -1) return { name, member: false, params, result: readType(result) }
  const receiver = readType(name.slice(0, colon))
  return {
    name: name.slice(colon + 2),
    member: true,
    params: [receiver, ...params],
    result: readType(result),
  }
}

const splitAt = (text: string, at: number): [string, string] => [text.slice(0, at), text.slice(at + 1)]

/** Where the parameters begin: the parenthesis that the last one closes. */
function openOf(head: string): number {
  let depth = 0
  for (let i = head.length - 1; i >= 0; i--) {
    if (head[i] === ')') depth++
    else if (head[i] === '(' && --depth === 0) return i
  }
  throw new Error(`no parameters in ${head}`)
}

function splitTypes(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')') depth--
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(from, i).trim())
      from = i + 1
    }
  }
  const rest = text.slice(from).trim()
  return rest ? [...parts, rest] : parts
}

const SIMPLE: ReadonlyMap<string, CelType> = new Map([
  ['bool', BOOL],
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['string', STRING],
  ['bytes', BYTES],
  ['null', NULL],
  ['timestamp', TIMESTAMP],
  ['duration', DURATION],
  ['dyn', DYN],
  ['type', TYPE],
])

/** A type as signatures write it: list(A), map(string, int), optional(T), kubernetes.Quantity. */
export function readType(text: string): CelType {
  const simple = SIMPLE.get(text)
  if (simple) return simple
  if (/^[A-Z]$/.test(text)) return { kind: 'param', name: text }
  const open = text.indexOf('(')
  if (open === -1) return opaque(text)
  const [first = DYN, second = DYN] = splitTypes(text.slice(open + 1, -1)).map(readType)
  const name = text.slice(0, open)
  if (name === 'list') return listOf(first)
  if (name === 'map') return mapOf(first, second)
  return opaque(name === 'optional' ? 'optional_type' : name, first)
}
