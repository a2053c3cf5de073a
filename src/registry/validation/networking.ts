// Rules of ingresses, their classes, network policies, and the addresses and ranges of Services.
// Follows pkg/apis/networking/validation.
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../machinery/names.ts'
import {
  pathSegmentErrors,
  portNameErrors,
  wildcardDns1123SubdomainErrors,
} from '../../machinery/validation.ts'
import { addressFaults, addressText, blockFaults, parseAddress, parseBlock } from '../addresses.ts'
import { FIELD_IMMUTABLE } from '../metadata.ts'
import { objectAt, textsAt } from '../reading.ts'
import { onCreate, onUpdate } from './rules.ts'
import { balancerStatus } from './services.ts'
import type { Spot } from './spot.ts'

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)
const isHost = (text: string): readonly string[] =>
  text.includes('*') ? wildcardDns1123SubdomainErrors(text) : isSubdomain(text)

// ---- ingresses

const SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const SUFFIXES = ['/..', '/.']
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'

function reference(ref: Spot): void {
  if (ref.at('apiGroup').isSet) ref.at('apiGroup').matches(isSubdomain)
  ref.at('kind').neededAs(pathSegmentErrors)
  ref.at('name').neededAs(pathSegmentErrors)
}

function backend(spot: Spot): void {
  const [resource, service] = [spot.at('resource'), spot.at('service')]
  if (resource.isSet && service.isSet)
    return spot.invalid('cannot set both resource and service backends', '')
  if (resource.isSet) return reference(resource)
  if (!service.isSet) return spot.invalid('resource or service backend is required', '')
  service.at('name').neededAs((text) => nameIsDnsLabel(text, false))
  const [name, number] = [service.at('port').at('name'), service.at('port').at('number')]
  if (name.text && number.number) spot.invalid('cannot set both port name & port number', '')
  else if (name.text) name.matches(portNameErrors)
  else if (number.number) number.isPortNumber()
  else spot.required('port name or number is required')
}

function path(spot: Spot): void {
  const [type, value] = [spot.at('pathType'), spot.at('path')]
  if (!type.isSet) return type.required('pathType must be specified')
  if (type.text === 'Exact' || type.text === 'Prefix') {
    if (!value.text.startsWith('/')) value.invalid('must be an absolute path', value.text)
    for (const part of SEQUENCES) if (value.text.includes(part)) value.invalid(`must not contain '${part}'`)
    for (const end of SUFFIXES) if (value.text.endsWith(end)) value.invalid(`cannot end with '${end}'`)
  } else if (type.text === 'ImplementationSpecific') {
    if (value.text && !value.text.startsWith('/')) value.invalid('must be an absolute path')
  } else type.notSupported(['Exact', 'ImplementationSpecific', 'Prefix'])
  backend(spot.at('backend'))
}

function ingress(object: Spot): void {
  const spec = object.at('spec')
  if (spec.at('rules').isEmpty && !spec.at('defaultBackend').isSet) {
    spec.invalid('either `defaultBackend` or `rules` must be specified', spec.at('rules').shown)
  }
  if (spec.at('defaultBackend').isSet) backend(spec.at('defaultBackend'))
  for (const rule of spec.itemsOf('rules')) {
    const host = rule.at('host')
    if (host.text && parseAddress(host.text)) host.invalid('must be a DNS name, not an IP address')
    host.ifSet(isHost)
    const http = rule.at('http')
    if (http.isSet) http.at('paths').needed()
    for (const item of http.itemsOf('paths')) path(item)
  }
  for (const tls of spec.itemsOf('tls')) {
    for (const host of tls.itemsOf('hosts')) host.matches(isHost)
    tls.at('secretName').ifSet(isSubdomain)
  }
  const name = spec.at('ingressClassName')
  if (name.isSet) name.matches(isSubdomain)
}

export const validateIngress = onCreate((object) => {
  ingress(object)
  const given = object.at('metadata').at('annotations').at(CLASS_ANNOTATION)
  const name = object.at('spec').at('ingressClassName')
  if (given.isSet && name.isSet && given.text !== name.text) {
    const spot = object.at('annotations').at(CLASS_ANNOTATION)
    spot.invalid('must match `ingressClassName` when both are specified', given.text)
  }
})

export const validateIngressUpdate = onUpdate(ingress, (object, old) => {
  balancerStatus(
    object.at('status').at('loadBalancer'),
    objectAt(objectAt(old['status'])['loadBalancer']),
    false,
  )
})

// ---- ingress classes

const DOMAIN_PATH = 'must be a domain-prefixed path (such as "acme.io/foo")'
const MAX_CONTROLLER = 250

/** "acme.io/foo" */
export function isDomainPath(spot: Spot): void {
  if (!spot.needed()) return
  const slash = spot.text.indexOf('/')
  if (slash < 0 || slash === spot.text.length - 1) return spot.invalid(DOMAIN_PATH)
  const [domain, rest] = [spot.text.slice(0, slash), spot.text.slice(slash + 1)]
  for (const fault of isSubdomain(domain)) spot.invalid(fault, domain)
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest)) {
    spot.invalid("Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')", rest)
  }
}

function ingressClass(object: Spot): void {
  const controller = object.at('spec').at('controller')
  if (controller.text.length > MAX_CONTROLLER) controller.tooLong(MAX_CONTROLLER)
  isDomainPath(controller)
  const parameters = object.at('spec').at('parameters')
  if (!parameters.isSet) return
  reference(parameters)
  const [scope, namespace] = [parameters.at('scope'), parameters.at('namespace')]
  if (!scope.isSet) scope.required()
  else if (scope.oneOf(['Cluster', 'Namespace'])) {
    if (scope.text === 'Cluster') namespace.absent("`parameters.scope` is set to 'Cluster'")
    else if (namespace.isSet) namespace.matches((text) => nameIsDnsLabel(text, false))
    else namespace.required("`parameters.scope` is set to 'Namespace'")
  }
}

export const validateIngressClass = onCreate(ingressClass)
export const validateIngressClassUpdate = onUpdate((object, old) => {
  const controller = object.at('spec').at('controller')
  controller.with(controller.text).unchanged(objectAt(old['spec'])['controller'])
})

// ---- network policies

function policyPort(spot: Spot): void {
  const [port, end] = [spot.at('port'), spot.at('endPort')]
  spot.at('protocol').oneOfIfSet(['TCP', 'UDP', 'SCTP'])
  if (!port.isSet) {
    if (end.isSet) end.invalid('may not be specified when `port` is not specified')
  } else if (typeof port.value === 'string') {
    if (end.isSet) end.invalid('may not be specified when `port` is non-numeric')
    port.matches(portNameErrors)
  } else {
    port.isPortNumber()
    if (!end.isSet) return
    if (end.number < port.number) end.invalid('must be greater than or equal to `port`', port.exact)
    end.isPortNumber()
  }
}

function ipBlock(spot: Spot): void {
  const cidr = spot.at('cidr')
  if (!cidr.needed()) return
  cidr.matches(blockFaults)
  const block = parseBlock(cidr.text)
  if (!block) return
  for (const except of spot.itemsOf('except')) {
    except.matches(blockFaults)
    const hole = parseBlock(except.text)
    if (!hole) continue
    const inside = hole.family === block.family && block.first <= hole.first && hole.last <= block.last
    if (!inside || hole.prefix <= block.prefix) except.invalid('must be a strict subset of `cidr`')
  }
}

function peer(spot: Spot): void {
  const given = ['podSelector', 'namespaceSelector', 'ipBlock'].filter((name) => spot.at(name).isSet)
  spot.at('podSelector').isSelector()
  spot.at('namespaceSelector').isSelector()
  if (spot.at('ipBlock').isSet) ipBlock(spot.at('ipBlock'))
  if (!given.length) spot.required('must specify a peer')
  else if (given.length > 1 && spot.at('ipBlock').isSet) {
    spot.forbidden('may not specify both ipBlock and another peer')
  }
}

function networkPolicy(object: Spot): void {
  const spec = object.at('spec')
  spec.at('podSelector').isSelector()
  for (const [list, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const rule of spec.itemsOf(list)) {
      for (const port of rule.itemsOf('ports')) policyPort(port)
      for (const item of rule.itemsOf(peers)) peer(item)
    }
  }
  const types = spec.at('policyTypes')
  if (types.items().length > 2) types.invalid('may not specify more than two policyTypes')
  else for (const type of types.items()) type.oneOf(['Ingress', 'Egress'])
}

export const validateNetworkPolicy = onCreate(networkPolicy)
export const validateNetworkPolicyUpdate = onUpdate(networkPolicy)

// ---- addresses and ranges

/** An IPAddress is named by the address, in its canonical form. */
export function nameIsAddress(name: string): string[] {
  const faults = addressFaults(name)
  const address = parseAddress(name)
  if (faults.length || !address || addressText(address) === name) return faults
  return [`must be in canonical form (${JSON.stringify(addressText(address))})`]
}

function parentReference(object: Spot): void {
  const ref = object.at('spec').at('parentRef')
  if (!ref.isSet) return ref.required()
  ref.at('group').ifSet(isSubdomain)
  ref.at('resource').neededAs(pathSegmentErrors)
  ref.at('name').neededAs(pathSegmentErrors)
  ref.at('namespace').ifSet(pathSegmentErrors)
}

export const validateIPAddress = onCreate(parentReference)
export const validateIPAddressUpdate = onUpdate((object, old) => {
  const ref = object.at('spec').at('parentRef')
  const [Group, Resource, Namespace, Name] = ['group', 'resource', 'namespace', 'name'].map(
    (key) => ref.at(key).text,
  )
  const shown = ref.isSet ? { Group, Resource, Namespace, Name } : null
  ref.unchanged(objectAt(old['spec'])['parentRef'], shown)
})

function ranges(spec: Spot): void {
  const list = spec.at('cidrs')
  if (!list.needed('at least one CIDR required')) return
  if (list.items().length > 2) return list.invalid('may only hold up to 2 values', { CIDRs: list.value })
  for (const block of list.items()) block.matches(blockFaults)
  const families = new Set(list.items().map((block) => parseBlock(block.text)?.family))
  if (list.items().length === 2 && families.size < 2 && !families.has(undefined)) {
    list.invalid('may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64')
  }
}

export const validateServiceRange = onCreate((object) => ranges(object.at('spec')))
export const validateServiceRangeUpdate = onUpdate((object, old) => {
  const list = object.at('spec').at('cidrs')
  const before = textsAt(objectAt(old['spec'])['cidrs'])
  const now = list.items()
  if (now.length === before.length) {
    now.forEach((block, i) => void block.unchanged(before[i]))
  } else if (before.length === 1 && now.length === 2) {
    now[0]?.unchanged(before[0])
    ranges(object.at('spec'))
  } else list.invalid(FIELD_IMMUTABLE)
})
