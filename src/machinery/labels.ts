// Label selectors: the text of the query parameter and the LabelSelector object, compiled to closures.
// Lists and watches match every object with them. Parsing of the text is in labelparser.ts.
// Follows k8s.io/apimachinery/pkg/labels, and pkg/apis/meta/v1 for LabelSelector objects.
import { isObject } from './json.ts'
import { type LabelOperator, type LabelRequirement, parseTerms } from './labelparser.ts'
import { badRequest, cause, type StatusCause } from './status.ts'
import { labelValueErrors, qualifiedNameErrors } from './validation.ts'

export type { LabelOperator, LabelRequirement }

export type Labels = Readonly<Record<string, string>>

export interface LabelSelector {
  /** True where every requirement holds; absent labels are no labels. */
  matches(labels: Labels | undefined): boolean
  /** Sorted by key. */
  readonly requirements: readonly LabelRequirement[]
  /** Selects everything. */
  readonly empty: boolean
}

/** Selects everything. */
export const EVERYTHING: LabelSelector = { matches: () => true, requirements: [], empty: true }
/** Selects nothing: what an absent LabelSelector object means. */
export const NOTHING: LabelSelector = { matches: () => false, requirements: [], empty: false }

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

/** Go's ParseInt(text, 10, 64); undefined for anything else. */
function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,40}$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return value >= INT64.min && value <= INT64.max ? value : undefined
}

type Match = (labels: Labels) => boolean

// Keys like "constructor" are found on the prototype, but what is found there is never a string.
function compileRequirement({ key, operator, values }: LabelRequirement): Match {
  const wanted = values[0] ?? ''
  const set = new Set(values)
  switch (operator) {
    case '=':
    case '==':
      return (labels) => labels[key] === wanted
    case '!=':
      return (labels) => labels[key] !== wanted
    case 'in':
      if (values.length === 1) return (labels) => labels[key] === wanted
      return (labels) => typeof labels[key] === 'string' && set.has(labels[key])
    case 'notin':
      return (labels) => typeof labels[key] !== 'string' || !set.has(labels[key])
    case 'exists':
      return (labels) => typeof labels[key] === 'string'
    case '!':
      return (labels) => typeof labels[key] !== 'string'
    case 'gt':
    case 'lt':
      return compare(key, operator, wanted)
  }
}

function compare(key: string, operator: 'gt' | 'lt', wanted: string): Match {
  const bound = parseInt64(wanted)
  return (labels) => {
    const text = labels[key]
    const value = typeof text === 'string' ? parseInt64(text) : undefined
    if (value === undefined || bound === undefined) return false
    return operator === 'gt' ? value > bound : value < bound
  }
}

const NO_LABELS: Labels = Object.freeze({})

/** The selector for requirements that are known to be good. */
export function selectorOf(requirements: readonly LabelRequirement[]): LabelSelector {
  if (requirements.length === 0) return EVERYTHING
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const tests = sorted.map(compileRequirement)
  const first = tests[0] as Match
  const matches: LabelSelector['matches'] =
    tests.length === 1
      ? (labels) => first(labels ?? NO_LABELS)
      : (labels) => tests.every((test) => test(labels ?? NO_LABELS))
  return { matches, requirements: sorted, empty: false }
}

/** The selector that wants exactly these labels (a Service's or ReplicationController's map). */
export const selectorOfMap = (labels: Labels): LabelSelector =>
  selectorOf(Object.keys(labels).map((key) => ({ key, operator: '=', values: [labels[key] as string] })))

const OPERATORS = ['in', 'notin', '=', '==', '!=', 'gt', 'lt', 'exists', '!']

const quoted = (value: string): string => JSON.stringify(value)

function valueCountError({ operator, values }: LabelRequirement): string | undefined {
  const shown = JSON.stringify(values)
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length > 0) return undefined
      return `values: Invalid value: ${shown}: for 'in', 'notin' operators, values set can't be empty`
    case '=':
    case '==':
    case '!=':
      if (values.length === 1) return undefined
      return `values: Invalid value: ${shown}: exact-match compatibility requires one single value`
    case 'exists':
    case '!':
      if (values.length === 0) return undefined
      return `values: Invalid value: ${shown}: values set must be empty for exists and does not exist`
    case 'gt':
    case 'lt':
      if (values.length === 1) return undefined
      return `values: Invalid value: ${shown}: for 'Gt', 'Lt' operators, exactly one value is required`
    default:
      return `operator: Unsupported value: ${quoted(operator)}: supported values: ${OPERATORS.map(quoted).join(', ')}`
  }
}

/** What is wrong with a requirement, in one text; undefined where nothing is. */
export function requirementError(requirement: LabelRequirement): string | undefined {
  const errors: string[] = []
  const { key, operator, values } = requirement
  const ofKey = qualifiedNameErrors(key)
  if (ofKey.length > 0) errors.push(`key: Invalid value: ${quoted(key)}: ${ofKey.join('; ')}`)
  const ofCount = valueCountError(requirement)
  if (ofCount !== undefined) errors.push(ofCount)
  values.forEach((value, i) => {
    if ((operator === 'gt' || operator === 'lt') && parseInt64(value) === undefined) {
      const why = "for 'Gt', 'Lt' operators, the value must be an integer"
      errors.push(`values[${i}]: Invalid value: ${quoted(value)}: ${why}`)
    }
  })
  values.forEach((value, i) => {
    const ofValue = labelValueErrors(value)
    if (ofValue.length > 0) {
      errors.push(`values[${i}][${key}]: Invalid value: ${quoted(value)}: ${ofValue.join('; ')}`)
    }
  })
  const texts = [...new Set(errors)]
  return texts.length > 1 ? `[${texts.join(', ')}]` : texts[0]
}

/**
 * Parses the text of a `labelSelector` parameter: "a=b,c in (d,e),!f,g>5".
 * Throws a 400 StatusError for what does not parse.
 */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === '') return EVERYTHING
  return selectorOf(
    parseTerms(text, (requirement) => {
      const error = requirementError(requirement)
      if (error !== undefined) throw badRequest(`unable to parse requirement: ${error}`)
    }),
  )
}

/** The text of a selector, as `parseLabelSelector` reads it: what a Scale's `status.selector` shows. */
export function labelSelectorText(selector: LabelSelector): string {
  return selector.requirements.map(requirementText).join(',')
}

function requirementText({ key, operator, values }: LabelRequirement): string {
  const list = values.length > 1 ? [...values].sort().join(',') : (values[0] ?? '')
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${list})`
    case 'gt':
    case 'lt':
      return `${key}${operator === 'gt' ? '>' : '<'}${list}`
    default:
      return `${key}${operator}${list}`
  }
}

/** The one value that a selector demands of a label; undefined where it allows more. */
export function labelExactMatch(selector: LabelSelector, key: string): string | undefined {
  const found = selector.requirements.find((r) => r.key === key)
  if (found === undefined || found.values.length !== 1) return undefined
  return found.operator === '=' || found.operator === '==' || found.operator === 'in'
    ? found.values[0]
    : undefined
}

// ---- LabelSelector objects

const OBJECT_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

interface Expression {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}

function expressionsOf(object: unknown): Expression[] {
  const list = isObject(object) && Array.isArray(object.matchExpressions) ? object.matchExpressions : []
  return list.filter(isObject).map((e) => ({
    key: typeof e.key === 'string' ? e.key : '',
    operator: typeof e.operator === 'string' ? e.operator : '',
    values: Array.isArray(e.values) ? e.values.filter((v) => typeof v === 'string') : [],
  }))
}

function matchLabelsOf(object: unknown): [string, string][] {
  const map = isObject(object) && isObject(object.matchLabels) ? object.matchLabels : {}
  return Object.keys(map).map((key) => [key, typeof map[key] === 'string' ? map[key] : ''])
}

/**
 * The selector of a metav1.LabelSelector object. Absent selects nothing, empty selects everything.
 * Throws an Error with upstream's text for an object that validation would refuse.
 */
export function selectorOfObject(object: unknown): LabelSelector {
  if (object === undefined || object === null) return NOTHING
  const requirements: LabelRequirement[] = matchLabelsOf(object).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }))
  for (const { key, operator, values } of expressionsOf(object)) {
    const known = Object.hasOwn(OBJECT_OPERATORS, operator) ? OBJECT_OPERATORS[operator] : undefined
    if (known === undefined) throw new Error(`${quoted(operator)} is not a valid label selector operator`)
    requirements.push({ key, operator: known, values })
  }
  for (const requirement of requirements) {
    const error = requirementError(requirement)
    if (error !== undefined) throw new Error(error)
  }
  return selectorOf(requirements)
}

/** The faults of a map of labels at `field`. */
export function labelsCauses(labels: unknown, field: string): StatusCause[] {
  if (!isObject(labels)) return []
  return Object.keys(labels).flatMap((key) => [
    ...qualifiedNameErrors(key).map((e) => cause.invalid(field, key, e)),
    ...labelValueErrors(String(labels[key] ?? '')).map((e) => cause.invalid(field, labels[key], e)),
  ])
}

/**
 * The faults of a metav1.LabelSelector object at `field`. `allowInvalidValues`: the stored object has such values
 * already, an update may keep them.
 */
export function labelSelectorCauses(
  object: unknown,
  field: string,
  allowInvalidValues = false,
): StatusCause[] {
  const causes = isObject(object) ? labelsCauses(object.matchLabels, `${field}.matchLabels`) : []
  expressionsOf(object).forEach((expression, i) => {
    causes.push(...expressionCauses(expression, `${field}.matchExpressions[${i}]`, allowInvalidValues))
  })
  return causes
}

function expressionCauses({ key, operator, values }: Expression, at: string, lax: boolean): StatusCause[] {
  const causes: StatusCause[] = []
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      const why = "must be specified when `operator` is 'In' or 'NotIn'"
      causes.push(cause.required(`${at}.values`, why))
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
      causes.push(cause.forbidden(`${at}.values`, why))
    }
  } else causes.push(cause.invalid(`${at}.operator`, operator, 'not a valid selector operator'))
  causes.push(...qualifiedNameErrors(key).map((e) => cause.invalid(`${at}.key`, key, e)))
  if (lax) return causes
  values.forEach((value, i) => {
    causes.push(...labelValueErrors(value).map((e) => cause.invalid(`${at}.values[${i}]`, value, e)))
  })
  return causes
}
