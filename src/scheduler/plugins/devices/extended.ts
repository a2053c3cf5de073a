// Extended resources that devices stand for: a container asks for "example.com/gpu: 2", a class of devices names that
// resource, and the pod gets two devices of the class on nodes that have no such resource of their own.
// Follows createRequestsAndMappings of k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources and
// k8s.io/dynamic-resource-allocation/deviceclass/extendedresourcecache.
import type { Container, ContainerExtendedResourceRequest, Pod } from '../../../client/kinds/core.v1.gen.ts'
import type { DeviceClass, DeviceRequest, ResourceClaim } from '../../../client/kinds/resource.v1.gen.ts'
import { parseQuantity, quantityValue } from '../../../machinery/quantity.ts'
import type { NodeInfo } from '../../nodeinfo.ts'
import type { PodInfo } from '../../podinfo.ts'
import type { ObjectSources } from '../../sources.ts'

/** Every class stands for a resource of this name, besides the one that it names. */
const CLASS_PREFIX = 'deviceclass.resource.kubernetes.io/'
/** Of the claim that is made for a pod which asks for such resources. */
const ANNOTATION = 'resource.kubernetes.io/extended-resource-claim'

/** The names that the class stands for. */
export const resourcesOf = ({ metadata, spec }: DeviceClass): string[] => [
  `${CLASS_PREFIX}${metadata.name}`,
  ...(spec.extendedResourceName ? [spec.extendedResourceName] : []),
]

/** Of several classes for one resource the youngest counts, of equals the first by name. */
export function classesByResource(classes: Iterable<DeviceClass>): ReadonlyMap<string, DeviceClass> {
  const found = new Map<string, DeviceClass>()
  const bornAt = ({ metadata }: DeviceClass): string => metadata.creationTimestamp ?? ''
  const nameOf = ({ metadata }: DeviceClass): string => metadata.name ?? ''
  for (const one of classes) {
    for (const name of resourcesOf(one)) {
      const known = found.get(name)
      const isBefore =
        known &&
        (bornAt(known) > bornAt(one) || (bornAt(known) === bornAt(one) && nameOf(known) < nameOf(one)))
      if (!isBefore) found.set(name, one)
    }
  }
  return found
}

/** Of what the pod asks for, the resources that devices may stand for. */
export function backedResources({ requests }: PodInfo, sources: ObjectSources): string[] {
  if (requests.others.size === 0) return []
  return [...requests.others]
    .filter(([name, amount]) => amount > 0 && sources.classForResource(name) !== undefined)
    .map(([name]) => name)
}

/** Whether the node has none of the resource itself, so that devices have to be found. */
export const isDelegated = (name: string, { allocatable }: NodeInfo): boolean =>
  (allocatable.others.get(name) ?? 0) <= 0

export interface ExtendedRequests {
  readonly requests: readonly DeviceRequest[]
  /** Which container's resource is met by which request. */
  readonly mappings: readonly ContainerExtendedResourceRequest[]
}

/** Init containers that end have devices of those that come later, and only one of them runs at a time. */
export function extendedRequests(
  { spec }: Pod,
  resources: readonly string[],
  classFor: (resource: string) => DeviceClass | undefined,
): ExtendedRequests {
  const inits = spec.initContainers ?? []
  const containers = [...inits, ...spec.containers]
  const requests: DeviceRequest[] = []
  const mappings: ContainerExtendedResourceRequest[] = []
  for (const resource of [...resources].sort()) {
    const className = classFor(resource)?.metadata.name
    if (className === undefined) continue
    const asked = { resource, className }
    const isShort = (i: number): boolean => i < inits.length && containers[i]?.restartPolicy !== 'Always'
    const indexes = containers.map((_, i) => i)
    const long = indexes.map((i) =>
      isShort(i) ? undefined : requestOf(containers[i] as Container, i, asked, []),
    )
    const short = indexes.filter(isShort).map((i) =>
      requestOf(
        containers[i] as Container,
        i,
        asked,
        long.slice(i).flatMap((one) => one?.request ?? []),
      ),
    )
    const most = short.reduce<DeviceRequest | undefined>(
      (max, { request }) => (countOf(request) > countOf(max) ? request : max),
      undefined,
    )
    if (most) requests.push(most)
    requests.push(...long.flatMap((one) => one?.request ?? []))
    mappings.push(...long.flatMap((one) => one?.mappings ?? []))
    const own = new Set(short.flatMap(({ request }) => request?.name ?? []))
    for (const one of short.flatMap(({ mappings: all }) => all))
      mappings.push(most && own.has(one.requestName) ? { ...one, requestName: most.name } : one)
  }
  requests.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { requests, mappings }
}

const countOf = (request: DeviceRequest | undefined): number => request?.exactly?.count ?? 0

interface OfContainer {
  /** undefined: others' devices are enough, or there is nothing to ask for. */
  readonly request: DeviceRequest | undefined
  readonly mappings: readonly ContainerExtendedResourceRequest[]
}

function requestOf(
  { name: containerName, resources }: Container,
  index: number,
  { resource, className }: { readonly resource: string; readonly className: string },
  reusable: readonly DeviceRequest[],
): OfContainer {
  const asked = resources?.requests ?? {}
  const wanted = Object.hasOwn(asked, resource) ? quantityValue(parseQuantity(asked[resource] as string)) : 0
  if (wanted === 0) return { request: undefined, mappings: [] }
  const mapping = (requestName: string) => ({ containerName, resourceName: resource, requestName })
  const mappings: ContainerExtendedResourceRequest[] = []
  let sum = 0
  for (const one of reusable) {
    sum += countOf(one)
    mappings.push(mapping(one.name))
    if (sum >= wanted) return { request: undefined, mappings }
  }
  const name = `container-${index}-request-${Object.keys(asked).sort().indexOf(resource)}`
  const exactly = { deviceClassName: className, allocationMode: 'ExactCount', count: wanted - sum }
  return { request: { name, exactly }, mappings: [...mappings, mapping(name)] }
}

/** The claim that was made for the pod before. */
export function extendedClaimOf(
  { uid }: PodInfo,
  claims: Iterable<ResourceClaim>,
): ResourceClaim | undefined {
  for (const claim of claims) {
    const { annotations = {}, ownerReferences = [] } = claim.metadata
    if (
      annotations[ANNOTATION] === 'true' &&
      ownerReferences.some((one) => one.controller && one.uid === uid)
    )
      return claim
  }
  return undefined
}

/** The claim that is to be made for the pod; it has a uid of its own until then. */
export function extendedClaim(
  { pod: { metadata }, uid, namespace }: PodInfo,
  requests: readonly DeviceRequest[],
) {
  const { name = '' } = metadata
  const claim: ResourceClaim = {
    metadata: {
      namespace,
      uid: `extended-resources-of-${uid}`,
      generateName: `${name}-extended-resources-`,
      annotations: { [ANNOTATION]: 'true' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
    },
    spec: { devices: { requests: [...requests] } },
    status: {},
  }
  return claim
}
