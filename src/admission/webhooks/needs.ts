// What the webhook plugins need beyond the lister.
import type { Lister } from '../../machinery/lister.ts'
import type { HookCaller } from '../../machinery/webhook.ts'
import type { AdmissionMeters } from '../meters.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Forms, ObjectForms } from './forms.ts'
import type { Hook } from './hook.ts'
import { type Invocation, invocationOf } from './match.ts'

/** Whether all matchConditions of the webhook hold. Rejects with the StatusError of one that cannot be evaluated. */
export type Conditions = (
  invocation: Invocation,
  attributes: AdmissionAttributes,
  forms: Forms,
) => Promise<boolean>

export interface WebhookNeeds {
  readonly caller: HookCaller
  readonly forms: ObjectForms
  readonly conditions: Conditions
  /** Absent: nobody counts. */
  readonly meters?: Pick<AdmissionMeters, 'called'>
}

/** One request, as the webhooks see it. */
export interface Asked {
  readonly attributes: AdmissionAttributes
  readonly forms: Forms
  readonly lister: Lister
}

/** How the webhook is asked of the request. Undefined: its rules, selectors or conditions leave the request out. */
export async function relevantFor(
  { forms: objects, conditions }: WebhookNeeds,
  hook: Hook,
  { attributes, forms, lister }: Asked,
): Promise<Invocation | undefined> {
  const invocation = invocationOf(hook, attributes, lister, (resource) => objects.equivalents(resource))
  if (!invocation || hook.conditions.length === 0) return invocation
  return (await conditions(invocation, attributes, forms)) ? invocation : undefined
}
