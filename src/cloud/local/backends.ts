// Where the connections of a Service's port may go. Follows the choice of endpoints of k8s.io/kubernetes/pkg/proxy.
import type { Node, Service, ServicePort } from '../../client/kinds/core.v1.gen.ts'
import type { EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'
import { isSimulated } from '../../client/simulated.ts'

export interface Backend {
  readonly host: string
  readonly port: number
}

/**
 * The ready endpoints of this port; where there are none, those that end but serve still. Pods of simulated nodes are left
 * out: no program runs in them.
 */
export function backendsOf(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  nodeOf: (name: string) => Node | undefined,
): readonly Backend[] {
  const ready: Backend[] = []
  const ending: Backend[] = []
  for (const slice of slices) {
    const found = (slice.ports ?? []).find(
      ({ name, protocol }) =>
        (name ?? '') === (port.name ?? '') && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    )
    if (found?.port === undefined || slice.addressType === 'FQDN') continue
    for (const { addresses, conditions, nodeName } of slice.endpoints ?? []) {
      const node = nodeName === undefined ? undefined : nodeOf(nodeName)
      const [host] = addresses
      if (host === undefined || (node && isSimulated(node))) continue
      const backend = { host, port: found.port }
      if (conditions?.ready !== false) ready.push(backend)
      else if (conditions.serving && conditions.terminating) ending.push(backend)
    }
  }
  return ready.length > 0 ? ready : ending
}

/** How long a client comes to the same endpoint, in ms; undefined: each connection goes anywhere. */
export const affinityMs = ({ spec }: Service): number | undefined =>
  spec?.sessionAffinity === 'ClientIP'
    ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) * 1000
    : undefined
