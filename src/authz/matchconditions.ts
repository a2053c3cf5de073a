// The match conditions of webhooks that authorize: expressions over the review that they would be sent. Loaded with the
// first configuration that has any. Follows k8s.io/apiserver/pkg/authorization/cel.
import { compileFor } from '../cel/admission.ts'
import { CelError, type Environment, type Program } from '../cel/compile.ts'
import { BOOL, listOf, mapOf, objectOf, STRING } from '../cel/types.ts'
import { aggregate } from '../machinery/aggregate.ts'
import { isObject, type JsonObject } from '../machinery/json.ts'
import { cause, type StatusCause } from '../machinery/status.ts'

/** A condition that compiled. */
export interface MatchCondition {
  readonly source: string
  readonly program: Program
}

const REQUIREMENT = objectOf('kubernetes.SelectorRequirement', {
  key: STRING,
  operator: STRING,
  values: listOf(STRING),
})
const selector = (name: string) => objectOf(name, { rawSelector: STRING, requirements: listOf(REQUIREMENT) })

const RESOURCE_FIELDS = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'] as const

const REQUEST = objectOf('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: objectOf('kubernetes.ResourceAttributes', {
    ...Object.fromEntries(RESOURCE_FIELDS.map((field) => [field, STRING])),
    fieldSelector: selector('kubernetes.FieldSelectorAttributes'),
    labelSelector: selector('kubernetes.LabelSelectorAttributes'),
  }),
  nonResourceAttributes: objectOf('kubernetes.NonResourceAttributes', { path: STRING, verb: STRING }),
  user: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
  uid: STRING,
})

const ENVIRONMENT: Environment = { variables: new Map([['request', REQUEST]]) }

/** A condition, or why there is none. */
export function compileCondition(source: string, field: string): MatchCondition | StatusCause {
  const compiled = compileFor(source, ENVIRONMENT, [BOOL])
  return compiled.program
    ? { source, program: compiled.program }
    : cause.invalid(field, source, compiled.fault)
}

/** True where all hold, false where one does not. Throws an Error where none is false and one cannot be evaluated. */
export function conditionsHold(conditions: readonly MatchCondition[], spec: JsonObject): boolean {
  const request = withEmptyFields(spec)
  const errors: string[] = []
  for (const { source, program } of conditions) {
    try {
      if (program.run((name) => (name === 'request' ? request : undefined)).value === false) return false
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      errors.push(`cel evaluation error: expression '${source}' resulted in error: ${error.message}`)
    }
  }
  if (errors.length > 0) throw new Error(aggregate(errors))
  return true
}

/** Texts that are left out on the wire are empty ones to expressions. */
function withEmptyFields(spec: JsonObject): JsonObject {
  const { resourceAttributes, nonResourceAttributes } = spec
  const empty = Object.fromEntries(RESOURCE_FIELDS.map((field) => [field, '']))
  return {
    user: '',
    groups: [],
    uid: '',
    extra: {},
    ...spec,
    ...(isObject(resourceAttributes) ? { resourceAttributes: { ...empty, ...resourceAttributes } } : {}),
    ...(isObject(nonResourceAttributes)
      ? { nonResourceAttributes: { path: '', verb: '', ...nonResourceAttributes } }
      : {}),
  }
}
