// The matchConditions of webhooks. What evaluates loads with the first webhook that has any.
// Follows k8s.io/apiserver/pkg/admission/plugin/webhook/{matchconditions,generic}.
import type { Authorizer } from '../../machinery/attributes.ts'
import { forbidden } from '../../machinery/status.ts'
import type { Hook } from '../webhooks/hook.ts'
import type { Conditions } from '../webhooks/needs.ts'
import type { Expression } from './policy.ts'

/** Evaluates match conditions for the webhook plugins. */
export function webhookConditions(authorizer: Authorizer): Conditions {
  const compiled = new WeakMap<Hook, readonly Expression[]>()
  return async ({ hook, resource }, attributes, forms) => {
    const { authorizationsOf, conditionsHold, CONDITIONS_BUDGET, Evaluation } =
      await import('./evaluation.ts')
    const { compileConditions } = await import('./policy.ts')
    let conditions = compiled.get(hook)
    if (!conditions) compiled.set(hook, (conditions = compileConditions(hook.conditions)))
    const { object, old } = await forms.of(resource)
    const seen = { object: object?.shown, old: old?.shown, namespace: undefined, resource }
    const authorizations = authorizationsOf(authorizer, attributes.user)
    const { holds, error } = await authorizations.settle(() =>
      conditionsHold(
        conditions,
        new Evaluation(attributes, seen, { authorizations, budget: CONDITIONS_BUDGET }),
      ),
    )
    if (error === undefined || hook.ignoresFailures) return holds
    const { group, name } = attributes.resource
    throw forbidden({ group, resource: name }, attributes.name, error)
  }
}
