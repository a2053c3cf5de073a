// What type checking says of a policy's expressions, kind by kind. It changes nothing of what the policy does.
// Follows k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go.
import { admissionEnvironment } from '../../cel/admission.ts'
import { compile } from '../../cel/compile.ts'
import { type CelType, DYN } from '../../cel/types.ts'
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from '../../client/kinds/admissionregistration.v1.gen.ts'

export interface TypedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly type: CelType
}

/** As upstream: more kinds of one rule are not looked at. */
const MAX_KINDS = 10

export interface WantedResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** Resources that rules name outright: groups and versions with a wildcard, and subresources, are not checked. */
export function resourcesToCheck({ spec }: ValidatingAdmissionPolicy): WantedResource[] {
  const found = new Map<string, WantedResource>()
  for (const rule of spec?.matchConstraints?.resourceRules ?? []) {
    const { apiGroups = [], apiVersions = [], resources = [] } = rule
    if ([...apiGroups, ...apiVersions].some((word) => word.includes('*'))) continue
    const plain = resources.filter((resource) => !/[*/]/.test(resource))
    const all = [...apiGroups]
      .sort()
      .flatMap((group) =>
        [...apiVersions]
          .sort()
          .flatMap((version) => [...plain].sort().map((resource) => ({ group, version, resource }))),
      )
    for (const one of all.slice(0, MAX_KINDS)) found.set(JSON.stringify(one), one)
  }
  return [...found.values()]
}

/** `params` is the type of parameters; undefined: they are of no kind that is known. */
export function expressionWarnings(
  { spec }: ValidatingAdmissionPolicy,
  kinds: readonly TypedKind[],
  params: CelType | undefined,
): ExpressionWarning[] {
  const warnings: ExpressionWarning[] = []
  const check = (expression: string, fieldRef: string): void => {
    const found = kinds.flatMap((kind) => {
      const { errors } = compile(expression, environmentOf(spec, kind.type, params))
      const { group, version, kind: name } = kind
      return errors === undefined ? [] : [`${group}/${version}, Kind=${name}: ${errors}\n`]
    })
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join('\n') })
  }
  for (const [index, { expression, messageExpression }] of (spec?.validations ?? []).entries()) {
    check(expression, `spec.validations[${index}].expression`)
    if (messageExpression) check(messageExpression, `spec.validations[${index}].messageExpression`)
  }
  return warnings
}

type Spec = ValidatingAdmissionPolicy['spec']

function environmentOf(spec: Spec, object: CelType, params: CelType | undefined) {
  const variables = new Map<string, CelType>()
  const typed = () => {
    const environment = admissionEnvironment({
      params: spec?.paramKind !== undefined,
      authorizer: true,
      variables,
    })
    const types = new Map(environment.variables).set('object', object).set('oldObject', object)
    if (spec?.paramKind && params) types.set('params', params)
    return { ...environment, variables: types }
  }
  // Each may name those before it; one that does not compile is of any type.
  for (const { name, expression } of spec?.variables ?? [])
    variables.set(name, compile(expression, typed()).program?.type ?? DYN)
  return typed()
}
