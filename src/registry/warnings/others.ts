// What a client is warned of when its write is taken: fields that do nothing, or something else than they seem to.
// Strategies give these functions as `warnings`; pods, volumes and labels of nodes have files of their own.
// Follows pkg/api/service/warnings.go and the strategies below pkg/registry.
import type { KubeObject } from '../../machinery/object.ts'
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from '../../machinery/quantity.ts'
import { textAt } from '../reading.ts'
import { Spot } from '../validation/spot.ts'
import { addressWarnings, blockWarnings, loadBalancerWarnings } from './addresses.ts'

const read = (object: KubeObject): Spot => Spot.of(object, [])

const HINTS = 'service.kubernetes.io/topology-aware-hints'
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode'

function* headlessWarnings(spec: Spot): Generator<string> {
  if (spec.at('loadBalancerIP').text) yield 'spec.loadBalancerIP is ignored for headless services'
  if (!spec.at('externalIPs').isEmpty) yield 'spec.externalIPs is ignored for headless services'
  if (spec.at('sessionAffinity').text !== 'None')
    yield 'spec.SessionAffinity is ignored for headless services'
}

export function* serviceWarnings(service: KubeObject): Generator<string> {
  const spec = read(service).at('spec')
  const annotations = service.metadata.annotations
  if (annotations && Object.hasOwn(annotations, HINTS)) {
    yield `annotation ${HINTS} is deprecated, please use ${TOPOLOGY_MODE} instead`
  }
  const [type, address] = [spec.at('type').text, spec.at('clusterIP').text]
  const [headless, named] = [type === 'ClusterIP' && address === 'None', type === 'ExternalName']
  if (address && address !== 'None') for (const one of spec.itemsOf('clusterIPs')) yield* addressWarnings(one)
  if (headless) yield* headlessWarnings(spec)
  const external = spec.itemsOf('externalIPs')
  for (const one of external) yield* addressWarnings(one)
  if (external.length && !headless && !named)
    yield 'spec.externalIPs is deprecated and may no longer be implemented in some clusters'
  if (spec.at('loadBalancerIP').text) yield* addressWarnings(spec.at('loadBalancerIP'))
  for (const block of spec.itemsOf('loadBalancerSourceRanges')) yield* blockWarnings(block)
  if (named && external.length) yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
  if (!named && spec.at('externalName').text)
    yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
  if (spec.at('trafficDistribution').text === 'PreferClose') {
    yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
  }
}

/** Of the status of a service or an ingress. */
export const balancerWarnings = (object: KubeObject): Iterable<string> => loadBalancerWarnings(read(object))

/** Of new quotas. */
export function* quotaWarnings(quota: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (old) return
  const hard = read(quota).at('spec').at('hard')
  for (const name of ['cpu', 'memory', 'storage', 'ephemeral-storage']) {
    const named = hard.key(`requests.${name}`)
    // The bare names of these two are those of requests.
    const bare = !named.isSet && (name === 'cpu' || name === 'memory')
    const [request, limit] = [bare ? hard.key(name) : named, hard.key(`limits.${name}`)]
    if (!request.isSet || !limit.isSet) continue
    const [low, high] = [request, limit].map(({ value }) => parseQuantity(String(value))) as [
      Quantity,
      Quantity,
    ]
    if (compareQuantities(low, high) <= 0) continue
    const shown = bare ? name : `requests.${name}`
    yield `ResourceQuota ${shown} (${formatQuantity(low)}) should be less than limits.${name} (${formatQuantity(high)})`
  }
}

/** Of new ingresses. */
export function* ingressWarnings(ingress: KubeObject, old: KubeObject | undefined): Generator<string> {
  const CLASS = 'kubernetes.io/ingress.class'
  const given = ingress.metadata.annotations?.[CLASS] !== undefined
  if (old || !given || read(ingress).at('spec').at('ingressClassName').isSet) return
  yield `annotation "${CLASS}" is deprecated, please use 'spec.ingressClassName' instead`
}

export function* networkPolicyWarnings(policy: KubeObject): Generator<string> {
  const spec = read(policy).at('spec')
  for (const [rules, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const peer of spec.itemsOf(rules).flatMap((rule) => rule.itemsOf(peers))) {
      const block = peer.at('ipBlock')
      if (!block.isSet) continue
      yield* blockWarnings(block.at('cidr'))
      for (const except of block.itemsOf('except')) yield* blockWarnings(except)
    }
  }
}

const managedBy = (object: KubeObject, label: string): string => textAt(object.metadata.labels?.[label])

/** Whose addresses are sound: those of upstream's controllers are not looked at. */
const SLICES_OF = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']
const ENDPOINTS_OF = 'endpoint-controller'

export function* endpointSliceWarnings(slice: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (!old && slice['addressType'] === 'FQDN') yield 'spec.addressType: FQDN endpoints are deprecated'
  if (SLICES_OF.includes(managedBy(slice, 'endpointslice.kubernetes.io/managed-by'))) return
  for (const endpoint of read(slice).itemsOf('endpoints')) {
    for (const address of endpoint.itemsOf('addresses')) yield* addressWarnings(address)
  }
}

export function* endpointsWarnings(endpoints: KubeObject): Generator<string> {
  if (managedBy(endpoints, 'endpoints.kubernetes.io/managed-by') === ENDPOINTS_OF) return
  for (const subset of read(endpoints).itemsOf('subsets')) {
    for (const name of ['addresses', 'notReadyAddresses']) {
      for (const address of subset.itemsOf(name)) yield* addressWarnings(address.at('ip'))
    }
  }
}

export function* nodeWarnings(node: KubeObject): Generator<string> {
  const spec = read(node).at('spec')
  if (spec.at('configSource').isSet) yield 'spec.configSource: the feature is removed'
  if (spec.at('externalID').text)
    yield 'spec.externalID: this field is deprecated, and is unused by Kubernetes'
  for (const block of spec.itemsOf('podCIDRs')) yield* blockWarnings(block)
}

const STATIC = '.static.k8s.io'

/** Of policies and webhooks, whose names may be taken by files one day. */
export function* staticNameWarnings({ metadata: { name = '' } }: KubeObject): Generator<string> {
  if (!name.endsWith(STATIC)) return
  yield `metadata.name: names ending with "${STATIC}" are reserved for static manifest-based configurations and cannot be managed via the API`
}

export function* serviceAccountWarnings(account: KubeObject, old: KubeObject | undefined): Generator<string> {
  const MOUNTABLE = 'kubernetes.io/enforce-mountable-secrets'
  const given = (object: KubeObject | undefined) => object?.metadata.annotations?.[MOUNTABLE]
  if (given(account) === undefined || given(old) !== undefined) return
  yield `metadata.annotations[${MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`
}
