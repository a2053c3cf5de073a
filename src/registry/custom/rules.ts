// x-kubernetes-validations at work: the rules of a schema in CEL, asked about an object and what it was before.
// Loaded with the first definition that has rules. Compiled node by node at first use.
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel (compilation.go, validation.go).
import { CelError, compile, PER_CALL_LIMIT, type Program } from '../../cel/compile.ts'
import { BOOL, type CelType, optionalOf, STRING } from '../../cel/types.ts'
import { fromJson, NONE, Optional } from '../../cel/values.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { jsonText } from '../../machinery/jsontext.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { nodeAt, type SchemaNode } from '../../schema/custom/structural.ts'
import { isSame } from '../../schema/ownership/fieldset-compare.ts'
import { counted } from '../../schema/turns.ts'
import { celTypeOf } from './celtypes.ts'
import { hasRules } from './rulesin.ts'

/** What all rules of one object may cost together. */
const BUDGET = 10_000_000
/** Longer messages of messageExpression are dropped. */
const MAX_MESSAGE_BYTES = 5 * 1024

export interface CompiledRule {
  readonly rule: JsonObject
  readonly program?: Program
  readonly fault?: string
  readonly message?: Program
  readonly messageFault?: string
  readonly usesOld: boolean
  readonly type: CelType
}

/** The rules of a node, and how many of them have been compiled. */
interface Compiling {
  readonly given: readonly JsonObject[]
  readonly type: CelType | undefined
  readonly done: CompiledRule[]
}

const compiled = new WeakMap<SchemaNode, Compiling>()

/** The rules of one node. */
export function rulesOf(node: SchemaNode, whole: boolean): readonly CompiledRule[] {
  let rules = compiled.get(node)
  if (!rules) compiled.set(node, (rules = uncompiled(node, whole)))
  const { given, type, done } = rules
  // Each of them is kept as soon as it is there: there may be thousands, and others have turns in between.
  while (type && done.length < given.length)
    counted(() => done.push(compileRule(given[done.length] as JsonObject, type)))
  return done
}

function uncompiled(node: SchemaNode, whole: boolean): Compiling {
  const given = node.props['x-kubernetes-validations']
  const type = Array.isArray(given) && given.length > 0 ? celTypeOf(node, whole) : undefined
  return { given: type && Array.isArray(given) ? given.filter(isObject) : [], type, done: [] }
}

const textOf = (rule: JsonObject, key: string): string => {
  const value = rule[key]
  return typeof value === 'string' ? value : ''
}

function compileRule(rule: JsonObject, type: CelType): CompiledRule {
  const source = textOf(rule, 'rule')
  const alone = { variables: new Map([['self', type]]) }
  const oldType = rule['optionalOldSelf'] === true ? optionalOf(type) : type
  const both = { variables: new Map([...alone.variables, ['oldSelf', oldType]]) }
  const one = compile(source, alone)
  const result = one.program ? one : compile(source, both)
  const usesOld = one.program === undefined && result.program !== undefined
  const expression = textOf(rule, 'messageExpression')
  const message = expression === '' ? undefined : compile(expression, both)
  return {
    rule,
    usesOld,
    type,
    ...programOf(result, BOOL, 'cel expression must evaluate to a bool', 'compilation failed: '),
    ...(message && messageOf(message)),
  }
}

type Result = ReturnType<typeof compile>

function programOf(result: Result, wanted: CelType, wrong: string, prefix: string) {
  if (!result.program) return { fault: prefix + result.errors }
  const { kind } = result.program.type
  return kind === wanted.kind || kind === 'dyn' ? { program: result.program } : { fault: wrong }
}

function messageOf(result: Result): { message?: Program; messageFault?: string } {
  const wrong = 'messageExpression must evaluate to a string'
  const { program, fault } = programOf(result, STRING, wrong, 'messageExpression compilation failed: ')
  return fault === undefined ? { message: program as Program } : { messageFault: fault }
}

/** Where a walk is; `old` is what stood here before, undefined where that cannot be told. */
interface Place {
  readonly path: string
  readonly old: Json | undefined
  /** Nothing here has changed: what does not look back is not refused for it. */
  readonly unchanged: boolean
}

/**
 * Causes for the rules that an object breaks. `warn` is told of those that it broke before in what has not changed.
 */
export function ruleFaults(
  schema: SchemaNode,
  object: JsonObject,
  old: JsonObject | undefined,
  warn: (text: string) => void,
): StatusCause[] {
  const walk = new Walk(warn)
  walk.visit(schema, object, { path: '', old, unchanged: false }, true)
  return walk.causes
}

/** Causes for the rules that a default breaks: beside itself, and beside nothing. `whole`: it is a whole object. */
export function defaultRuleFaults(schema: SchemaNode, value: Json, whole: boolean): StatusCause[] {
  for (const old of [value, undefined]) {
    const walk = new Walk()
    walk.visit(schema, value, { path: '', old, unchanged: false }, whole)
    if (walk.causes.length > 0) return walk.causes
  }
  return []
}

class Walk {
  readonly causes: StatusCause[] = []
  /** Absent where nothing is excused for having been so before. */
  readonly #warn: ((text: string) => void) | undefined
  #budget = BUDGET

  constructor(warn?: (text: string) => void) {
    this.#warn = warn
  }

  visit(node: SchemaNode, value: Json, place: Place, whole: boolean): void {
    if (value === null || this.#budget < 0 || !hasRules(node)) return
    const unchanged = place.unchanged || (place.old !== undefined && isSame(place.old, value))
    const here = { ...place, unchanged }
    for (const rule of rulesOf(node, whole)) if (this.#budget >= 0) this.#apply(rule, node, value, here)
    if (Array.isArray(value)) this.#items(node, value, here)
    else if (isObject(value)) this.#fields(node, value, here)
  }

  #items(node: SchemaNode, list: readonly Json[], { path, old, unchanged }: Place): void {
    const { items } = node
    if (!items) return
    const keys = node.props['x-kubernetes-list-map-keys']
    const named =
      node.props['x-kubernetes-list-type'] === 'map' && Array.isArray(keys) ? keys.map(String) : undefined
    const identity = (item: Json): string | undefined =>
      named && isObject(item) ? jsonText(named.map((key) => item[key] ?? null)) : undefined
    const before = new Map(named && Array.isArray(old) ? old.map((item) => [identity(item), item]) : [])
    list.forEach((item, i) => {
      const key = identity(item)
      const was = key === undefined ? undefined : before.get(key)
      this.visit(items, item, { path: `${path}[${i}]`, old: was, unchanged }, items.embedded)
    })
  }

  #fields(node: SchemaNode, object: JsonObject, { path, old, unchanged }: Place): void {
    const correlated = node.props['x-kubernetes-map-type'] !== 'atomic' && isObject(old) ? old : undefined
    for (const key of Object.keys(object)) {
      const below = nodeAt(node, key)
      if (typeof below !== 'object') continue
      const named = node.properties.has(key)
      const at = named ? (path === '' ? key : `${path}.${key}`) : `${path}[${key}]`
      const was = correlated && Object.hasOwn(correlated, key) ? correlated[key] : undefined
      this.visit(below, object[key] as Json, { path: at, old: was, unchanged }, below.embedded)
    }
  }

  #apply(one: CompiledRule, node: SchemaNode, value: Json, place: Place): void {
    const { rule } = one
    const field = place.path === '' ? '<nil>' : place.path
    if (!one.program) {
      this.#add(cause.invalid(field, node.type, `rule compile error: ${one.fault ?? ''}`))
      return
    }
    const optional = rule['optionalOldSelf'] === true
    if (one.usesOld && place.old === undefined && !optional) return
    const activation = activationOf(one, value, place.old, optional)
    try {
      const { value: kept, cost } = one.program.run(activation, { limit: PER_CALL_LIMIT })
      if (!this.#spend(cost, field, node) || kept === true) return
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      this.#failed(error, rule, field, node)
      return
    }
    const found = refusal(rule, place.path, this.#message(one, activation), shownValue(node, value))
    if (one.usesOld || !place.unchanged || !this.#warn) this.#add(found)
    else this.#warn(`${found.field}: ${found.message}`)
  }

  #add(one: StatusCause): void {
    this.causes.push(one)
  }

  /** False where the budget is used up, which ends it all. */
  #spend(cost: number, field: string, node: SchemaNode): boolean {
    this.#budget -= cost
    if (this.#budget >= 0) return true
    const why = 'validation failed due to running out of cost budget, no further validation rules will be run'
    this.#add(cause.invalid(field, node.type, why))
    return false
  }

  #failed(error: CelError, rule: JsonObject, field: string, node: SchemaNode): void {
    const name = said(rule)
    if (error.limit) {
      const why = `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${name}`
      this.#add(cause.invalid(field, node.type, why))
      this.#budget = -1
    } else if (error.message.startsWith('no such overload')) {
      const why = `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${name}`
      this.#add(cause.invalid(field, node.type, why))
    } else this.#add(cause.invalid(field, node.type, `${error.message} evaluating rule: ${name}`))
  }

  #message({ rule, message }: CompiledRule, activation: (name: string) => unknown): string {
    if (message) {
      try {
        const { value, cost } = message.run(activation, { limit: PER_CALL_LIMIT })
        this.#budget -= cost
        const text = typeof value === 'string' ? value.trim() : ''
        if (text !== '' && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES && !/[\n\r]/.test(text)) return text
      } catch (error) {
        if (!(error instanceof CelError)) throw error
      }
    }
    const text = textOf(rule, 'message').trim()
    return text === '' ? `failed rule: ${textOf(rule, 'rule').trim()}` : text
  }
}

function activationOf(
  { type }: CompiledRule,
  value: Json,
  old: Json | undefined,
  optional: boolean,
): (name: string) => unknown {
  return (name) => {
    if (name === 'self') return value
    if (name !== 'oldSelf') return undefined
    if (!optional) return old
    return old === undefined ? NONE : new Optional(fromJson(old, type))
  }
}

/** How a rule is named in errors. */
const said = (rule: JsonObject): string => textOf(rule, 'message').trim() || textOf(rule, 'rule').trim()

/** Objects and lists are not shown. */
const shownValue = (node: SchemaNode, value: Json): Json | undefined =>
  node.type === 'object' || node.type === 'array' ? undefined : value

function refusal(rule: JsonObject, path: string, text: string, value: Json | undefined): StatusCause {
  const below = textOf(rule, 'fieldPath').trim()
  const field = below === '' ? path || '<nil>' : path === '' ? below.replace(/^\./, '') : path + dotted(below)
  switch (rule['reason']) {
    case 'FieldValueForbidden':
      return cause.forbidden(field, text)
    case 'FieldValueRequired':
      return cause.required(field, text)
    case 'FieldValueDuplicate':
      return value === undefined
        ? { reason: 'FieldValueDuplicate', message: 'Duplicate value', field }
        : cause.duplicate(field, value)
    default:
      return value === undefined
        ? { reason: 'FieldValueInvalid', message: `Invalid value: ${text}`, field }
        : cause.invalid(field, value, text)
  }
}

const dotted = (path: string): string => path.replaceAll(/\['([^']*)'\]/g, '[$1]')
