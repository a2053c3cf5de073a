// Which routes a cluster's nodes ask for. Follows reconcile of k8s.io/cloud-provider/controllers/route.
import { BlockList, isIP } from 'node:net'
import type { Node } from '../client/kinds/core.v1.gen.ts'
import type { Route } from './provider.ts'

export interface RouteChanges {
  readonly remove: readonly Route[]
  readonly create: readonly { readonly node: Node; readonly cidr: string }[]
}

/** Routes outside the cluster's ranges are somebody else's. */
export function routeChanges(
  nodes: readonly Node[],
  routes: readonly Route[],
  clusterCidrs: readonly string[],
): RouteChanges {
  const wanted = new Map(
    nodes.flatMap((node) =>
      (node.spec.podCIDRs ?? []).map((cidr) => [keyOf(node.metadata.name ?? '', cidr), { node, cidr }]),
    ),
  )
  const there = new Set(
    routes.filter(({ blackhole }) => !blackhole).map(({ node, cidr }) => keyOf(node, cidr)),
  )
  const ours = routes.filter(({ cidr }) => clusterCidrs.some((range) => isWithin(range, cidr)))
  return {
    remove: ours.filter(({ blackhole, node, cidr }) => blackhole || !wanted.has(keyOf(node, cidr))),
    create: [...wanted].filter(([key]) => !there.has(key)).map(([, route]) => route),
  }
}

const keyOf = (node: string, cidr: string): string => `${node} ${cidr}`

/** Whether the range lies in the cluster's; what is no range does not. */
function isWithin(clusterCidr: string, cidr: string): boolean {
  const [network = '', bits = ''] = clusterCidr.split('/')
  const [first = ''] = cidr.split('/')
  if (isIP(first) === 0 || isIP(first) !== isIP(network)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits), familyOf(network))
  return list.check(first, familyOf(first))
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
