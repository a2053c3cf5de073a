// A service's pods as subsets: groups of addresses that offer the same ports.
// Follows k8s.io/kubernetes/pkg/controller/endpoint and pkg/api/v1/endpoints (RepackSubsets).
import { isIPv6 } from 'node:net'
import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Pod,
  Service,
} from '../../client/kinds/core.v1.gen.ts'
import { isPodReady } from '../../client/podstate.ts'
import { hasEndpoint, portOf, setsHostname } from '../../client/servicepods.ts'

/** As upstream's: an object that is larger is a burden to everybody. */
export const MAX_ADDRESSES = 1000

interface Offered {
  readonly address: EndpointAddress
  readonly isReady: boolean
}

/** In a fixed order, so that the same pods make the same object. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const byPort = new Map<string, { port: EndpointPort | undefined; offered: Map<string, Offered> }>()
  const { ports = [], publishNotReadyAddresses = false } = service.spec ?? {}
  for (const pod of pods) {
    if (!hasEndpoint(pod, publishNotReadyAddresses)) continue
    const address = addressOf(service, pod)
    if (!address) continue
    const offered = { address, isReady: publishNotReadyAddresses || isPodReady(pod) }
    for (const port of portsFor(service, pod, ports.length)) {
      const key = JSON.stringify(port ?? null)
      let group = byPort.get(key)
      if (!group) byPort.set(key, (group = { port, offered: new Map() }))
      group.offered.set(`${address.ip} ${address.targetRef?.uid ?? ''}`, offered)
    }
  }
  return pack([...byPort.values()])
}

/** A headless service needs no ports: its pods are told of without any. */
function portsFor(service: Service, pod: Pod, count: number): (EndpointPort | undefined)[] {
  if (count === 0) return service.spec?.clusterIP === 'None' ? [undefined] : []
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = portOf(pod, port)
    if (number === undefined) return []
    const { name, protocol = 'TCP', appProtocol } = port
    return [
      {
        ...(name ? { name } : {}),
        port: number,
        protocol,
        ...(appProtocol === undefined ? {} : { appProtocol }),
      },
    ]
  })
}

/** Of the service's (first) family; undefined where the pod has none of it. */
function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const { clusterIP = '', ipFamilies } = service.spec ?? {}
  const wantsIpv6 = clusterIP !== '' && clusterIP !== 'None' ? isIPv6(clusterIP) : ipFamilies?.[0] === 'IPv6'
  const all = (pod.status.podIPs ?? []).map(({ ip = '' }) => ip)
  const ip = (all.length > 0 ? all : [pod.status.podIP ?? '']).find((one) => isIPv6(one) === wantsIpv6)
  if (!ip) return undefined
  const { namespace, name, uid } = pod.metadata
  return {
    ip,
    ...(setsHostname(pod, service) ? { hostname: pod.spec.hostname } : {}),
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

function pack(
  groups: readonly { port: EndpointPort | undefined; offered: ReadonlyMap<string, Offered> }[],
): EndpointSubset[] {
  const bySet = new Map<string, { offered: Offered[]; ports: EndpointPort[] }>()
  for (const { port, offered } of groups) {
    const entries = [...offered].sort(([a], [b]) => (a < b ? -1 : 1))
    const key = JSON.stringify(entries.map(([name, { isReady }]) => [name, isReady]))
    let set = bySet.get(key)
    if (!set) bySet.set(key, (set = { offered: entries.map(([, one]) => one), ports: [] }))
    if (port) set.ports.push(port)
  }
  return [...bySet.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { offered, ports }]) => {
      const ready = offered.filter(({ isReady }) => isReady).map(({ address }) => address)
      const others = offered.filter(({ isReady }) => !isReady).map(({ address }) => address)
      const byName = [...ports].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      return {
        ...(ready.length > 0 ? { addresses: ready } : {}),
        ...(others.length > 0 ? { notReadyAddresses: others } : {}),
        ...(byName.length > 0 ? { ports: byName } : {}),
      }
    })
}

/** At most so many addresses, ready ones first, each subset keeping its share; the same where there are no more. */
export function truncated(subsets: EndpointSubset[], max = MAX_ADDRESSES): EndpointSubset[] {
  const sum = (of: 'addresses' | 'notReadyAddresses'): number =>
    subsets.reduce((total, subset) => total + (subset[of]?.length ?? 0), 0)
  const [ready, others] = [sum('addresses'), sum('notReadyAddresses')]
  if (ready + others <= max) return subsets
  const cutsReady = ready > max
  const room = cutsReady ? max : max - ready
  const total = cutsReady ? ready : others
  let left = room
  return subsets.map((subset) => {
    const { addresses = [], notReadyAddresses = [], ports } = subset
    const cut = cutsReady ? addresses : notReadyAddresses
    const kept = cut.slice(0, Math.min(left, Math.ceil((cut.length / total) * room)))
    left -= kept.length
    const [yes, no] = cutsReady ? [kept, []] : [addresses, kept]
    return {
      ...(yes.length > 0 ? { addresses: yes } : {}),
      ...(no.length > 0 ? { notReadyAddresses: no } : {}),
      ...(ports ? { ports } : {}),
    }
  })
}
