// Puts a request before all validating policies that are bound to it, and does what their bindings ask for.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go.
import type { Authorizations } from '../../cel/authorizer.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import type { Resource } from '../../schema/resource.ts'
import { forbid } from '../forbid.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import { Forms } from '../webhooks/forms.ts'
import { NAMESPACES } from '../webhooks/match.ts'
import { decide, type Denial, type Verdict } from './decide.ts'
import { authorizationsOf } from './evaluation.ts'
import { matched } from './match.ts'
import { VALIDATING, type PolicyNeeds } from './needs.ts'
import { ConfigurationFault, paramKindFault, paramsOf } from './params.ts'
import { Policies, type Binding, type Policy } from './policy.ts'

/** Longer values of audit annotations are cut. */
const MAX_ANNOTATION = 10 * 1024
const CODES: Readonly<Record<string, number>> = {
  Invalid: 422,
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
}

/** One request on its way past the policies. */
interface Passing {
  readonly attributes: AdmissionAttributes
  readonly lister: Lister
  readonly forms: Forms
  readonly authorizations: Authorizations
  readonly denied: { readonly message: string; readonly reason: string }[]
}

/** What evaluates requests; rejects with the StatusError of the first denial. */
export function dispatcher(
  needs: PolicyNeeds,
): (attributes: AdmissionAttributes, lister: Lister) => Promise<void> {
  const policies = new Policies(VALIDATING)
  return async (attributes, lister) => {
    const passing: Passing = {
      attributes,
      lister,
      forms: new Forms(needs.forms, attributes),
      authorizations: authorizationsOf(needs.authorizer, attributes.user),
      denied: [],
    }
    for (const policy of policies.now(lister)) await pass(policy, passing, needs)
    const [first] = passing.denied
    if (first) throw refusal(attributes, first)
  }
}

async function pass(policy: Policy, passing: Passing, needs: PolicyNeeds): Promise<void> {
  const { attributes, lister } = passing
  const where = { lister, equivalents: (resource: Resource) => needs.forms.equivalents(resource) }
  const resource = matched(policy.match, attributes, where)
  if (!resource) return
  const fault = paramKindFault(policy, needs)
  if (fault !== undefined) {
    if (!policy.ignoresFailures)
      note(passing, policy, undefined, { message: `failed to configure policy: ${fault}` })
    return
  }
  const annotations = new Map<string, Set<string>>()
  for (const binding of policy.bindings) {
    if (binding.match && !matched(binding.match, attributes, where)) continue
    try {
      for (const verdict of await verdicts(policy, binding, resource, { passing, needs })) {
        apply(passing, policy, binding, verdict)
        for (const [key, value] of verdict.annotations) {
          annotations.set(key, (annotations.get(key) ?? new Set()).add(value.slice(0, MAX_ANNOTATION)))
        }
      }
    } catch (error) {
      if (!(error instanceof ConfigurationFault)) throw error
      if (!policy.ignoresFailures) {
        note(passing, policy, binding, { message: `failed to configure binding: ${error.message}` })
      }
    }
  }
  for (const [key, values] of annotations)
    attributes.annotate?.(`${policy.name}/${key}`, [...values].join(', '))
}

/** One verdict for each object of parameters. */
async function verdicts(
  policy: Policy,
  binding: Binding,
  resource: Resource,
  { passing, needs }: { readonly passing: Passing; readonly needs: PolicyNeeds },
): Promise<Verdict[]> {
  const { attributes, lister, forms, authorizations } = passing
  const params = await paramsOf(policy, binding, { needs, lister, namespace: attributes.namespace })
  if (params.length === 0) return []
  const { object, old } = await forms.of(resource)
  const seen = {
    object: object?.shown,
    old: old?.shown,
    namespace: namespaceObject(attributes, lister),
    resource,
  }
  const found: Verdict[] = []
  for (const param of params) {
    found.push(
      await authorizations.settle(() =>
        decide(policy, attributes, { ...seen, params: param }, authorizations),
      ),
    )
  }
  return found
}

/** The namespace of the request; a namespace itself is in none. */
export function namespaceObject(
  { resource, namespace }: AdmissionAttributes,
  lister: Lister,
): KubeObject | undefined {
  if (namespace === '' || (resource.group === '' && resource.name === 'namespaces')) return undefined
  return lister.get(NAMESPACES, '', namespace)
}

function apply(passing: Passing, policy: Policy, binding: Binding, { denials, broken }: Verdict): void {
  const { attributes } = passing
  for (const denial of denials) {
    for (const action of binding.actions) {
      if (action === 'Deny') note(passing, policy, binding, denial)
      else if (action === 'Audit') audit(attributes, policy, binding, denial)
      else if (action === 'Warn') {
        attributes.warn(
          `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}': ${denial.message}`,
        )
      }
    }
  }
  for (const message of broken) note(passing, policy, binding, { message })
}

function audit(
  attributes: AdmissionAttributes,
  policy: Policy,
  binding: Binding,
  { message, index }: Denial,
): void {
  const failure = {
    message,
    policy: policy.name,
    binding: binding.name,
    expressionIndex: index,
    validationActions: binding.actions,
  }
  attributes.annotate?.('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]))
}

function note(
  { denied }: Passing,
  { name }: Policy,
  binding: Binding | undefined,
  { message, reason = 'Invalid' }: { readonly message: string; readonly reason?: string },
): void {
  const by = binding ? `'${name}' with binding '${binding.name}'` : `'${name}'`
  denied.push({ message: `ValidatingAdmissionPolicy ${by} denied request: ${message}`, reason })
}

function refusal(
  attributes: AdmissionAttributes,
  { message, reason }: { readonly message: string; readonly reason: string },
): StatusError {
  const { status } = forbid(attributes, message)
  return new StatusError({
    code: CODES[reason] ?? 422,
    reason,
    message: status.message ?? '',
    details: { ...status.details, causes: [{ message } as never] },
  })
}
