// Between the versions of a built-in kind: what is served, and what lies in the store.
// Most kinds look the same in all their versions; the others have a file in convert/, which knows the way to the
// stored version (the hub) and back. Follows the conversions in kubernetes/pkg/apis/*/*/conversion.go.
import { apiVersionOf, type GroupVersionKind } from '../machinery/gvk.ts'
import type { KubeObject } from '../machinery/object.ts'
import { autoscalerV1 } from './convert/autoscaling.ts'
import { definitionV1beta1 } from './convert/customresources.ts'
import { claimTemplateV1beta1, claimV1beta1, sliceV1beta1 } from './convert/devices.ts'
import { eventsV1 } from './convert/events.ts'
import type { Shape } from './convert/shape.ts'
import { normalise } from './decode.ts'
import { typeForKind } from './types.ts'

/** The versions that do not look like the stored one. */
const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ['apiextensions.k8s.io/v1beta1 CustomResourceDefinition', definitionV1beta1],
  ['autoscaling/v1 HorizontalPodAutoscaler', autoscalerV1],
  ['events.k8s.io/v1 Event', eventsV1],
  ['resource.k8s.io/v1beta1 ResourceClaim', claimV1beta1],
  ['resource.k8s.io/v1beta1 ResourceClaimTemplate', claimTemplateV1beta1],
  ['resource.k8s.io/v1beta1 ResourceSlice', sliceV1beta1],
])

/**
 * `object` of kind `from` as kind `to` says it. Never changes `object`; the answer is fresh at the top and may share
 * parts with it. Kinds without a shape of their own only get another apiVersion.
 */
export function convert(object: KubeObject, from: GroupVersionKind, to: GroupVersionKind): KubeObject {
  const apiVersion = apiVersionOf(to)
  const source = SHAPES.get(`${apiVersionOf(from)} ${from.kind}`)
  const target = SHAPES.get(`${apiVersion} ${to.kind}`)
  if (source === target) return { ...object, kind: to.kind, apiVersion }
  const hub = source === undefined ? object : source.toHub(object)
  const converted = target?.fromHub === undefined ? hub : target.fromHub(hub)
  const result: KubeObject = { ...converted, kind: to.kind, apiVersion }
  const type = typeForKind(to)
  return type === undefined ? result : normalise(result, type)
}
