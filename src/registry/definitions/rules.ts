// The form of x-kubernetes-validations in a definition's schema; what the rules say is CEL's business.
// Follows apiextensions-apiserver/pkg/apis/apiextensions/validation and pkg/apiserver/schema/cel (ValidFieldPath).
import type { JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { fieldPathFault } from './fieldpath.ts'
import { listOf, textAt } from './reading.ts'
import { unsupportedFault } from './unsupported.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const LINE_BREAK = /[\n\r]/

/** Causes for the rules of one node, not those below. */
export function ruleCauses(schema: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  listOf(schema, 'x-kubernetes-validations').forEach((rule, i) =>
    checkRule(rule, schema, `${path}.x-kubernetes-validations[${i}]`, causes),
  )
  return causes
}

function checkRule(rule: JsonObject, schema: JsonObject, path: string, causes: StatusCause[]): void {
  textCauses(rule, path, causes)
  const expression = textAt(rule, 'messageExpression')
  if (expression !== '' && expression.trim() === '')
    causes.push(
      cause.required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'),
    )
  const { reason } = rule
  if (reason !== undefined && !REASONS.includes(String(reason)))
    causes.push(cause.notSupported(`${path}.reason`, reason, REASONS))
  const place = textAt(rule, 'fieldPath')
  if (place === '') return
  const invalid = (why: string) => causes.push(cause.invalid(`${path}.fieldPath`, place, why))
  if (place.trim() === '') invalid('must be non-empty if specified')
  if (LINE_BREAK.test(place)) invalid('must not contain line breaks')
  // Of what is no structural schema nobody can say where a path leads.
  if (unsupportedFault(schema) === undefined && fieldPathFault(place, schema, true) !== undefined)
    invalid('must be a valid path')
}

function textCauses(rule: JsonObject, path: string, causes: StatusCause[]): void {
  const text = textAt(rule, 'rule').trim()
  const message = textAt(rule, 'message')
  const said = message.trim()
  if (text === '') causes.push(cause.required(`${path}.rule`, 'rule is not specified'))
  else if (message !== '' && said === '')
    causes.push(cause.invalid(`${path}.message`, message, 'must be non-empty if specified'))
  else if (LINE_BREAK.test(said))
    causes.push(cause.invalid(`${path}.message`, message, 'must not contain line breaks'))
  else if (LINE_BREAK.test(text) && said === '')
    causes.push(cause.required(`${path}.message`, 'message must be specified if rule contains line breaks'))
}
