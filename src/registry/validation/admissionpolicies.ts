// Rules of admission policies and of their bindings, expressions included.
// Follows pkg/apis/admissionregistration/validation.
import { parseGroupVersion } from '../../machinery/gvk.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import { dns1035LabelErrors, pathSegmentErrors, qualifiedNameErrors } from '../../machinery/validation.ts'
import type { Declared } from '../../cel/admission.ts'
import type { CelType } from '../../cel/types.ts'
import { textsAt } from '../reading.ts'
import { conditions } from './conditions.ts'
import { expression as compiled } from './expressions.ts'
import { onCreate, onUpdate } from './rules.ts'
import type { Spot } from './spot.ts'
import { matchConditions, rule } from './webhooks.ts'

const MAX_ANNOTATIONS = 20
const MAX_VALUE_EXPRESSION = 5 * 1024
const ACTIONS = ['Audit', 'Deny', 'Warn']
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const MUTATING = ['*', 'CONNECT', 'CREATE', 'UPDATE']
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

function paramVersion(version: Spot): void {
  if (!version.needed()) return
  if (version.text.split('/').length > 2) {
    return version.invalid(`unexpected GroupVersion string: ${version.text}`)
  }
  const { group = '', version: name = '' } = parseGroupVersion(version.text) ?? {}
  const groupFaults = group ? isSubdomain(group) : []
  if (groupFaults.length) version.invalid(groupFaults.join(','), group)
  const nameFaults = name ? dns1035LabelErrors(name) : []
  if (!name) version.invalid('version must be specified')
  else if (nameFaults.length) version.invalid(nameFaults.join(','), name)
}

function paramKind(kind: Spot): void {
  if (!kind.isSet) return
  paramVersion(kind.at('apiVersion'))
  const name = kind.at('kind')
  if (!name.needed()) return
  const faults = dns1035LabelErrors(name.text.toLowerCase())
  if (faults.length) name.invalid(`may have mixed case, but should otherwise match: ${faults.join(',')}`)
}

function namedRule(spot: Spot): void {
  const seen = new Set<string>()
  for (const name of spot.itemsOf('resourceNames')) {
    name.matches(pathSegmentErrors)
    if (seen.has(name.text)) name.duplicate()
    seen.add(name.text)
  }
  rule(spot)
}

function matchResources(match: Spot): void {
  if (!match.isSet) return
  const policy = match.at('matchPolicy')
  if (policy.isSet) policy.oneOf(['Equivalent', 'Exact'])
  else policy.required()
  for (const name of ['namespaceSelector', 'objectSelector']) {
    if (match.at(name).isSet) match.at(name).isSelector()
    else match.at(name).required()
  }
  match.itemsOf('resourceRules').forEach(namedRule)
  match.itemsOf('excludeResourceRules').forEach(namedRule)
}

/** There is nothing to change in a delete. */
function mutatingOnly(match: Spot): void {
  const shown = match.at('resourceRules').at('operations')
  for (const item of match.itemsOf('resourceRules')) {
    for (const operation of textsAt(item.at('operations').value)) {
      if (!MUTATING.includes(operation)) shown.notSupported(MUTATING, operation)
    }
  }
}

/** What the expressions of a policy may name; its variables join one after the other. */
interface Scope extends Declared {
  /** Absent where a validating policy has none: then there is no such name. */
  readonly variables?: Map<string, CelType>
}

const scopeOf = (spec: Spot, mutating: boolean): Scope => ({
  params: spec.at('paramKind').isSet,
  authorizer: true,
  ...(spec.at('variables').isEmpty && !mutating ? {} : { variables: new Map<string, CelType>() }),
})

function variable(spot: Spot, scope: Scope): void {
  const [name, expression] = [spot.at('name'), spot.at('expression')]
  if (!name.text.trim()) name.required('name is not specified')
  else if (!IDENTIFIER.test(name.text) || RESERVED.has(name.text)) {
    name.invalid('must be a valid CEL identifier')
  }
  if (!expression.text.trim()) return expression.required('expression is not specified')
  const type = compiled(expression, scope, 'any')
  if (name.text) scope.variables?.set(name.text, type ?? { kind: 'dyn' })
}

/** What policies of both sorts have. */
function commonSpec(spec: Spot, mutating: boolean): Scope {
  const scope = scopeOf(spec, mutating)
  const [failure, match] = [spec.at('failurePolicy'), spec.at('matchConstraints')]
  if (failure.isSet) failure.oneOf(['Fail', 'Ignore'])
  else failure.required()
  paramKind(spec.at('paramKind'))
  if (match.isSet) {
    matchResources(match)
    match.at('resourceRules').needed()
    if (mutating) mutatingOnly(match)
  } else match.required()
  matchConditions(spec.at('matchConditions'), { params: scope.params, authorizer: true })
  for (const item of spec.itemsOf('variables')) variable(item, scope)
  return scope
}

function validation(spot: Spot, scope: Scope): void {
  const [expression, text, message] = [
    spot.at('expression'),
    spot.at('messageExpression'),
    spot.at('message'),
  ]
  if (!expression.text.trim()) expression.required('expression is not specified')
  else compiled(expression, scope, 'condition')
  if (text.text && !text.text.trim()) text.invalid('must be non-empty if specified')
  else if (text.text) compiled(text, { ...scope, authorizer: false }, 'message')
  if (message.text && !message.text.trim()) message.invalid('must be non-empty if specified')
  if (/[\r\n]/.test(message.text.trim())) message.invalid('must not contain line breaks')
  spot.at('reason').oneOfIfSet(REASONS)
}

function auditAnnotation(spot: Spot, policy: string, scope: Scope): void {
  const [key, value] = [spot.at('key'), spot.at('valueExpression')]
  if (!policy) key.invalid('requires metadata.name be non-empty', key.text)
  else key.with(`${policy}/${key.text}`).matches(qualifiedNameErrors)
  const trimmed = value.text.trim()
  if (!trimmed) value.required('valueExpression is not specified')
  else if (Buffer.byteLength(trimmed) > MAX_VALUE_EXPRESSION) {
    value.required(`must not exceed ${MAX_VALUE_EXPRESSION} bytes in length`)
  } else compiled(value, scope, 'annotation')
}

function validatingPolicy(policy: Spot): void {
  const spec = policy.at('spec')
  const [validations, annotations] = [spec.at('validations'), spec.at('auditAnnotations')]
  const scope = commonSpec(spec, false)
  if (validations.isEmpty && annotations.isEmpty) {
    for (const list of [validations, annotations]) {
      list.required('validations or auditAnnotations must contain at least one item')
    }
    return
  }
  for (const item of validations.items()) validation(item, scope)
  if (annotations.items().length > MAX_ANNOTATIONS) {
    annotations.invalid(`must not have more than ${MAX_ANNOTATIONS} auditAnnotations`)
  }
  const seen = new Set<string>()
  for (const annotation of annotations.items()) {
    const key = annotation.at('key')
    auditAnnotation(annotation, policy.at('metadata').at('name').text, scope)
    if (seen.has(key.text)) key.duplicate(key.text)
    seen.add(key.text)
  }
}

type PatchField = 'jsonPatch' | 'applyConfiguration'

/** The field that belongs to the type of patch, and not the other one's. */
function patchField(mutation: Spot, scope: Scope, own: PatchField, other: PatchField): void {
  const type = mutation.at('patchType').text
  const expression = mutation.at(own).at('expression')
  if (!mutation.at(own).isSet) mutation.at(own).required(`must be specified when patchType is ${type}`)
  else if (!expression.text.trim()) expression.required()
  else compiled(expression, { ...scope, patches: true }, own === 'jsonPatch' ? 'jsonPatch' : 'apply')
  if (mutation.at(other).isSet) {
    mutation.at(other).invalid(`must not be specified when patchType is ${type}`, `{${other}}`)
  }
}

function mutation(spot: Spot, scope: Scope): void {
  const type = spot.at('patchType')
  if (!type.neededOneOf(['ApplyConfiguration', 'JSONPatch'])) return
  if (type.text === 'JSONPatch') patchField(spot, scope, 'jsonPatch', 'applyConfiguration')
  else patchField(spot, scope, 'applyConfiguration', 'jsonPatch')
}

function mutatingPolicy(policy: Spot): void {
  const spec = policy.at('spec')
  const scope = commonSpec(spec, true)
  spec.at('mutations').needed('mutations must contain at least one item')
  for (const item of spec.itemsOf('mutations')) mutation(item, scope)
  spec.at('reinvocationPolicy').neededOneOf(['IfNeeded', 'Never'])
}

function paramReference(ref: Spot): void {
  if (!ref.isSet) return
  const [name, selector, missing] = [ref.at('name'), ref.at('selector'), ref.at('parameterNotFoundAction')]
  const both = 'name and selector are mutually exclusive'
  if (name.text) {
    name.matches(pathSegmentErrors)
    if (selector.isSet) name.forbidden(both)
  }
  if (selector.isSet) {
    selector.isSelector()
    if (name.text) selector.forbidden(both)
  }
  if (!name.text && !selector.isSet) ref.required('one of name or selector must be specified')
  missing.neededOneOf(['Deny', 'Allow'])
}

const REPEATED =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'

function actions(list: Spot): void {
  const seen = new Set<string>()
  for (const action of list.items()) {
    action.oneOf(ACTIONS)
    if (seen.has(action.text)) action.duplicate()
    seen.add(action.text)
  }
  if (seen.has('Deny') && seen.has('Warn')) list.invalid(REPEATED)
  if (seen.size === 0) list.required('at least one validation action is required')
}

const binding =
  (mutating: boolean) =>
  (object: Spot): void => {
    const spec = object.at('spec')
    spec.at('policyName').neededAs(isSubdomain)
    paramReference(spec.at('paramRef'))
    matchResources(spec.at('matchResources'))
    if (mutating) mutatingOnly(spec.at('matchResources'))
    else actions(spec.at('validationActions'))
  }

/** A text, brackets with what is in them, blanks, a field or an identifier, a number, the root. */
const STEPS = /^(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\s+|[.A-Za-z_][^\s.,[\]$@{}]*|[+-]?[0-9.]+|[$@])+/

/** The first character with which nothing of a path begins, as Go's %#U shows it. */
function oddCharacter(path: string): string | undefined {
  const odd = [...path.slice(STEPS.exec(path)?.[0].length ?? 0)][0]
  const code = odd?.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
  return code && `U+${code} '${odd}'`
}

/** What the types of its expressions were found to be, and its conditions. */
function policyStatus(status: Spot): void {
  for (const item of status.at('typeChecking').itemsOf('expressionWarnings')) {
    item.at('warning').needed()
    const [ref, path] = [item.at('fieldRef'), item.at('fieldRef').text.trim()]
    const odd = oddCharacter(path)
    if (!path) ref.required()
    else if (odd) ref.invalid(`invalid JSONPath: unrecognized character in action: ${odd}`, path)
  }
  conditions(status.at('conditions'))
}

export const validateValidatingPolicy = onCreate(validatingPolicy)
export const validateValidatingPolicyUpdate = onUpdate(validatingPolicy, (object) =>
  policyStatus(object.at('status')),
)
export const validateMutatingPolicy = onCreate(mutatingPolicy)
export const validateMutatingPolicyUpdate = onUpdate(mutatingPolicy)
export const validateValidatingBinding = onCreate(binding(false))
export const validateValidatingBindingUpdate = onUpdate(binding(false))
export const validateMutatingBinding = onCreate(binding(true))
export const validateMutatingBindingUpdate = onUpdate(binding(true))
