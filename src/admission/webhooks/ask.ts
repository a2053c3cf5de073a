// One question to one webhook: who may be asked on a dry run, the review, the call, the answer and what goes with it.
// Follows callHook in k8s.io/apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go.
import type { JsonObject } from '../../machinery/json.ts'
import { StatusError } from '../../machinery/status.ts'
import { type HookCaller, HookTargetError } from '../../machinery/webhook.ts'
import type { HookCall, HookOutcome } from '../meters.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Forms } from './forms.ts'
import type { Invocation } from './match.ts'
import type { WebhookNeeds } from './needs.ts'
import { CallFailure, denied, noDryRun } from './refusals.ts'
import { checkKind, type Review, reviewOf, type Verdict, verdictOf } from './review.ts'

export interface Question {
  readonly invocation: Invocation
  readonly attributes: AdmissionAttributes
  readonly forms: Forms
  readonly mutating: boolean
}

const CALLING = 'failed to call webhook: '
const WITHOUT_SIDE_EFFECTS = ['None', 'NoneOnDryRun']

/**
 * Resolves with the answer of a webhook that allows the request; its warnings and annotations are passed on. Rejects with
 * the StatusError of its refusal, or with CallFailure where there is no answer.
 */
export async function ask(
  { caller, meters }: Pick<WebhookNeeds, 'caller' | 'meters'>,
  question: Question,
): Promise<Verdict> {
  const { invocation, attributes, mutating } = question
  const { name, ignoresFailures } = invocation.hook
  const call: HookCall = { name, type: mutating ? 'admit' : 'validating', operation: attributes.operation }
  const startedAt = performance.now()
  try {
    const verdict = await verdictFor(caller, question)
    meters?.called(call, { code: OK, rejected: false, tookMs: performance.now() - startedAt })
    return verdict
  } catch (error) {
    meters?.called(call, { ...outcomeOf(error, ignoresFailures), tookMs: performance.now() - startedAt })
    throw error
  }
}

const OK = 200

/** How a call that failed is counted. */
function outcomeOf(error: unknown, ignoresFailures: boolean): Omit<HookOutcome, 'tookMs'> {
  if (error instanceof CallFailure) {
    const { code } = error.refusal()
    if (ignoresFailures) return { code, rejected: false, failedOpen: true }
    return { code, rejected: true, fault: 'calling_webhook_error' }
  }
  if (error instanceof StatusError) return { code: error.code, rejected: true, fault: 'no_error' }
  return { code: 0, rejected: true, fault: 'apiserver_internal_error' }
}

async function verdictFor(caller: HookCaller, question: Question): Promise<Verdict> {
  const { invocation, attributes } = question
  const { hook } = invocation
  if (attributes.dryRun) refuseDryRun(hook.name, hook.sideEffects)
  const review = await prepare(question)
  const answer = await send(caller, invocation, review)
  attempt(hook.name, CALLING, () => checkKind(answer, review))
  const verdict = attempt(hook.name, 'received invalid webhook response: ', () =>
    verdictOf(answer, review, question.mutating),
  )
  for (const [key, value] of verdict.auditAnnotations) attributes.annotate?.(`${hook.name}/${key}`, value)
  for (const warning of verdict.warnings) attributes.warn(warning)
  if (!verdict.allowed) throw denied(hook.name, verdict.result)
  return verdict
}

function refuseDryRun(name: string, sideEffects: string | undefined): void {
  if (sideEffects === undefined) throw new CallFailure(name, 'Webhook SideEffects is nil')
  if (!WITHOUT_SIDE_EFFECTS.includes(sideEffects)) throw noDryRun(name)
}

async function prepare({ invocation, attributes, forms }: Question): Promise<Review> {
  const texts = await forms.texts(invocation.resource)
  return attempt(invocation.hook.name, 'could not create admission objects: ', () =>
    reviewOf(invocation, attributes, texts),
  )
}

function attempt<T>(name: string, prefix: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new CallFailure(name, prefix + (error as Error).message)
  }
}

async function send(caller: HookCaller, { hook }: Invocation, review: Review): Promise<JsonObject> {
  try {
    return await caller.call(hook.target, review.body, hook.timeoutSeconds)
  } catch (error) {
    const what = error instanceof HookTargetError ? 'could not get REST client: ' : CALLING
    throw new CallFailure(hook.name, what + (error as Error).message)
  }
}
