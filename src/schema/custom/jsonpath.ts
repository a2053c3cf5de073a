// JSONPath as definitions use it, for printer columns and selectable fields: keys, indices, slices, wildcards, filters.
// Follows k8s.io/client-go/util/jsonpath, without its templates.
import { isObject, type Json } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'

/** From the values found so far to those one step further. */
type Step = (values: readonly Json[]) => Json[]

/** A path that was read: all values that it finds in an object, in order. */
export type JsonPath = (object: Json) => Json[]

/** Longer paths are nobody's. */
const MAX_LENGTH = 4096

/** Reads a path (".spec.replicas"); undefined where it is none. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const steps: Step[] = []
  let rest = text.startsWith('$') ? text.slice(1) : text
  while (rest !== '') {
    const read = readStep(rest)
    if (!read) return undefined
    steps.push(read.step)
    rest = read.rest
  }
  return (object) => steps.reduce<Json[]>((values, step) => step(values), [object])
}

interface Read {
  readonly step: Step
  readonly rest: string
}

const KEY = /^\.((?:[^.[\]\\]|\\.)+)/
const BRACKET = /^\[((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*)\]/

function readStep(text: string): Read | undefined {
  if (text === '.') return { step: (values) => [...values], rest: '' }
  if (text.startsWith('..')) {
    const rest = text.slice(text[2] === '[' ? 2 : 1)
    return { step: (values) => values.flatMap((value) => [...descendants(value)]), rest }
  }
  const key = KEY.exec(text)
  if (key) {
    const name = (key[1] as string).replaceAll(/\\(.)/g, '$1')
    return { step: name === '*' ? all : keyStep(name), rest: text.slice(key[0].length) }
  }
  const bracket = BRACKET.exec(text.startsWith('.[') ? text.slice(1) : text)
  if (!bracket) return undefined
  const step = bracketStep((bracket[1] as string).trim())
  const taken = bracket[0].length + (text.startsWith('.[') ? 1 : 0)
  return step && { step, rest: text.slice(taken) }
}

const all: Step = (values) =>
  values.flatMap((value) =>
    Array.isArray(value) ? value : isObject(value) ? (Object.values(value) as Json[]) : [],
  )

function* descendants(value: Json): Generator<Json> {
  yield value
  for (const below of all([value])) yield* descendants(below)
}

const keyStep =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name] as Json] : []))

function bracketStep(text: string): Step | undefined {
  if (text === '*') return all
  const quoted = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/.exec(text)
  if (quoted) return keyStep((quoted[1] ?? quoted[2] ?? '').replaceAll(/\\(.)/g, '$1'))
  if (/^-?\d+$/.test(text)) return (values) => values.flatMap((value) => itemAt(value, Number(text)))
  const slice = /^(-?\d*):(-?\d*)(?::(\d*))?$/.exec(text)
  if (slice) return sliceStep(slice[1] as string, slice[2] as string, slice[3] ?? '')
  const filter = /^\?\((.*)\)$/s.exec(text)
  return filter ? filterStep((filter[1] as string).trim()) : undefined
}

function itemAt(value: Json, index: number): Json[] {
  const item = Array.isArray(value) ? value.at(index) : undefined
  return item === undefined ? [] : [item]
}

function sliceStep(from: string, to: string, by: string): Step {
  const step = Math.max(1, Number(by || '1'))
  return (values) =>
    values.flatMap((value) =>
      Array.isArray(value)
        ? value
            .slice(from === '' ? 0 : Number(from), to === '' ? undefined : Number(to))
            .filter((_, i) => i % step === 0)
        : [],
    )
}

const COMPARISON = /^@((?:[^=!<>'"]|'[^']*'|"[^"]*")*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s

/** `@.type=="Ready"`, or `@.x` for those that have it. */
function filterStep(text: string): Step | undefined {
  const match = COMPARISON.exec(text)
  const path = match && parseJsonPath((match[1] as string).trim())
  if (!match || !path) return undefined
  const operator = match[2]
  const wanted = operator === undefined ? undefined : literal((match[3] as string).trim())
  if (operator !== undefined && wanted === undefined) return undefined
  const fits = (item: Json): boolean => {
    const [found] = path(item)
    if (found === undefined) return false
    return operator === undefined || compare(found, operator, wanted as Json)
  }
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value.filter(fits) : []))
}

function literal(text: string): Json | undefined {
  const quoted = /^(?:'(.*)'|"(.*)")$/s.exec(text)
  if (quoted) return quoted[1] ?? quoted[2] ?? ''
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
}

function compare(found: Json, operator: string, wanted: Json): boolean {
  if (operator === '==') return found === wanted
  if (operator === '!=') return found !== wanted
  if (typeof found !== typeof wanted || found === null || wanted === null) return false
  if (operator === '<') return found < wanted
  if (operator === '<=') return found <= wanted
  return operator === '>' ? found > wanted : found >= wanted
}

/** A value as Go's jsonpath prints it in a column of texts. */
export function printed(value: Json): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null ? jsonText(value) : value === null ? '' : String(value)
}
