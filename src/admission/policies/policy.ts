// Policies and their bindings as they are stored, joined and compiled, once for each version of them.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_source.go.
import {
  admissionEnvironment,
  compileFor,
  JSON_PATCH_TYPE,
  OBJECT_TYPE,
  type Declared,
} from '../../cel/admission.ts'
import type { Program } from '../../cel/compile.ts'
import { BOOL, DYN, listOf, NULL, STRING, type CelType } from '../../cel/types.ts'
import type { JsonObject } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { matchOf, type Match, type MatchResources } from './match.ts'
import type { PolicyResources } from './needs.ts'

/** An expression, and its program or why it has none. */
export interface Expression {
  readonly source: string
  readonly program?: Program | undefined
  readonly fault?: string
}

export interface ParamRef extends JsonObject {
  name?: string
  namespace?: string
  selector?: JsonObject
  parameterNotFoundAction?: string
}

export interface Binding {
  readonly name: string
  readonly match: Match | undefined
  readonly paramRef: ParamRef | undefined
  readonly actions: readonly string[]
}

export interface Validation {
  readonly expression: Expression
  readonly message: string
  readonly messageExpression: Expression | undefined
  readonly reason: string
}

export interface Mutation {
  readonly type: 'ApplyConfiguration' | 'JSONPatch'
  readonly expression: Expression
}

interface PolicySpec extends JsonObject {
  failurePolicy?: string
  paramKind?: { apiVersion: string; kind: string }
  matchConstraints?: MatchResources
  matchConditions?: { name: string; expression: string }[]
  variables?: { name: string; expression: string }[]
  validations?: { expression: string; message?: string; messageExpression?: string; reason?: string }[]
  auditAnnotations?: { key: string; valueExpression: string }[]
  mutations?: {
    patchType: 'ApplyConfiguration' | 'JSONPatch'
    applyConfiguration?: { expression?: string }
    jsonPatch?: { expression?: string }
  }[]
  reinvocationPolicy?: string
}

export interface Policy {
  readonly name: string
  readonly ignoresFailures: boolean
  readonly paramKind: { readonly apiVersion: string; readonly kind: string } | undefined
  readonly match: Match
  readonly conditions: readonly (Expression & { readonly name: string })[]
  readonly variables: ReadonlyMap<string, Expression>
  readonly variableTypes: ReadonlyMap<string, CelType>
  readonly validations: readonly Validation[]
  readonly annotations: readonly (Expression & { readonly key: string })[]
  readonly mutations: readonly Mutation[]
  /** reinvocationPolicy IfNeeded. */
  readonly reinvoked: boolean
  readonly bindings: readonly Binding[]
}

/** All policies of a sort that have bindings, in the order of their names. */
export class Policies {
  readonly #resources: PolicyResources
  readonly #compiled = new WeakMap<KubeObject, Omit<Policy, 'bindings'>>()
  #versions = ''
  #policies: readonly Policy[] = []

  constructor(resources: PolicyResources) {
    this.#resources = resources
  }

  now(lister: Lister): readonly Policy[] {
    const { policies, bindings } = this.#resources
    const versions = `${lister.version(policies)}/${lister.version(bindings)}`
    if (versions !== this.#versions) {
      this.#policies = this.#join(lister.list(policies, ''), lister.list(bindings, ''))
      this.#versions = versions
    }
    return this.#policies
  }

  #join(policies: readonly KubeObject[], bindings: readonly KubeObject[]): Policy[] {
    const known = new Map<string, KubeObject[]>()
    for (const binding of bindings) {
      const name = String(specOf(binding)['policyName'])
      known.set(name, [...(known.get(name) ?? []), binding])
    }
    return byName(policies).flatMap((policy) => {
      const bound = known.get(policy.metadata.name ?? '')
      return bound ? [{ ...this.#compile(policy), bindings: byName(bound).map(bindingOf) }] : []
    })
  }

  #compile(object: KubeObject): Omit<Policy, 'bindings'> {
    let policy = this.#compiled.get(object)
    if (!policy) this.#compiled.set(object, (policy = policyOf(object)))
    return policy
  }
}

const specOf = (object: KubeObject): JsonObject => (object['spec'] ?? {}) as JsonObject
const byName = (objects: readonly KubeObject[]): KubeObject[] =>
  objects.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))

function bindingOf(object: KubeObject): Binding {
  const spec = specOf(object)
  return {
    name: object.metadata.name ?? '',
    match: spec['matchResources'] ? matchOf(spec['matchResources'] as MatchResources) : undefined,
    paramRef: spec['paramRef'] as ParamRef | undefined,
    actions: (spec['validationActions'] ?? []) as string[],
  }
}

/** Conditions of a webhook. */
export function compileConditions(conditions: readonly { readonly expression: string }[]): Expression[] {
  const environment = admissionEnvironment({ params: false, authorizer: true })
  return conditions.map(({ expression }) => ({
    source: expression,
    ...compileFor(expression, environment, [BOOL]),
  }))
}

function policyOf(object: KubeObject): Omit<Policy, 'bindings'> {
  const spec = specOf(object) as PolicySpec
  const params = spec.paramKind !== undefined
  const variables = new Map<string, Expression>()
  const variableTypes = new Map<string, CelType>()
  const declared: Declared = { params, authorizer: true, variables: variableTypes, patches: !!spec.mutations }
  const compiled = (source: string, wanted: readonly CelType[], of = declared): Expression => ({
    source,
    ...compileFor(source, admissionEnvironment(of), wanted),
  })
  for (const { name, expression } of spec.variables ?? []) {
    const variable = compiled(expression, [])
    variables.set(name, variable)
    variableTypes.set(name, variable.program?.type ?? DYN)
  }
  const withoutAuthorizer = { ...declared, authorizer: false }
  return {
    name: object.metadata.name ?? '',
    ignoresFailures: spec.failurePolicy === 'Ignore',
    paramKind: spec.paramKind,
    match: matchOf(spec.matchConstraints ?? {}),
    conditions: (spec.matchConditions ?? []).map(({ name, expression }) => ({
      name,
      ...compiled(expression, [BOOL]),
    })),
    variables,
    variableTypes,
    validations: (spec.validations ?? []).map((validation) => ({
      expression: compiled(validation.expression, [BOOL]),
      message: validation.message ?? '',
      messageExpression: validation.messageExpression
        ? compiled(validation.messageExpression, [STRING], withoutAuthorizer)
        : undefined,
      reason: validation.reason ?? 'Invalid',
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      ...compiled(valueExpression, [STRING, NULL]),
    })),
    mutations: (spec.mutations ?? []).map((mutation) => ({
      type: mutation.patchType,
      expression: compiled((mutation.applyConfiguration ?? mutation.jsonPatch)?.expression ?? '', [
        mutation.patchType === 'JSONPatch' ? listOf(JSON_PATCH_TYPE) : OBJECT_TYPE,
      ]),
    })),
    reinvoked: spec.reinvocationPolicy === 'IfNeeded',
  }
}
