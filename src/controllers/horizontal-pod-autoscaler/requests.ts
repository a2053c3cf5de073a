// What pods request of a resource. Follows calculateRequests of
// k8s.io/kubernetes/pkg/controller/podautoscaler/replica_calculator.go.
import type { Container, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { containerTotals, isPodLevelResource } from '../../machinery/podresources.ts'
import { addQuantities, parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts'
import { milli } from './metrics.ts'

/**
 * In thousandths, by the pods' names; of one container, where it is named. Throws an Error in upstream's words where one
 * requests nothing.
 */
export const requestsOf = (
  pods: readonly Pod[],
  resource: string,
  container: string | undefined,
): ReadonlyMap<string, number> =>
  new Map(
    pods.map((pod) => [
      pod.metadata.name ?? '',
      container === undefined && isPodLevel(pod)
        ? ofPod(pod, resource)
        : ofContainers(pod, resource, container),
    ]),
  )

const isPodLevel = ({ spec }: Pod): boolean =>
  Object.keys(spec.resources?.requests ?? {}).some((name) => isPodLevelResource(name))

function ofPod(pod: Pod, resource: string): number {
  const own = pod.spec.resources?.requests?.[resource]
  const request =
    own !== undefined && isPodLevelResource(resource)
      ? parseQuantity(own)
      : containerTotals(pod.spec as unknown as JsonObject, 'requests').get(resource)
  const overhead = pod.spec.overhead?.[resource]
  const parts = [request, overhead === undefined ? undefined : parseQuantity(overhead)].filter(
    (part) => part !== undefined,
  )
  if (parts.length === 0)
    throw new Error(`missing pod-level request for ${resource} in Pod ${pod.metadata.name ?? ''}`)
  return quantityMilliValue(parts.reduce(addQuantities))
}

function ofContainers({ metadata, spec }: Pod, resource: string, only: string | undefined): number {
  const pod = metadata.name ?? ''
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const all = [...spec.containers, ...sidecars]
  const counted = only === undefined ? all : all.filter(({ name }) => name === only)
  if (only !== undefined && counted.length === 0) throw new Error(`container ${only} not found in Pod ${pod}`)
  const request = ({ name, resources }: Container): number => {
    const text = resources?.requests?.[resource]
    if (text === undefined)
      throw new Error(`missing request for ${resource} in container ${name} of Pod ${pod}`)
    return milli(text)
  }
  return counted.reduce((total, one) => total + request(one), 0)
}
