// Requests that go through a pod, a service or a node: where they lead, or why they lead nowhere.
// Connections for subresources.ts. Follows pkg/registry/core/{pod,service,node} (LogLocation, ResourceLocation).
import type { GroupResource } from '../machinery/gvk.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import {
  badRequest,
  cause,
  invalid,
  notFound,
  serviceUnavailable,
  type StatusCause,
} from '../machinery/status.ts'
import { parseAddress } from './addresses.ts'
import { numberAt, objectAt, objectsAt, textAt } from './reading.ts'
import type { ConnectContext, Connection, ConnectRequest, Destination } from './subresource.ts'

const PODS: GroupResource = { group: '', resource: 'pods' }
const NODES: GroupResource = { group: '', resource: 'nodes' }
const SERVICES: GroupResource = { group: '', resource: 'services' }
const ENDPOINTS: GroupResource = { group: '', resource: 'endpoints' }
const STREAMS = ['All', 'Stdout', 'Stderr'] as const
/** Addresses that a proxy must not reach: nobody's, this machine's, this link's. */
const LOCAL = [/^0\./, /^127\./, /^169\.254\./, /^::1?$/, /^fe[89ab]/i, /^2(2[4-9]|3\d)\./, /^ff/i]

function find(
  resource: GroupResource,
  request: ConnectRequest,
  name: string,
  context: ConnectContext,
): KubeObject {
  const namespace = resource === NODES ? '' : request.namespace
  const object = context.lister.get(resource, namespace, name)
  if (!object) throw notFound(resource, name)
  return object
}

/** The container that is meant. Throws badRequest where it is not clear, or not there. */
function containerOf(pod: KubeObject, wanted: string): string {
  const spec = objectAt(pod['spec'])
  const names = (key: string): string[] => objectsAt(spec[key]).map((container) => textAt(container['name']))
  const main = names('containers')
  const all = [...names('initContainers'), ...main, ...names('ephemeralContainers')]
  const name = textAt(pod.metadata.name)
  if (wanted) {
    if (all.includes(wanted)) return wanted
    throw badRequest(`container ${wanted} is not valid for pod ${name}`)
  }
  const [only] = main
  if (main.length === 1 && only !== undefined) return only
  const missing = `a container name must be specified for pod ${name}`
  throw badRequest(main.length ? `${missing}, choose one of: [${all.join(' ')}]` : missing)
}

/** A node that is not there is reported as a pod of its name: so upstream says it. */
function nodeOf(pod: KubeObject, context: ConnectContext): KubeObject | undefined {
  const name = textAt(objectAt(pod['spec'])['nodeName'])
  if (!name) return undefined
  const node = context.lister.get(NODES, '', name)
  if (!node) throw notFound(PODS, name)
  return node
}

const numberOf = (query: URLSearchParams, key: string): number | undefined => {
  const text = query.get(key)
  return text === null ? undefined : Number(text)
}

function logOptionCauses(query: URLSearchParams): StatusCause[] {
  const causes: StatusCause[] = []
  const atLeast = (key: string, least: number, why: string): void => {
    const value = numberOf(query, key)
    if (value !== undefined && value < least) causes.push(cause.invalid(key, value, why))
  }
  atLeast('tailLines', 0, 'must be greater than or equal to 0')
  atLeast('limitBytes', 1, 'must be greater than 0')
  if (query.has('sinceSeconds') && query.has('sinceTime')) {
    causes.push(cause.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  } else atLeast('sinceSeconds', 1, 'must be greater than 0')
  const stream = query.get('stream') ?? 'All'
  if (!STREAMS.some((known) => known === stream)) causes.push(cause.notSupported('stream', stream, STREAMS))
  if (stream !== 'All' && query.has('tailLines')) {
    causes.push(cause.forbidden('', '`tailLines` and specific `stream` are mutually exclusive for now'))
  }
  return causes
}

export const log: Connection = {
  mode: 'connection',
  reads: [PODS, NODES],
  connect(request, context) {
    const causes = logOptionCauses(request.query)
    if (causes.length) throw invalid({ group: '', kind: 'PodLogOptions' }, request.name, causes)
    const pod = find(PODS, request, request.name, context)
    const container = containerOf(pod, request.query.get('container') ?? '')
    const node = nodeOf(pod, context)
    if (!node) return { to: 'empty' }
    return { to: 'node', node, path: `/containerLogs/${request.namespace}/${request.name}/${container}` }
  },
}

const stream = (verb: 'exec' | 'attach' | 'portForward'): Connection => ({
  mode: 'connection',
  reads: [PODS, NODES],
  connect(request, context) {
    const pod = find(PODS, request, request.name, context)
    const container =
      verb === 'portForward' ? '' : `/${containerOf(pod, request.query.get('container') ?? '')}`
    const node = nodeOf(pod, context)
    if (!node) throw badRequest(`pod ${request.name} does not have a host assigned`)
    return { to: 'node', node, path: `/${verb}/${request.namespace}/${request.name}${container}` }
  },
})

export const exec = stream('exec')
export const attach = stream('attach')
export const portforward = stream('portForward')

interface Target {
  readonly scheme: string
  readonly name: string
  readonly port: string
}

/** "name", "name:port" or "scheme:name:port". */
function targetOf(id: string, what: string): Target {
  const parts = id.split(':')
  const [first = '', second = '', third = ''] = parts
  const target =
    parts.length === 3
      ? { scheme: first, name: second, port: third }
      : { scheme: '', name: first, port: second }
  const sound = parts.length <= 3 && target.name && ['', 'http', 'https'].includes(target.scheme)
  if (!sound) throw badRequest(`invalid ${what} request ${JSON.stringify(id)}`)
  return target
}

function addressOf(host: string, target: Target, port: string): Destination {
  const text = host.includes(':') ? `[${host}]` : host
  return { to: 'address', scheme: target.scheme || 'http', host: text, port }
}

export const podProxy: Connection = {
  mode: 'connection',
  reads: [PODS],
  connect(request, context) {
    const target = targetOf(request.name, 'pod')
    const pod = find(PODS, request, target.name, context)
    const containers = objectsAt(objectAt(pod['spec'])['containers'])
    const declared = containers.flatMap((container) => objectsAt(container['ports']))[0]
    const port = target.port || String(numberAt(declared?.['containerPort']) || '')
    const host = textAt(objectsAt(objectAt(pod['status'])['podIPs'])[0]?.['ip'])
    if (!parseAddress(host) || LOCAL.some((pattern) => pattern.test(host)))
      throw badRequest('address not allowed')
    return addressOf(host, target, port)
  },
}

/** The name of the Service's port: endpoints know ports by their names. */
function portName(service: KubeObject, wanted: string): string {
  if (!/^-?[0-9]+$/.test(wanted)) return wanted
  const found = objectsAt(objectAt(service['spec'])['ports']).find((port) => port['port'] === Number(wanted))
  if (found) return textAt(found['name'])
  const name = JSON.stringify(service.metadata.name ?? '')
  throw serviceUnavailable(`no service port ${wanted} found for service ${name}`)
}

export const serviceProxy: Connection = {
  mode: 'connection',
  reads: [SERVICES, ENDPOINTS, PODS],
  connect(request, context) {
    const target = targetOf(request.name, 'service')
    const service = find(SERVICES, request, target.name, context)
    const port = portName(service, target.port)
    const endpoints = context.lister.get(ENDPOINTS, request.namespace, target.name)
    const subsets = objectsAt(endpoints?.['subsets'])
    for (const subset of subsets) {
      const match = objectsAt(subset['ports']).find((candidate) => textAt(candidate['name']) === port)
      const address = objectsAt(subset['addresses']).find((candidate) => isOfPod(candidate, request, context))
      if (match && address) return addressOf(textAt(address['ip']), target, String(numberAt(match['port'])))
    }
    const shown = JSON.stringify(subsets.length ? request.name : target.name)
    throw serviceUnavailable(`no endpoints available for service ${shown}`)
  },
}

/** Only addresses of pods of the namespace are proxied to. */
function isOfPod(address: JsonObject, request: ConnectRequest, context: ConnectContext): boolean {
  const ref = objectAt(address['targetRef'])
  if (textAt(ref['namespace']) !== request.namespace) return false
  const pod = context.lister.get(PODS, request.namespace, textAt(ref['name']))
  return objectsAt(objectAt(pod?.['status'])['podIPs']).some((candidate) => candidate['ip'] === address['ip'])
}

export const nodeProxy: Connection = {
  mode: 'connection',
  reads: [NODES],
  connect(request, context) {
    const target = targetOf(request.name, 'node')
    const node = find(NODES, request, target.name, context)
    return { to: 'node', node, path: '/', ...(target.port === '' ? {} : { port: target.port }) }
  },
}
