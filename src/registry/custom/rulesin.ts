// Whether a schema has rules in CEL: most have none, and CEL is not loaded for them.
import type { SchemaNode } from '../../schema/custom/structural.ts'

const withRules = new WeakMap<SchemaNode, boolean>()

/** Whether there is any rule below. */
export function hasRules(node: SchemaNode): boolean {
  let known = withRules.get(node)
  if (known === undefined) {
    const own = node.props['x-kubernetes-validations']
    known =
      (Array.isArray(own) && own.length > 0) ||
      [...node.properties.values()].some(hasRules) ||
      (typeof node.additional === 'object' && hasRules(node.additional)) ||
      (node.items !== undefined && hasRules(node.items))
    withRules.set(node, known)
  }
  return known
}
