// What a validating policy says to one request: who denies it, warns, or is to be audited.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/validating/validator.go.
import {
  OutOfBudget,
  conditionsHold,
  CONDITIONS_BUDGET,
  Evaluation,
  type Result,
  type Seen,
} from './evaluation.ts'
import type { Authorizations } from '../../cel/authorizer.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Policy, Validation } from './policy.ts'

/** As upstream's: longer messages of expressions are not shown. */
const MAX_MESSAGE = 5 * 1024

/** A validation that does not hold, or that could not be evaluated. */
export interface Denial {
  readonly message: string
  readonly reason: string
  readonly index: number
}

export interface Verdict {
  readonly denials: readonly Denial[]
  /** Values of audit annotations. */
  readonly annotations: readonly (readonly [string, string])[]
  /** Audit annotations that could not be evaluated: these deny, whatever the binding's actions are. */
  readonly broken: readonly string[]
}

const NOTHING: Verdict = { denials: [], annotations: [], broken: [] }

const failed = ({ ignoresFailures }: Policy, message: string): Verdict =>
  ignoresFailures ? NOTHING : { ...NOTHING, denials: [{ message, reason: 'Invalid', index: 0 }] }

/** Throws Waiting where the authorizer has to be waited for. */
export function decide(
  policy: Policy,
  attributes: AdmissionAttributes,
  seen: Seen,
  authorizations: Authorizations,
): Verdict {
  const { variables, variableTypes: types } = policy
  const of = { variables, types, authorizations }
  try {
    if (policy.conditions.length) {
      const conditions = new Evaluation(
        attributes,
        { ...seen, namespace: undefined },
        { ...of, budget: CONDITIONS_BUDGET },
      )
      const { holds, error } = conditionsHold(policy.conditions, conditions)
      if (error !== undefined) return failed(policy, error)
      if (!holds) return NOTHING
    }
    const evaluation = new Evaluation(attributes, seen, of)
    const denials = policy.validations.flatMap((validation, index): Denial[] => {
      const denied = deny(policy, validation, evaluation)
      return denied ? [{ ...denied, index }] : []
    })
    return { denials, ...annotate(policy, new Evaluation(attributes, seen, of)) }
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(policy, error.message)
    throw error
  }
}

function deny(
  { ignoresFailures }: Policy,
  validation: Validation,
  evaluation: Evaluation,
): Omit<Denial, 'index'> | undefined {
  const { value, error } = evaluation.evaluate(validation.expression)
  if (error !== undefined) return ignoresFailures ? undefined : { message: error, reason: 'Invalid' }
  if (value === true) return undefined
  const { messageExpression, message, expression, reason } = validation
  const said = messageExpression && ownMessage(evaluation.evaluate(messageExpression))
  return { message: said || message.trim() || `failed expression: ${expression.source.trim()}`, reason }
}

/** What the message's expression says, where it can be shown. */
function ownMessage({ value }: Result): string {
  const text = typeof value === 'string' ? value.trim() : ''
  return Buffer.byteLength(text) > MAX_MESSAGE || text.includes('\n') ? '' : text
}

function annotate(policy: Policy, evaluation: Evaluation): Omit<Verdict, 'denials'> {
  const annotations: [string, string][] = []
  const broken: string[] = []
  for (const annotation of policy.annotations) {
    const { value, error } = evaluation.evaluate(annotation)
    if (error !== undefined) {
      if (!policy.ignoresFailures) broken.push(error)
    } else if (typeof value === 'string' && value.trim()) annotations.push([annotation.key, value.trim()])
  }
  return { annotations, broken }
}
