// Whether the rules of a definition's schema compile.
// Follows apiextensions-apiserver/pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema).
import type { JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { type SchemaNode, structuralOf } from '../../schema/custom/structural.ts'
import { rulesOf } from '../custom/rules.ts'
import { hasRules } from '../custom/rulesin.ts'
import { ruleForm } from './goform.ts'

/** Causes for rules that are none; `schema` is structural. */
export function celCauses(schema: JsonObject, path: string): StatusCause[] {
  const causes: StatusCause[] = []
  walk(structuralOf(schema), { path, whole: true, lost: undefined }, causes)
  return causes
}

interface Place {
  readonly path: string
  readonly whole: boolean
  /** The part above in which old values are not found again. */
  readonly lost: string | undefined
}

function walk(node: SchemaNode, place: Place, causes: StatusCause[]): void {
  if (!hasRules(node)) return
  const { path, lost } = place
  rulesOf(node, place.whole).forEach((one, i) => {
    const field = `${path}.x-kubernetes-validations[${i}]`
    const shown = ruleForm(one.rule)
    if (one.fault !== undefined) causes.push(cause.invalid(`${field}.rule`, shown, one.fault))
    if (one.messageFault !== undefined)
      causes.push(cause.invalid(`${field}.messageExpression`, shown, one.messageFault))
    if (one.usesOld && lost !== undefined) {
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${lost}`
      causes.push(cause.invalid(`${field}.rule`, one.rule['rule'], why))
    } else if (!one.usesOld && one.fault === undefined && one.rule['optionalOldSelf'] !== undefined) {
      const why = 'may not be set if oldSelf is not used in rule'
      causes.push(cause.invalid(`${field}.optionalOldSelf`, one.rule['optionalOldSelf'], why))
    }
  })
  const { additional, items } = node
  if (typeof additional === 'object')
    walk(additional, { path: `${path}.additionalProperties`, whole: additional.embedded, lost }, causes)
  const atomic = node.props['x-kubernetes-map-type'] === 'atomic'
  for (const [key, property] of node.properties) {
    const below = { path: `${path}.properties[${key}]`, whole: property.embedded }
    walk(property, { ...below, lost: lost ?? (atomic ? path : undefined) }, causes)
  }
  if (!items) return
  const isMap = node.props['x-kubernetes-list-type'] === 'map'
  const below = { path: `${path}.items`, whole: items.embedded, lost: lost ?? (isMap ? undefined : path) }
  walk(items, below, causes)
}
