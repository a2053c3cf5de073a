// One request before the expressions of one policy: its variables, its budget, its questions to the authorizer.
// Follows k8s.io/apiserver/pkg/admission/plugin/cel/{activation,condition,composition}.go.
import { NAMESPACE_TYPE, REQUEST_TYPE, variablesType } from '../../cel/admission.ts'
import { Authorizations, authorizerValue, resourceCheckValue, type Question } from '../../cel/authorizer.ts'
import { CelError } from '../../cel/compile.ts'
import type { CelType } from '../../cel/types.ts'
import { fromJson, ObjectValue, type Value } from '../../cel/values.ts'
import type { Authorizer, Decision } from '../../machinery/attributes.ts'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { UserInfo } from '../../machinery/user.ts'
import type { Resource } from '../../schema/resource.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import { kindOf } from '../webhooks/match.ts'
import { shownKind, shownUser } from '../webhooks/review.ts'
import type { Expression } from './policy.ts'

/** As upstream's: what all expressions of a policy may cost for one request, and all match conditions. */
export const POLICY_BUDGET = 10_000_000
export const CONDITIONS_BUDGET = 2_500_000

/** The objects as expressions see them. */
export interface Seen {
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
  readonly namespace: KubeObject | undefined
  readonly params?: KubeObject | undefined
  /** The version that rules named. */
  readonly resource: Resource
}

/** All is spent: nothing more is evaluated. */
export class OutOfBudget extends Error {}

export interface Result {
  readonly value?: Value
  /** Upstream's words. */
  readonly error?: string
}

export class Evaluation {
  readonly #activation = new Map<string, unknown>()
  readonly #variables: ReadonlyMap<string, Expression>
  readonly #authorizations: Authorizations
  #budget: number

  constructor(
    attributes: AdmissionAttributes,
    seen: Seen,
    {
      variables = new Map<string, Expression>(),
      types = new Map<string, CelType>(),
      authorizations,
      budget = POLICY_BUDGET,
    }: {
      readonly variables?: ReadonlyMap<string, Expression>
      readonly types?: ReadonlyMap<string, CelType>
      readonly authorizations: Authorizations
      readonly budget?: number
    },
  ) {
    this.#variables = variables
    this.#authorizations = authorizations
    this.#budget = budget
    const given = this.#activation
    given.set('object', seen.object ?? null)
    given.set('oldObject', seen.old ?? null)
    given.set('params', seen.params ?? null)
    given.set('request', fromJson(requestOf(attributes, seen.resource), REQUEST_TYPE))
    given.set(
      'namespaceObject',
      seen.namespace ? fromJson(shownNamespace(seen.namespace), NAMESPACE_TYPE) : null,
    )
    given.set('authorizer', authorizerValue())
    given.set('authorizer.requestResource', resourceCheckValue(questionOf(attributes)))
    given.set('variables', new ObjectValue(this.#lazy(), variablesType(types), true))
  }

  /** Each variable is evaluated when it is first read. */
  #lazy(): Record<string, unknown> {
    const values = Object.create(null) as Record<string, unknown>
    for (const [name, expression] of this.#variables) {
      let result: Result | undefined
      Object.defineProperty(values, name, {
        enumerable: true,
        get: () => {
          result ??= this.evaluate(expression, (why) => why)
          if (result.error !== undefined) {
            throw new CelError(`composited variable "${name}" fails to evaluate: ${result.error}`)
          }
          return result.value
        },
      })
    }
    return values
  }

  /** Throws OutOfBudget; and Waiting, where the authorizer's answer is not there yet. */
  evaluate(
    { source, program, fault }: Expression,
    worded = (why: string): string => `expression '${source}' resulted in error: ${why}`,
  ): Result {
    if (!program) return { error: `compilation error: ${fault ?? ''}` }
    try {
      const { value, cost } = program.run((name) => this.#activation.get(name), {
        authorize: this.#authorizations.authorize,
      })
      this.#spend(cost)
      return { value }
    } catch (error) {
      if (error instanceof CelError) return { error: worded(error.message) }
      throw error
    }
  }

  #spend(cost: number): void {
    if (cost > this.#budget) {
      throw new OutOfBudget(
        'validation failed due to running out of cost budget, no further validation rules will be run',
      )
    }
    this.#budget -= cost
  }
}

function requestOf(attributes: AdmissionAttributes, resource: Resource): JsonObject {
  const { subresource, operation, dryRun, user, name, namespace, options } = attributes
  const gvr = ({ group, version, name: plural }: Resource): JsonObject => ({
    group,
    version,
    resource: plural,
  })
  return {
    kind: shownKind(kindOf(resource, subresource)),
    resource: gvr(resource),
    ...(subresource && { subResource: subresource, requestSubResource: subresource }),
    requestKind: shownKind(kindOf(attributes.resource, subresource)),
    requestResource: gvr(attributes.resource),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation,
    userInfo: shownUser(user),
    dryRun,
    options: operation === 'CONNECT' ? null : options,
  }
}

/** Fields of a namespace that expressions see. */
function shownNamespace(namespace: KubeObject): JsonObject {
  const metadata: JsonObject = { ...namespace.metadata }
  delete metadata['managedFields']
  delete metadata['ownerReferences']
  return {
    metadata,
    ...(namespace['spec'] !== undefined && { spec: namespace['spec'] }),
    ...(namespace['status'] !== undefined && { status: namespace['status'] }),
  }
}

function questionOf({ resource, subresource, namespace, name }: AdmissionAttributes): Question {
  return {
    group: resource.group,
    resource: resource.name,
    ...(subresource && { subresource }),
    ...(namespace && { namespace }),
    ...(name && { name }),
  }
}

/** Questions of one request, answered by the server's authorizer. */
export function authorizationsOf(authorizer: Authorizer, user: UserInfo): Authorizations {
  return new Authorizations((question): Decision | Promise<Decision> => {
    const { serviceAccount, path } = question
    return authorizer.authorize({
      user: serviceAccount ? serviceAccountUser(serviceAccount) : user,
      isResourceRequest: path === undefined,
      verb: question.verb ?? '',
      path: path ?? '',
      group: question.group ?? '',
      version: path === undefined ? '*' : '',
      resource: question.resource ?? '',
      subresource: question.subresource ?? '',
      namespace: question.namespace ?? '',
      name: question.name ?? '',
    })
  })
}

function serviceAccountUser({ namespace, name }: { namespace: string; name: string }): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  } as UserInfo
}

/** Whether all conditions hold. `error`: some could not be evaluated, and none was false. */
export function conditionsHold(
  conditions: readonly Expression[],
  evaluation: Evaluation,
): { readonly holds: boolean; readonly error?: string } {
  const errors: string[] = []
  for (const condition of conditions) {
    const { value, error } = evaluation.evaluate(condition)
    if (error !== undefined) errors.push(error)
    else if (value === false) return { holds: false }
  }
  if (errors.length === 0) return { holds: true }
  return { holds: false, error: errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]` }
}
