// Endpoints that somebody wrote by hand, as slices. Follows k8s.io/kubernetes/pkg/controller/endpointslicemirroring.
import { isIP } from 'node:net'
import type { EndpointAddress, Endpoints, EndpointSubset, Service } from '../../client/kinds/core.v1.gen.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'

export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
export const MANAGER = 'endpointslicemirroring-controller.k8s.io'
export const SERVICE_NAME = 'kubernetes.io/service-name'
const SKIP = 'endpointslice.kubernetes.io/skip-mirror'
const MADE_BY_US = 'endpoints.kubernetes.io/managed-by'
const ELECTION = 'control-plane.alpha.kubernetes.io/leader'
const NOT_COPIED: ReadonlySet<string> = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
])
/** As upstream's --mirroring-max-endpoints-per-subset. */
export const MAX_ADDRESSES = 1000

/** Only those of services that select no pods: others have slices of their own. */
export function isMirrored(endpoints: Endpoints | undefined, service: Service | undefined): boolean {
  if (!endpoints || !service || service.spec?.selector) return false
  const { labels = {}, annotations = {} } = endpoints.metadata
  return labels[SKIP] !== 'true' && labels[MADE_BY_US] === undefined && annotations[ELECTION] === undefined
}

export interface Mirror {
  readonly create: EndpointSlice[]
  readonly update: EndpointSlice[]
  readonly remove: EndpointSlice[]
  /** Addresses that are none, and those that were too many. */
  readonly invalid: number
  readonly surplus: number
}

/** What is to be written so that the slices say what the endpoints say. */
export function planMirror(endpoints: Endpoints, existing: readonly EndpointSlice[]): Mirror {
  const groups = new Map<string, { addressType: string; ports: EndpointPort[]; endpoints: Endpoint[] }>()
  let [invalid, surplus] = [0, 0]
  for (const subset of endpoints.subsets ?? []) {
    const all = addressesOf(subset)
    const valid = all.filter(({ address }) => isIP(address.ip) !== 0)
    invalid += all.length - valid.length
    surplus += Math.max(0, valid.length - MAX_ADDRESSES)
    const ports = portsOf(subset)
    for (const { address, ready } of valid.slice(0, MAX_ADDRESSES)) {
      const addressType = isIP(address.ip) === 6 ? 'IPv6' : 'IPv4'
      const key = keyOf(addressType, ports)
      let group = groups.get(key)
      if (!group) groups.set(key, (group = { addressType, ports, endpoints: [] }))
      group.endpoints.push(endpointOf(address, ready))
    }
  }
  const plan: Mirror = { create: [], update: [], remove: [], invalid, surplus }
  const left = new Set(existing)
  for (const [key, group] of groups) {
    for (let at = 0; at < group.endpoints.length; at += MAX_ADDRESSES) {
      const wanted = sliceOf(endpoints, {
        ...group,
        endpoints: group.endpoints.slice(at, at + MAX_ADDRESSES),
      })
      const found = [...left].find((one) => keyOf(one.addressType, one.ports ?? []) === key)
      if (found) left.delete(found)
      if (!found) plan.create.push(wanted)
      else if (textOf(found) !== textOf(wanted)) plan.update.push(over(found, wanted))
    }
  }
  plan.remove.push(...left)
  return plan
}

const over = (found: EndpointSlice, { metadata, ...rest }: EndpointSlice): EndpointSlice => {
  const { labels, annotations, ownerReferences } = metadata
  return { ...rest, metadata: { ...found.metadata, labels, annotations, ownerReferences } }
}

const addressesOf = ({ addresses = [], notReadyAddresses = [] }: EndpointSubset) => [
  ...addresses.map((address) => ({ address, ready: true })),
  ...notReadyAddresses.map((address) => ({ address, ready: false })),
]

const portsOf = ({ ports = [] }: EndpointSubset): EndpointPort[] =>
  ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }))

const endpointOf = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip],
  conditions: { ready },
  ...(targetRef ? { targetRef } : {}),
  ...(nodeName ? { nodeName } : {}),
  ...(hostname ? { hostname } : {}),
})

function sliceOf(
  { metadata }: Endpoints,
  slice: Pick<EndpointSlice, 'addressType' | 'ports' | 'endpoints'>,
): EndpointSlice {
  const { namespace, name = '', uid = '' } = metadata
  const copied = Object.entries(metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key))
  const owner = { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true }
  return {
    metadata: {
      namespace,
      generateName: `${name}-`,
      labels: { ...metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: MANAGER },
      annotations: Object.fromEntries(copied),
      ownerReferences: [owner],
    },
    ...slice,
  }
}

const keyOf = (addressType: string, ports: readonly EndpointPort[]): string =>
  JSON.stringify([
    addressType,
    ports
      .map(({ name = '', port, protocol, appProtocol }) =>
        JSON.stringify([name, port, protocol, appProtocol]),
      )
      .sort(),
  ])

/** What the two have in common when nothing needs to be written. */
const textOf = ({ metadata, endpoints }: EndpointSlice): string =>
  JSON.stringify([
    Object.entries(metadata.labels ?? {}).sort(),
    Object.entries(metadata.annotations ?? {}).sort(),
    metadata.ownerReferences?.map(({ uid }) => uid),
    (endpoints ?? []).map((one) => [
      one.addresses,
      one.conditions?.ready,
      one.targetRef?.name,
      one.targetRef?.uid,
      one.nodeName,
      one.hostname,
    ]),
  ])
