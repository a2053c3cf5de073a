// Rows of the core group but for pods.
// Follows kubernetes/pkg/printers/internalversion/printers.go.
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import {
  age,
  conditionOf,
  containerCells,
  count,
  cutShort,
  deleting,
  labelsText,
  NAME_AND_AGE,
  NAME_AND_CREATED,
  nameOf,
  part,
  parts,
  type Printer,
  type Printers,
  quantity,
  since,
  size,
  text,
  texts,
} from './cells.ts'
import { pods } from './pods.ts'

/** Endpoints shown before "+ n more...". */
const MAX_ENDPOINTS = 3
const ROLE_PREFIX = 'node-role.kubernetes.io/'
const ROLE_LABEL = 'kubernetes.io/role'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

function componentStatus(object: KubeObject): Json[] {
  const condition = parts(object, 'conditions').find((c) => c.type === 'Healthy')
  if (condition === undefined) return [nameOf(object), 'Unknown', '', '']
  const status = condition.status === 'True' ? 'Healthy' : 'Unhealthy'
  return [nameOf(object), status, text(condition, 'message'), text(condition, 'error')]
}

/** "[::1]:80" or "1.2.3.4:80" */
const hostPort = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`

function endpointsText(object: KubeObject): string {
  const subsets = parts(object, 'subsets')
  if (subsets.length === 0) return '<none>'
  const list = subsets.flatMap((subset) => {
    const ips = parts(subset, 'addresses').map((address) => text(address, 'ip'))
    const ports = parts(subset, 'ports')
    if (ports.length === 0) return ips
    return ports.flatMap((port) => ips.map((ip) => hostPort(ip, count(port, 'port'))))
  })
  return cutShort(list, MAX_ENDPOINTS)
}

const zero = (time: unknown): boolean => typeof time !== 'string'

function eventCells(object: KubeObject, now: number): Json[] {
  const { firstTimestamp, lastTimestamp, eventTime } = object
  const about = part(object, 'involvedObject')
  const first = since(zero(firstTimestamp) ? eventTime : firstTimestamp, now)
  const series = part(object, 'series')
  const repeated = object.series !== undefined && object.series !== null
  const last = zero(lastTimestamp) ? first : since(lastTimestamp, now)
  const name = text(about, 'name')
  const kind = text(about, 'kind').toLowerCase()
  const source = part(object, 'source')
  const component = text(source, 'component', text(object, 'reportingComponent'))
  const instance = text(source, 'host', text(object, 'reportingInstance'))
  return [
    repeated ? since(series.lastObservedTime, now) : last,
    text(object, 'type'),
    text(object, 'reason'),
    name === '' ? kind : `${kind}/${name}`,
    text(about, 'fieldPath'),
    instance === '' ? component : `${component}, ${instance}`,
    text(object, 'message').trim(),
    first,
    repeated ? count(series, 'count') : count(object, 'count') || 1,
    nameOf(object),
  ]
}

/** Events of both groups; the rows are made from the core form. */
export const events: Printer = { reads: 'v1', cells: eventCells }

function nodeRoles(node: KubeObject): string {
  const labels = node.metadata.labels ?? {}
  const roles = new Set<string>()
  for (const key of Object.keys(labels)) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
      roles.add(key.slice(ROLE_PREFIX.length))
    else if (key === ROLE_LABEL && labels[key]) roles.add(labels[key])
  }
  return [...roles].sort().join(',') || '<none>'
}

function nodeCells(node: KubeObject, now: number): Json[] {
  const status = part(node, 'status')
  const ready = conditionOf(status, 'Ready')
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  const cordoned = part(node, 'spec').unschedulable === true ? ',SchedulingDisabled' : ''
  const info = part(status, 'nodeInfo')
  const address = (type: string): string => {
    const found = parts(status, 'addresses').find((a) => a.type === type)
    return found === undefined ? '<none>' : text(found, 'address')
  }
  const architecture = text(info, 'architecture')
  return [
    nameOf(node),
    state + cordoned,
    nodeRoles(node),
    age(node, now),
    text(info, 'kubeletVersion'),
    address('InternalIP'),
    address('ExternalIP'),
    text(info, 'osImage', '<unknown>'),
    text(info, 'kernelVersion', '<unknown>') + (architecture === '' ? '' : ` (${architecture})`),
    text(info, 'containerRuntimeVersion', '<unknown>'),
  ]
}

const ACCESS_MODES: readonly (readonly [mode: string, short: string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]

function accessModes(object: JsonObject): string {
  const modes = texts(object, 'accessModes')
  return ACCESS_MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

function storageClass(object: KubeObject): string {
  return object.metadata.annotations?.[CLASS_ANNOTATION] ?? text(part(object, 'spec'), 'storageClassName')
}

const unsetText = (object: JsonObject, key: string): string => {
  const value = object[key]
  return typeof value === 'string' ? value : '<unset>'
}

const volumePhase = (object: KubeObject): string =>
  deleting(object) ? 'Terminating' : text(part(object, 'status'), 'phase')

function volumeCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const claim = part(spec, 'claimRef')
  const claimed = spec.claimRef !== undefined && spec.claimRef !== null
  return [
    nameOf(object),
    quantity(part(spec, 'capacity'), 'storage'),
    accessModes(spec),
    text(spec, 'persistentVolumeReclaimPolicy'),
    volumePhase(object),
    claimed ? `${text(claim, 'namespace')}/${text(claim, 'name')}` : '',
    storageClass(object),
    unsetText(spec, 'volumeAttributesClassName'),
    text(part(object, 'status'), 'reason'),
    age(object, now),
    unsetText(spec, 'volumeMode'),
  ]
}

function claimCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const status = part(object, 'status')
  const bound = text(spec, 'volumeName')
  return [
    nameOf(object),
    volumePhase(object),
    bound,
    bound === '' ? '' : quantity(part(status, 'capacity'), 'storage'),
    bound === '' ? '' : accessModes(status),
    storageClass(object),
    unsetText(spec, 'volumeAttributesClassName'),
    age(object, now),
    unsetText(spec, 'volumeMode'),
  ]
}

function replicationControllerCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const status = part(object, 'status')
  return [
    nameOf(object),
    count(spec, 'replicas'),
    count(status, 'replicas'),
    count(status, 'readyReplicas'),
    age(object, now),
    ...containerCells(part(spec, 'template')),
    labelsText(part(spec, 'selector')),
  ]
}

function quotaCells(object: KubeObject, now: number): Json[] {
  const status = part(object, 'status')
  const used = part(status, 'used')
  const hard = part(status, 'hard')
  const names = Object.keys(hard).sort()
  const line = (limits: boolean): string =>
    names
      .filter((name) => name.startsWith('limits.') === limits)
      .map((name) => `${name}: ${quantity(used, name)}/${quantity(hard, name)}`)
      .join(', ')
  return [nameOf(object), line(false), line(true), age(object, now)]
}

function loadBalancerAddresses(service: KubeObject): string[] {
  const ingress = parts(part(part(service, 'status'), 'loadBalancer'), 'ingress')
  const addresses = ingress.map((i) => text(i, 'ip', text(i, 'hostname'))).filter((a) => a !== '')
  return [...new Set(addresses)].sort()
}

function externalIp(service: KubeObject): string {
  const spec = part(service, 'spec')
  const external = texts(spec, 'externalIPs')
  switch (text(spec, 'type')) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || '<none>'
    case 'LoadBalancer':
      return [...loadBalancerAddresses(service), ...external].join(',') || '<pending>'
    case 'ExternalName':
      return text(spec, 'externalName')
    default:
      return '<unknown>'
  }
}

function portText(port: JsonObject): string {
  const node = count(port, 'nodePort')
  return `${count(port, 'port')}${node > 0 ? `:${node}` : ''}/${text(port, 'protocol')}`
}

function serviceCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  return [
    nameOf(object),
    text(spec, 'type'),
    texts(spec, 'clusterIPs')[0] ?? text(spec, 'clusterIP', '<none>'),
    externalIp(object),
    parts(spec, 'ports').map(portText).join(',') || '<none>',
    age(object, now),
    labelsText(part(spec, 'selector')),
  ]
}

export const core: Printers = {
  componentstatuses: { cells: componentStatus },
  configmaps: {
    cells: (o, now) => [nameOf(o), size(o, 'data') + size(o, 'binaryData'), age(o, now)],
  },
  endpoints: { cells: (o, now) => [nameOf(o), endpointsText(o), age(o, now)] },
  events,
  limitranges: NAME_AND_CREATED,
  namespaces: { cells: (o, now) => [nameOf(o), text(part(o, 'status'), 'phase'), age(o, now)] },
  nodes: { cells: nodeCells },
  persistentvolumeclaims: { cells: claimCells },
  persistentvolumes: { cells: volumeCells },
  pods,
  podtemplates: {
    cells: (o) => {
      const template = part(o, 'template')
      return [nameOf(o), ...containerCells(template), labelsText(part(part(template, 'metadata'), 'labels'))]
    },
  },
  replicationcontrollers: { cells: replicationControllerCells },
  resourcequotas: { cells: quotaCells },
  secrets: { cells: (o, now) => [nameOf(o), text(o, 'type'), size(o, 'data'), age(o, now)] },
  serviceaccounts: NAME_AND_AGE,
  services: { cells: serviceCells },
}
