// Whether the rules of a definition's schema compile, and how much they may cost.
// Follows apiextensions-apiserver/pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema).
import type { JsonObject } from '../../machinery/json.ts'
import { cause, type StatusCause } from '../../machinery/status.ts'
import { type SchemaNode, structuralOf } from '../../schema/custom/structural.ts'
import { remembered } from '../../schema/turns.ts'
import { type CompiledRule, rulesOf } from '../custom/rules.ts'
import { hasRules } from '../custom/rulesin.ts'
import { Costs, type Often, oftenBelow } from './celcosts.ts'
import { type Sized, sizesOf } from './celsizes.ts'
import { ruleForm } from './goform.ts'

/**
 * Causes for rules that are none, and for those that may cost too much; `schema` is structural.
 */
export function celCauses(schema: JsonObject, path: string, how: Looking): StatusCause[] {
  const causes: StatusCause[] = []
  const costs = new Costs(causes, how.isKnown)
  // The same graph in every turn: what is known of its nodes stays known.
  const graph = remembered(schema, 'graph', () => structuralOf(schema))
  walk(graph, { path, whole: true, lost: undefined, often: 1 }, { causes, costs, how })
  costs.finish(path)
  return causes
}

export interface Looking {
  /** The schema is stored already. */
  readonly isKnown: boolean
  /** Whether something else is wrong with the schema at a path, or below. */
  isFaulty(path: string): boolean
}

interface Place {
  readonly path: string
  readonly whole: boolean
  /** The part above in which old values are not found again. */
  readonly lost: string | undefined
  /** How often the data can occur. */
  readonly often: Often
}

interface Found {
  readonly causes: StatusCause[]
  readonly costs: Costs
  readonly how: Looking
}

/** The parts of a schema come before it, as upstream has them. */
function walk(node: SchemaNode, place: Place, found: Found): void {
  if (!hasRules(node)) return
  const { path, lost } = place
  const often = oftenBelow(node, place.often)
  const { additional, items } = node
  if (typeof additional === 'object') {
    const below = { path: `${path}.additionalProperties`, whole: additional.embedded, lost, often }
    walk(additional, below, found)
  }
  const atomic = node.props['x-kubernetes-map-type'] === 'atomic'
  for (const [key, property] of node.properties) {
    const below = { path: `${path}.properties[${key}]`, whole: property.embedded, often }
    walk(property, { ...below, lost: lost ?? (atomic ? path : undefined) }, found)
  }
  if (items) {
    const isMap = node.props['x-kubernetes-list-type'] === 'map'
    const below = { path: `${path}.items`, whole: items.embedded, often }
    walk(items, { ...below, lost: lost ?? (isMap ? undefined : path) }, found)
  }
  if (found.how.isFaulty(path)) return
  rulesOf(node, place.whole).forEach((one, i) =>
    ruleCauses(
      one,
      sizesOf(node, place.whole),
      { ...place, path: `${path}.x-kubernetes-validations[${i}]` },
      found,
    ),
  )
}

function ruleCauses(
  one: CompiledRule,
  sized: Sized | undefined,
  place: Place,
  { causes, costs }: Found,
): void {
  const { path: field, lost, often } = place
  const shown = ruleForm(one.rule)
  if (one.program && sized) costs.rule(one.program, `${field}.rule`, sized, often)
  if (one.fault !== undefined) causes.push(cause.invalid(`${field}.rule`, shown, one.fault))
  // Of a rule that is none nothing more is said.
  else if (one.messageFault !== undefined)
    causes.push(cause.invalid(`${field}.messageExpression`, shown, one.messageFault))
  else if (one.message && sized) costs.message(one.message, `${field}.messageExpression`, sized)
  if (one.usesOld && lost !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${lost}`
    causes.push(cause.invalid(`${field}.rule`, one.rule['rule'], why))
  } else if (!one.usesOld && one.fault === undefined && one.rule['optionalOldSelf'] !== undefined) {
    const why = 'may not be set if oldSelf is not used in rule'
    causes.push(cause.invalid(`${field}.optionalOldSelf`, one.rule['optionalOldSelf'], why))
  }
}
