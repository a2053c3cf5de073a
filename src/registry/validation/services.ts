// Rules of Services.
// Follows pkg/apis/core/validation (ValidateServiceCreate, ValidateServiceUpdate).
import type { JsonObject } from '../../machinery/json.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { dns1123LabelErrors, qualifiedNameErrors } from '../../machinery/validation.ts'
import { addressFaults, blockFaults } from '../addresses.ts'
import { objectAt, objectsAt, textsAt } from '../reading.ts'
import { clusterIPCauses, isExternalName, isHeadless } from '../serviceips.ts'
import { hasNodePorts, needsHealthPort } from '../serviceports.ts'
import type { WriteContext } from '../strategy.ts'
import { isEndpointAddress } from './endpoints.ts'
import { Spot } from './spot.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
const BALANCED_ONLY = "may only be used when `type` is 'LoadBalancer'"
const FIXED = 'may not change once set'
/** Longest session affinity: one day. */
const MAX_AFFINITY_SECONDS = 86_400

function typeRules(spec: Spot): void {
  const type = spec.at('type').text
  const first = spec.itemsOf('clusterIPs')[0]
  if (spec.at('ports').isEmpty && !isHeadless(spec.object) && type !== 'ExternalName')
    spec.at('ports').required()
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec.object)) {
    first?.invalid(`may not be set to 'None' for ${type} services`)
  }
  if (type !== 'ExternalName') return
  for (const name of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
    if (!spec.at(name).isEmpty) spec.at(name).forbidden('may not be set for ExternalName services')
  }
  const external = spec.at('externalName')
  external.with(external.text.replace(/\.$/, '')).neededAs((text) => nameIsDnsSubdomain(text, false))
}

function ports(list: Spot): void {
  const names = new Set<string>()
  const several = list.items().length > 1
  for (const port of list.items()) {
    const name = port.at('name')
    if (name.isEmpty ? several && !name.needed() : true) {
      if (!name.isEmpty) {
        name.matches(dns1123LabelErrors)
        if (names.has(name.text)) name.duplicate()
        names.add(name.text)
      }
    }
    port.at('port').isPortNumber()
    port.at('protocol').neededOneOf(PROTOCOLS)
    port.at('targetPort').isPort()
    if (port.at('appProtocol').isSet) port.at('appProtocol').isQualifiedName()
  }
}

function samePorts(list: Spot, type: string): void {
  if (type === 'ClusterIP') {
    for (const port of list.items()) {
      if (port.at('nodePort').number)
        port.at('nodePort').forbidden("may not be used when `type` is 'ClusterIP'")
    }
  }
  const [nodePorts, numbers] = [new Set<string>(), new Set<string>()]
  for (const port of list.items()) {
    const key = `${port.at('protocol').text}/${port.at('nodePort').number}`
    if (port.at('nodePort').number && nodePorts.has(key)) port.at('nodePort').duplicate()
    nodePorts.add(key)
  }
  for (const port of list.items()) {
    const [protocol, number] = [port.at('protocol').text, port.at('port').number]
    const key = `${protocol}/${number}`
    if (numbers.has(key)) {
      port.duplicate({
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: number,
        TargetPort: 0,
        NodePort: 0,
      })
    }
    numbers.add(key)
  }
}

function affinity(spec: Spot): void {
  const [kind, config] = [spec.at('sessionAffinity'), spec.at('sessionAffinityConfig')]
  kind.neededOneOf(['ClientIP', 'None'])
  if (kind.text === 'None') config.absent('must not be set when session affinity is None')
  if (kind.text !== 'ClientIP') return
  const why = 'when session affinity type is ClientIP'
  if (!config.isSet) return config.required(why)
  const seconds = config.at('clientIP').at('timeoutSeconds')
  if (!config.at('clientIP').isSet) config.at('clientIP').required(why)
  else if (!seconds.isSet) seconds.required(why)
  else if (seconds.number <= 0 || seconds.number > MAX_AFFINITY_SECONDS) {
    seconds.invalid(`must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`)
  }
}

function externalAddresses(spec: Spot, old: JsonObject | undefined): void {
  const known = old ? textsAt(old['externalIPs']) : []
  for (const address of spec.itemsOf('externalIPs')) {
    if (known.includes(address.text) || address.matches(addressFaults)) isEndpointAddress(address)
  }
}

function sourceRanges(spec: Spot, old: JsonObject | undefined): void {
  const ranges = spec.at('loadBalancerSourceRanges').named('LoadBalancerSourceRanges')
  if (ranges.isEmpty) return
  if (spec.at('type').text !== 'LoadBalancer') ranges.forbidden(BALANCED_ONLY)
  const known = (old ? textsAt(old['loadBalancerSourceRanges']) : []).map((range) => range.trim())
  for (const range of ranges.items()) {
    const text = range.text.trim()
    if (!known.includes(text)) range.with(text).matches(blockFaults)
  }
}

function balancer(spec: Spot): void {
  const balanced = spec.at('type').text === 'LoadBalancer'
  const [gives, kind] = [spec.at('allocateLoadBalancerNodePorts'), spec.at('loadBalancerClass')]
  if (!balanced) gives.absent(BALANCED_ONLY)
  if (balanced) kind.ifSet(qualifiedNameErrors)
  else kind.absent(BALANCED_ONLY)
}

function traffic(spec: Spot): void {
  const [external, internal, health] = [
    'externalTrafficPolicy',
    'internalTrafficPolicy',
    'healthCheckNodePort',
  ].map((name) => spec.at(name)) as [Spot, Spot, Spot]
  const accessible =
    hasNodePorts(spec.object) || (spec.at('type').text === 'ClusterIP' && !spec.at('externalIPs').isEmpty)
  if (accessible) external.neededOneOf(['Cluster', 'Local'])
  else if (external.text) external.invalid('may only be set for externally-accessible services')
  if (!needsHealthPort(spec.object)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    if (health.number) health.invalid(why)
  } else if (!health.number) health.required()
  else health.isPortNumber()
  if (!internal.isSet && !isExternalName(spec.object) && TYPES.includes(spec.at('type').text))
    internal.required()
  internal.oneOfIfSet(['Cluster', 'Local'])
  spec.at('trafficDistribution').oneOfIfSet(DISTRIBUTIONS)
}

function rules(service: Spot, old: JsonObject | undefined): void {
  const spec = service.at('spec')
  typeRules(spec)
  ports(spec.at('ports'))
  spec.at('selector').isLabels()
  affinity(spec)
  service.causes.push(...clusterIPCauses(spec.object, old))
  externalAddresses(spec, old)
  spec.at('type').neededOneOf(TYPES)
  samePorts(spec.at('ports'), spec.at('type').text)
  sourceRanges(spec, old)
  balancer(spec)
  traffic(spec)
}

export function validateService(service: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  rules(Spot.of(service, causes), undefined)
  return causes
}

/** The first address and family stay; the second may come and go with the policy. */
function listChange(spec: Spot, old: JsonObject, name: string, what: string): void {
  const list = spec.at(name)
  const [now, before] = [textsAt(list.value as string[]), textsAt(old[name] as string[])]
  const first = list.with([null]).items()[0]?.with(list.value)
  const policy = spec.at('ipFamilyPolicy')
  if (now.length === before.length) {
    before.forEach((text, i) => {
      const place =
        name === 'clusterIPs'
          ? list
              .with(now.map(() => null))
              .items()
              [i]?.with(list.value)
          : first
      if (text !== now[i]) place?.invalid(FIXED, list.value ?? null)
    })
    return
  }
  if (!now.length && before.length) {
    list
      .with([null])
      .items()[0]
      ?.with(null)
      .invalid(`primary ${what} can not be unset`, list.value ?? null)
  } else if (before.length && now[0] !== before[0]) first?.invalid(FIXED, list.value ?? null)
  if (before.length > now.length && now.length === 1 && policy.text !== 'SingleStack') {
    const released = name === 'clusterIPs' ? 'clusterIP' : 'ipFamily'
    policy.invalid(`must be set to 'SingleStack' when releasing the secondary ${released}`)
  }
}

function changes(spec: Spot, old: JsonObject): void {
  const external = isExternalName(spec.object) || isExternalName(old)
  const [headless, was] = [isHeadless(spec.object), isHeadless(old)]
  if (!external && !(headless && was)) listChange(spec, old, 'clusterIPs', 'clusterIP')
  if (!external && !headless && !was) listChange(spec, old, 'ipFamilies', 'ipFamily')
  const balanced = spec.at('type').text === 'LoadBalancer'
  const kind = spec.at('loadBalancerClass')
  if (balanced && old['type'] === 'LoadBalancer' && kind.value !== old['loadBalancerClass'])
    kind.invalid(FIXED)
  balancerClass(spec)
  const health = spec.at('healthCheckNodePort')
  if (needsHealthPort(old) && needsHealthPort(spec.object) && health.value !== old['healthCheckNodePort']) {
    health.forbidden('field is immutable')
  }
}

function balancerClass(spec: Spot): void {
  if (spec.at('type').text === 'LoadBalancer') spec.at('loadBalancerClass').ifSet(qualifiedNameErrors)
  else spec.at('loadBalancerClass').absent(BALANCED_ONLY)
}

/** Addresses of a load balancer, in the status of Services and Ingresses; those of Services say how they are reached. */
export function balancerStatus(balancer: Spot, old: JsonObject, modes: boolean): void {
  const known = objectsAt(old['ingress']).map((entry) => entry['ip'])
  for (const entry of balancer.itemsOf('ingress')) {
    const [ip, mode] = [entry.at('ip'), entry.at('ipMode')]
    if (ip.text && !known.includes(ip.text)) ip.matches(addressFaults)
    if (!mode.isSet) {
      if (ip.text && modes) mode.required('must be specified when `ip` is set')
    } else if (!ip.text) mode.forbidden('may not be specified when `ip` is not set')
    else mode.oneOf(['Proxy', 'VIP'])
    const hostname = entry.at('hostname')
    hostname.ifSet((text) => nameIsDnsSubdomain(text, false))
  }
}

export function validateServiceUpdate(
  service: KubeObject,
  old: KubeObject,
  context: WriteContext,
): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(service, causes)
  const before = objectAt(old['spec'])
  if (context.subresource === 'status') {
    const balancer = spot.at('status').at('loadBalancer')
    const balanced = spot.at('spec').at('type').text === 'LoadBalancer'
    if (!balanced && !balancer.at('ingress').isEmpty) {
      balancer.at('ingress').forbidden("may only be used when `spec.type` is 'LoadBalancer'")
    } else balancerStatus(balancer, objectAt(objectAt(old['status'])['loadBalancer']), true)
    return causes
  }
  changes(spot.at('spec'), before)
  rules(spot, before)
  return causes
}
