// Whether objects are embedded in objects of a schema (x-kubernetes-embedded-resource).
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta.
import type { SchemaNode } from './structural.ts'

const withEmbedded = new WeakMap<SchemaNode, boolean>()

/** Whether any object is embedded below: most schemas have none, and walks are saved. */
export function hasEmbedded(schema: SchemaNode): boolean {
  let known = withEmbedded.get(schema)
  if (known === undefined) {
    known =
      schema.embedded ||
      [...schema.properties.values()].some(hasEmbedded) ||
      (typeof schema.additional === 'object' && hasEmbedded(schema.additional)) ||
      (schema.items !== undefined && hasEmbedded(schema.items))
    withEmbedded.set(schema, known)
  }
  return known
}
