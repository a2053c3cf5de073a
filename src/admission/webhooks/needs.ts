// What the webhook plugins need beyond the lister.
import type { HookCaller } from '../../machinery/webhook.ts'
import { forbid } from '../forbid.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Forms, ObjectForms } from './forms.ts'
import type { Invocation } from './match.ts'

/** Whether all matchConditions of the webhook hold. Rejects with the StatusError of one that cannot be evaluated. */
export type Conditions = (
  invocation: Invocation,
  attributes: AdmissionAttributes,
  forms: Forms,
) => Promise<boolean>

export interface WebhookNeeds {
  readonly caller: HookCaller
  readonly forms: ObjectForms
  readonly conditions?: Conditions
}

/** Whether the webhook is asked after all. DEVIATION: without an evaluator, requests that need one are refused. */
export function conditionsHold(
  { conditions }: WebhookNeeds,
  invocation: Invocation,
  { attributes, forms }: { readonly attributes: AdmissionAttributes; readonly forms: Forms },
): Promise<boolean> {
  if (conditions) return conditions(invocation, attributes, forms)
  throw forbid(attributes, 'match conditions of webhooks are not evaluated')
}
