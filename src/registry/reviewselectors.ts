// The selectors that an access review may ask about: their faults, and their requirements as authorizers read them.
// Follows k8s.io/kubernetes/pkg/registry/authorization/util and pkg/apis/authorization/validation.
import type { AuthorizationAttributes } from '../machinery/attributes.ts'
import { parseFieldSelector } from '../machinery/fields.ts'
import type { JsonObject } from '../machinery/json.ts'
import { parseLabelSelector, requirementError } from '../machinery/labels.ts'
import type { LabelOperator } from '../machinery/labelparser.ts'
import { cause, type StatusCause, StatusError } from '../machinery/status.ts'
import { labelValueErrors, qualifiedNameErrors } from '../machinery/validation.ts'
import { objectAt, objectsAt, present, textAt, textsAt } from './reading.ts'

type Requirements = NonNullable<AuthorizationAttributes['labelSelector']>
type SelectorField = 'fieldSelector' | 'labelSelector'

const AT = 'spec.resourceAttributes'

/** The faults of both selectors. Operators that are not known are none: a newer client may know them. */
export function selectorCauses(attributes: JsonObject): StatusCause[] {
  return (['fieldSelector', 'labelSelector'] as const).flatMap((field) =>
    present(attributes[field]) ? causesOf(field, objectAt(attributes[field])) : [],
  )
}

function causesOf(field: SelectorField, selector: JsonObject): StatusCause[] {
  const at = `${AT}.${field}`
  const raw = textAt(selector['rawSelector'])
  const requirements = objectsAt(selector['requirements'])
  const causes: StatusCause[] = []
  if (raw !== '' && requirements.length > 0) {
    causes.push(cause.invalid(`${at}.rawSelector`, raw, 'may not specified at the same time as requirements'))
  }
  if (raw === '' && requirements.length === 0) {
    const why = `when ${at} is specified, requirements or rawSelector is required`
    causes.push(cause.required(`${at}.requirements`, why))
  }
  requirements.forEach((requirement, i) => {
    const place = `${at}.requirements[${i}]`
    causes.push(
      ...(field === 'fieldSelector' ? fieldCauses(requirement, place) : labelCauses(requirement, place)),
    )
  })
  return causes
}

function fieldCauses(requirement: JsonObject, at: string): StatusCause[] {
  const missing = textAt(requirement['key']) === '' ? [cause.required(`${at}.key`, 'must be specified')] : []
  return [...missing, ...valueCauses(requirement, at)]
}

function labelCauses(requirement: JsonObject, at: string): StatusCause[] {
  const key = textAt(requirement['key'])
  const causes = valueCauses(requirement, at)
  causes.push(...qualifiedNameErrors(key).map((why) => cause.invalid(`${at}.key`, key, why)))
  textsAt(requirement['values']).forEach((value, i) => {
    causes.push(...labelValueErrors(value).map((why) => cause.invalid(`${at}.values[${i}]`, value, why)))
  })
  return causes
}

function valueCauses(requirement: JsonObject, at: string): StatusCause[] {
  const operator = textAt(requirement['operator'])
  const count = textsAt(requirement['values']).length
  if ((operator === 'In' || operator === 'NotIn') && count === 0) {
    return [cause.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0) {
    return [
      cause.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
    ]
  }
  return []
}

export interface ReadSelectors {
  readonly attributes: Pick<AuthorizationAttributes, 'fieldSelector' | 'labelSelector'>
  /** What was ignored, in upstream's words: the decision is about a broader request then. */
  readonly errors: readonly string[]
}

/** The requirements of both selectors, as far as they can be understood. */
export function readSelectors(attributes: JsonObject): ReadSelectors {
  const read: Partial<Record<SelectorField, Requirements>> = {}
  const errors: string[] = []
  for (const field of ['fieldSelector', 'labelSelector'] as const) {
    if (!present(attributes[field])) continue
    const { requirements, complete } = readSelector(field, objectAt(attributes[field]))
    if (requirements.length > 0) read[field] = requirements
    if (complete) continue
    const partially = requirements.length > 0 ? 'partially ' : ''
    errors.push(`${AT}.${field} ${partially}ignored due to parse error`)
  }
  return { attributes: read, errors }
}

interface ReadSelector {
  readonly requirements: Requirements
  readonly complete: boolean
}

function readSelector(field: SelectorField, selector: JsonObject): ReadSelector {
  const given = objectsAt(selector['requirements'])
  if (given.length === 0) return readRaw(field, textAt(selector['rawSelector']))
  const known = given.flatMap((requirement) => {
    const one = field === 'fieldSelector' ? fieldRequirement(requirement) : labelRequirement(requirement)
    return one ? [one] : []
  })
  return { requirements: known, complete: known.length === given.length }
}

function readRaw(field: SelectorField, raw: string): ReadSelector {
  try {
    if (field === 'labelSelector')
      return { requirements: parseLabelSelector(raw).requirements, complete: true }
    const { requirements } = parseFieldSelector(raw)
    const asRead = requirements.map(({ field: key, operator, value }) => ({ key, operator, values: [value] }))
    return { requirements: asRead, complete: true }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    return { requirements: [], complete: false }
  }
}

const LABEL_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

function labelRequirement(requirement: JsonObject): Requirements[number] | undefined {
  const name = textAt(requirement['operator'])
  const operator = Object.hasOwn(LABEL_OPERATORS, name) ? LABEL_OPERATORS[name] : undefined
  if (operator === undefined) return undefined
  const read = { key: textAt(requirement['key']), operator, values: [...textsAt(requirement['values'])] }
  return requirementError(read) === undefined ? read : undefined
}

/** Field selectors know equal and not equal, to one value. */
function fieldRequirement(requirement: JsonObject): Requirements[number] | undefined {
  const operator = textAt(requirement['operator'])
  const values = textsAt(requirement['values'])
  if (values.length !== 1 || (operator !== 'In' && operator !== 'NotIn')) return undefined
  return { key: textAt(requirement['key']), operator: operator === 'In' ? '=' : '!=', values }
}
