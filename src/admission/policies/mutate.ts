// Puts a request before all mutating policies that are bound to it, in order; each sees what those before it made.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go and generic/policy_dispatcher.go.
import { CelError } from '../../cel/compile.ts'
import type { Authorizations } from '../../cel/authorizer.ts'
import type { Value } from '../../cel/values.ts'
import type { Json } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { internalError, StatusError, type StatusCause } from '../../machinery/status.ts'
import { DecodeError } from '../../schema/decode.ts'
import { isSame } from '../../schema/ownership/fieldset-compare.ts'
import type { Resource } from '../../schema/resource.ts'
import { forbid } from '../forbid.ts'
import type { AdmissionAttributes, Reinvocation } from '../plugin.ts'
import { Forms } from '../webhooks/forms.ts'
import { Rounds } from '../webhooks/rounds.ts'
import {
  authorizationsOf,
  conditionsHold,
  CONDITIONS_BUDGET,
  Evaluation,
  OutOfBudget,
  type Seen,
} from './evaluation.ts'
import { matched } from './match.ts'
import { MUTATING, type PolicyNeeds } from './needs.ts'
import { ConfigurationFault, paramKindFault, paramsOf } from './params.ts'
import { applyConfiguration, applyOperations, MutationFault } from './patch.ts'
import { Policies, type Binding, type Mutation, type Policy } from './policy.ts'
import { namespaceObject } from './validate.ts'

/** A policy by one binding, with one object of parameters. */
interface Invocation {
  readonly policy: Policy
  readonly binding: Binding
  readonly resource: Resource
  readonly param: KubeObject | undefined
}

interface Passing {
  readonly needs: PolicyNeeds
  readonly attributes: AdmissionAttributes
  readonly lister: Lister
  readonly forms: Forms
  readonly authorizations: Authorizations
  readonly reinvocation: Reinvocation
  readonly rounds: Rounds
  readonly faults: { readonly message: string; readonly reason?: string }[]
  /** Some policy did, whether or not the object is another now. */
  mutated: boolean
}

/** What changes requests; rejects with the StatusError of a policy that cannot be evaluated. */
export function mutator(
  needs: PolicyNeeds,
  plugin: string,
): (attributes: AdmissionAttributes, lister: Lister) => Promise<void> {
  const policies = new Policies(MUTATING)
  return async (attributes, lister) => {
    const reinvocation = (attributes.reinvocation ??= { again: false, wanted: false, kept: new Map() })
    const passing: Passing = {
      needs,
      attributes,
      lister,
      forms: new Forms(needs.forms, attributes),
      authorizations: authorizationsOf(needs.authorizer, attributes.user),
      reinvocation,
      rounds: Rounds.of(reinvocation, plugin),
      faults: [],
      mutated: false,
    }
    const invocations = await invocationsOf(policies.now(lister), passing)
    passing.rounds.begin(reinvocation.again, attributes.object)
    for (const invocation of invocations) await invoke(invocation, passing)
    // Upstream looks at who mutated, not at what is another now: the last one sees the object again, too.
    if (passing.mutated) askAgain(passing)
    passing.rounds.end(attributes.object)
    if (passing.faults.length) throw refusal(passing)
  }
}

async function invocationsOf(policies: readonly Policy[], passing: Passing): Promise<Invocation[]> {
  const { attributes, lister, needs } = passing
  const where = { lister, equivalents: (resource: Resource) => needs.forms.equivalents(resource) }
  const found: Invocation[] = []
  for (const policy of policies) {
    const resource = matched(policy.match, attributes, where)
    if (!resource) continue
    const fault = paramKindFault(policy, needs)
    if (fault !== undefined) {
      note(passing, policy, undefined, { message: `failed to configure policy: ${fault}` })
      continue
    }
    for (const binding of policy.bindings) {
      if (binding.match && !matched(binding.match, attributes, where)) continue
      try {
        const params = await paramsOf(policy, binding, { needs, lister, namespace: attributes.namespace })
        found.push(...params.map((param) => ({ policy, binding, resource, param })))
      } catch (error) {
        if (!(error instanceof ConfigurationFault)) throw error
        note(passing, policy, binding, { message: `failed to configure binding: ${error.message}` })
      }
    }
  }
  return found
}

async function invoke(invocation: Invocation, passing: Passing): Promise<void> {
  const { policy, binding, param } = invocation
  const { rounds, reinvocation } = passing
  const asked = {
    id: [policy.name, binding.name, param?.metadata.namespace ?? '', param?.metadata.name ?? ''].join('/'),
    reinvoked: policy.reinvoked,
  }
  if (!(await holds(invocation, passing))) return
  if (reinvocation.again && !rounds.isDue(asked)) return
  let changed = false
  for (const mutation of policy.mutations) {
    if (!passing.attributes.object) break
    try {
      changed = (await mutate(mutation, invocation, passing)) || changed
      passing.mutated = true
    } catch (error) {
      if (!(error instanceof MutationFault || error instanceof CelError || error instanceof OutOfBudget)) {
        throw error
      }
      note(passing, policy, binding, { message: error.message, reason: 'Invalid' })
    }
  }
  if (changed) askAgain(passing)
  rounds.asked(asked)
}

function askAgain({ rounds, reinvocation }: Passing): void {
  rounds.askAgain()
  reinvocation.wanted = true
}

async function seenBy({ resource, param }: Invocation, passing: Passing): Promise<Seen> {
  const { forms, attributes, lister } = passing
  const { object, old } = await forms.of(resource)
  return {
    object: object?.shown,
    old: old?.shown,
    namespace: namespaceObject(attributes, lister),
    params: param,
    resource,
  }
}

async function holds(invocation: Invocation, passing: Passing): Promise<boolean> {
  const { policy, binding } = invocation
  if (policy.conditions.length === 0) return true
  const { attributes, authorizations } = passing
  const seen = { ...(await seenBy(invocation, passing)), namespace: undefined }
  const of = {
    variables: policy.variables,
    types: policy.variableTypes,
    authorizations,
    budget: CONDITIONS_BUDGET,
  }
  const outcome = await authorizations.settle(() =>
    conditionsHold(policy.conditions, new Evaluation(attributes, seen, of)),
  )
  if (outcome.error !== undefined)
    note(passing, policy, binding, { message: outcome.error, reason: 'Invalid' })
  return outcome.holds
}

/** Whether the object is another now. */
async function mutate(mutation: Mutation, invocation: Invocation, passing: Passing): Promise<boolean> {
  const { attributes, authorizations, forms, needs } = passing
  const { resource, policy } = invocation
  const seen = await seenBy(invocation, passing)
  const of = { variables: policy.variables, types: policy.variableTypes, authorizations }
  const { value, error } = await authorizations.settle(() =>
    new Evaluation(attributes, seen, of).evaluate(mutation.expression),
  )
  if (error !== undefined || value === undefined) throw new MutationFault(error ?? 'no value')
  const { object } = await forms.of(resource)
  if (!object) return false
  const patched = patchedBy(mutation, value, object.shown, () =>
    needs.typeOf(resource, attributes.subresource),
  )
  checkVersion(resource, attributes.resource)
  if (patched === undefined) return false
  try {
    const place = { resource, subresource: attributes.subresource }
    attributes.object = await needs.forms.taken(patched, place, object.of)
  } catch (fault) {
    if (fault instanceof DecodeError) throw internalError(fault.message)
    throw fault
  }
  const now = await forms.of(resource)
  return now.object?.text !== object.text && !isSame(now.object?.shown as Json, object.shown)
}

/** A rule that names another version than the request has never changes built-in kinds: upstream cannot convert back. */
function checkVersion(seen: Resource, asked: Resource): void {
  if (asked.custom || (seen.group === asked.group && seen.version === asked.version)) return
  throw new MutationFault(
    `converting (${seen.version}.${seen.kind}) to (${asked.version}.${asked.kind}): unknown conversion`,
  )
}

function patchedBy(
  { type }: Mutation,
  value: Value,
  object: KubeObject,
  typeOf: () => Parameters<typeof applyConfiguration>[2],
): Json | undefined {
  return type === 'JSONPatch' ? applyOperations(object, value) : applyConfiguration(object, value, typeOf())
}

function note(
  { faults }: Passing,
  { name, ignoresFailures }: Policy,
  binding: Binding | undefined,
  { message, reason }: { readonly message: string; readonly reason?: string },
): void {
  if (ignoresFailures) return
  const by = binding ? `'${name}' with binding '${binding.name}'` : `"${name}"`
  faults.push({ message: `policy ${by} denied request: ${message}`, ...(reason && { reason }) })
}

/** The code is 403 whatever the reason, as upstream has it. */
function refusal({ attributes, faults }: Passing): StatusError {
  const { status } = forbid(attributes, '')
  const causes = faults.map(({ message }) => ({ message })) as unknown as StatusCause[]
  return new StatusError({
    code: 403,
    reason: faults[0]?.reason ?? 'Forbidden',
    message: faults[0]?.message ?? '',
    details: { ...status.details, causes },
  })
}
