// Rows of networking.k8s.io and discovery.k8s.io.
// Follows kubernetes/pkg/printers/internalversion/printers.go.
import type { Json, JsonObject } from '../../machinery/json.ts'
import { qualifiedResource } from '../../machinery/gvk.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { age, cutShort, nameOf, part, parts, type Printers, selectorText, text, texts } from './cells.ts'

/** Hosts, ports and endpoints shown before "+ n more...". */
const MAX_ITEMS = 3
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class'

/** Only the hosts of the first three rules are shown, and the rules are what is counted. */
function hostsText(rules: readonly JsonObject[]): string {
  const hosts: string[] = []
  let more = false
  for (const rule of rules) {
    if (hosts.length === MAX_ITEMS) more = true
    const host = text(rule, 'host')
    if (!more && host !== '') hosts.push(host)
  }
  if (hosts.length === 0) return '*'
  return hosts.join(',') + (more ? ` + ${rules.length - MAX_ITEMS} more...` : '')
}

function ingressAddress(object: KubeObject): string {
  const ingress = parts(part(part(object, 'status'), 'loadBalancer'), 'ingress')
  const addresses = ingress.map((i) => text(i, 'ip', text(i, 'hostname'))).filter((a) => a !== '')
  return [...new Set(addresses)].sort().join(',')
}

function ingressCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  return [
    nameOf(object),
    typeof spec.ingressClassName === 'string' ? spec.ingressClassName : '<none>',
    hostsText(parts(spec, 'rules')),
    ingressAddress(object),
    parts(spec, 'tls').length > 0 ? '80, 443' : '80',
    age(object, now),
  ]
}

function parametersText(spec: JsonObject): string {
  const parameters = part(spec, 'parameters')
  if (parameters === undefined || spec.parameters === undefined || spec.parameters === null) return '<none>'
  const group = typeof parameters.apiGroup === 'string' ? `.${parameters.apiGroup}` : ''
  return `${text(parameters, 'kind')}${group}/${text(parameters, 'name')}`
}

function ingressClassCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const mark = object.metadata.annotations?.[DEFAULT_CLASS] === 'true' ? ' (default)' : ''
  return [nameOf(object) + mark, text(spec, 'controller'), parametersText(spec), age(object, now)]
}

function parentText(object: KubeObject): string {
  const spec = part(object, 'spec')
  if (spec.parentRef === undefined || spec.parentRef === null) return '<none>'
  const parent = part(spec, 'parentRef')
  const resource = qualifiedResource({ group: text(parent, 'group'), resource: text(parent, 'resource') })
  const namespace = text(parent, 'namespace')
  return `${resource.toLowerCase()}${namespace === '' ? '' : `/${namespace}`}/${text(parent, 'name')}`
}

export const networking: Printers = {
  ingressclasses: { cells: ingressClassCells },
  ingresses: { cells: ingressCells },
  // One cell more than there are columns, as upstream has it.
  ipaddresses: { cells: (o, now) => [nameOf(o), parentText(o), age(o, now)] },
  networkpolicies: {
    cells: (o, now) => {
      // An absent selector is an empty one here.
      const spec = { podSelector: part(part(o, 'spec'), 'podSelector') }
      return [nameOf(o), selectorText(spec, 'podSelector'), age(o, now)]
    },
  },
  servicecidrs: { cells: (o, now) => [nameOf(o), texts(part(o, 'spec'), 'cidrs').join(','), age(o, now)] },
}

const listed = (items: readonly string[]): string => cutShort(items, MAX_ITEMS) || '<unset>'

function slicePort(port: JsonObject): string {
  if (typeof port.port === 'number') return String(port.port)
  return typeof port.name === 'string' ? port.name : '*'
}

export const discovery: Printers = {
  endpointslices: {
    cells: (object, now) => [
      nameOf(object),
      text(object, 'addressType'),
      listed(parts(object, 'ports').map(slicePort)),
      listed(parts(object, 'endpoints').flatMap((endpoint) => texts(endpoint, 'addresses'))),
      age(object, now),
    ],
  },
}
