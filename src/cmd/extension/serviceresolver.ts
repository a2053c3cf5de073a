// Where a service is reached from this process: at an address of its endpoints, since nothing here routes cluster IPs.
// Follows ResolveEndpoint and ResolveCluster in k8s.io/apiserver/pkg/util/proxy.
import type { GroupResource } from '../../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Rejects with an Error in upstream's words where the service leads nowhere. */
export type ServiceResolver = (namespace: string, name: string, port: number) => Promise<Address>

const SERVICES: GroupResource = { group: '', resource: 'services' }
const SLICES: GroupResource = { group: 'discovery.k8s.io', resource: 'endpointslices' }
const SERVICE_NAME = 'kubernetes.io/service-name'

/**
 * DEVIATION: upstream goes to the cluster IP, and to endpoints with --enable-aggregator-routing. Here a service with
 * endpoints is reached at one of them, and at its cluster IP where it has none.
 */
export function serviceResolver(lister: Lister): ServiceResolver {
  return async (namespace, name, port) => {
    await lister.ready(SERVICES, SLICES)
    const service = lister.get(SERVICES, namespace, name)
    if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
    const spec = objectOf(service['spec'])
    if (spec['type'] === 'ExternalName') return { host: textOf(spec['externalName']), port }
    const wanted = objectsOf(spec['ports']).find((each) => each['port'] === port)
    if (!wanted) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
    const slices = lister
      .list(SLICES, namespace)
      .filter((slice) => slice.metadata.labels?.[SERVICE_NAME] === name)
    const endpoint = pick(slices, textOf(wanted['name']))
    if (endpoint) return endpoint
    const clusterIp = textOf(spec['clusterIP'])
    if (clusterIp === 'None') throw new Error('cannot route to service with ClusterIP "None"')
    return { host: clusterIp, port }
  }
}

/** One of the ready endpoints behind the port of this name, chosen by lot. */
function pick(slices: readonly KubeObject[], portName: string): Address | undefined {
  const addresses: Address[] = []
  for (const slice of slices) {
    const port = objectsOf(slice['ports']).find((each) => textOf(each['name']) === portName)?.['port']
    if (typeof port !== 'number') continue
    for (const { addresses: given, conditions } of objectsOf(slice['endpoints'])) {
      const host = Array.isArray(given) ? given[0] : undefined
      if (objectOf(conditions)['ready'] !== false && typeof host === 'string') addresses.push({ host, port })
    }
  }
  return addresses[Math.floor(Math.random() * addresses.length)]
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const objectsOf = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
