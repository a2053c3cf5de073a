// Whether a registered server can be asked: what the condition Available says of its Service, its endpoints and its
// answer to a question about discovery.
// Follows k8s.io/kube-aggregator/pkg/controllers/status (remote, local).
import type { ApiService, ServiceReference } from '../machinery/apiregistration.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { MASTERS_GROUP } from '../machinery/user.ts'
import { ask } from './question.ts'
import { type Address, type ServiceTransport, Unreachable } from './transport.ts'

/** A condition of type Available, less the time since when it holds. */
export interface Verdict {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** Answered by this server itself. */
export const LOCAL: Verdict = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
}
const PASSED: Verdict = { status: 'True', reason: 'Passed', message: 'all checks passed' }

const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })

/** What stands in the way before anybody is asked; undefined: nothing. */
export function obstacle(
  { namespace, name, port }: ServiceReference,
  service: KubeObject | undefined,
  slices: readonly KubeObject[],
): Verdict | undefined {
  const place = `service/${name} in ${JSON.stringify(namespace)}`
  if (!service) return no('ServiceNotFound', `${place} is not present`)
  const spec = objectOf(service['spec'])
  // Only what has an address of the cluster must have endpoints.
  if (spec['type'] !== 'ClusterIP') return undefined
  const served = objectsOf(spec['ports']).find((one) => one['port'] === port)
  if (!served) return no('ServicePortError', `${place} is not listening on port ${port}`)
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${place}`)
  const portName = textOf(served['name'])
  if (slices.some((slice) => isReady(slice, portName))) return undefined
  const message = `endpointslices for ${place} have no addresses with port name ${JSON.stringify(portName)}`
  return no('MissingEndpoints', message)
}

function isReady(slice: KubeObject, portName: string): boolean {
  const someEndpoint = objectsOf(slice['endpoints']).some(
    ({ conditions }) => objectOf(conditions)['ready'] !== false,
  )
  const itsPort = objectsOf(slice['ports']).some(
    ({ name, port }) => typeof name === 'string' && name === portName && typeof port === 'number',
  )
  return someEndpoint && itsPort
}

/** As many as upstream asks: one answer is enough. */
const ATTEMPTS = 5
const TIMEOUT_MS = 5000
const ASKER = { name: 'system:kube-aggregator', groups: [MASTERS_GROUP] }

/**
 * Asks the server for what it must serve.
 *
 * DEVIATION: upstream asks five times at once, whose endpoints are chosen by lot; here the other four are asked only when
 * the first does not answer.
 */
export async function discoveryCheck(api: ApiService, transport: ServiceTransport): Promise<Verdict> {
  const path = api.group === '' ? `/api/${api.version}` : `/apis/${api.group}/${api.version}`
  let fault = await oneCheck(path, transport)
  if (fault === undefined) return PASSED
  const faults = await Promise.all(Array.from({ length: ATTEMPTS - 1 }, () => oneCheck(path, transport)))
  for (const one of faults) {
    if (one === undefined) return PASSED
    fault = one
  }
  return no('FailedDiscoveryCheck', fault)
}

/** What is wrong with its answer; undefined: nothing. */
async function oneCheck(path: string, transport: ServiceTransport): Promise<string | undefined> {
  if (transport.fault !== undefined) return transport.fault
  let address: Address
  try {
    address = await transport.address()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const { host, port } = address
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}${path}`
  const failed = (because: string): string => `failing or missing response from ${url}: ${because}`
  try {
    const { status } = await ask(transport, { path, user: ASKER, timeoutMs: TIMEOUT_MS }, address)
    return status >= 200 && status < 300 ? undefined : failed(`bad status from ${url}: ${status}`)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return failed(`Get ${JSON.stringify(url)}: ${error.message}`)
  }
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const objectsOf = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : []
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
