// Rules of a pod's status: what kubelets and schedulers may report.
// Follows pkg/apis/core/validation (ValidatePodStatusUpdate).
import type { JsonObject } from '../../machinery/json.ts'
import { nameIsDnsSubdomain } from '../../machinery/names.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { dns1123LabelErrors, userOrGroupIdErrors } from '../../machinery/validation.ts'
import { addressFaults, parseAddress } from '../addresses.ts'
import { numberAt, objectAt, objectsAt, present, textAt } from '../reading.ts'
import type { Spot } from './spot.ts'

/** Conditions whose type is the kubelet's own. */
const OWN_CONDITIONS: readonly string[] = ['PodScheduled', 'Ready', 'Initialized']
const NOT_NEGATIVE_INTEGER = 'must be a non-negative integer'
const HEALTH = ['Healthy', 'Unhealthy', 'Unknown']
/** v1.ResourceHealthMessageMaxLength. */
const MAX_HEALTH_MESSAGE = 1024

const isSubdomain = (text: string): string[] => nameIsDnsSubdomain(text, false)

function conditions(list: Spot): void {
  for (const condition of list.items()) {
    condition.at('observedGeneration').atLeast(0, NOT_NEGATIVE_INTEGER)
    const type = condition.at('type')
    if (!OWN_CONDITIONS.includes(type.text)) type.named('Type').isQualifiedName()
  }
}

function nominatedNode(name: Spot, old: KubeObject): void {
  if (!name.text || name.text === textAt(objectAt(old['status'])['nominatedNodeName'])) return
  name.matches(isSubdomain)
  if (textAt(objectAt(old['spec'])['nodeName'])) {
    name.forbidden('may not be set on pods that are already bound to a node')
  }
}

/** Whether a container that ended with `exitCode` starts again. */
function restarts(container: JsonObject | undefined, spec: JsonObject, exitCode: number): boolean {
  if (!container) return false
  for (const rule of objectsAt(container['restartPolicyRules'])) {
    const codes = objectAt(rule['exitCodes'])
    const values = Array.isArray(codes['values']) ? codes['values'] : []
    const listed = values.includes(exitCode)
    if (rule['action'] === 'Restart' && (codes['operator'] === 'In' ? listed : !listed)) return true
  }
  const policy = textAt(container['restartPolicy']) || textAt(spec['restartPolicy'])
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

const mayAllRestart = (spec: JsonObject): boolean =>
  ['containers', 'initContainers'].some((list) =>
    objectsAt(spec[list]).some((container) =>
      objectsAt(container['restartPolicyRules']).some((rule) => rule['action'] === 'RestartAllContainers'),
    ),
  )

/** What has ended stays so, unless it may start again. */
function endedStays(
  list: Spot,
  before: readonly JsonObject[],
  containers: readonly JsonObject[],
  spec: JsonObject,
): void {
  before.forEach((old, i) => {
    const ended = objectAt(old['state'])['terminated']
    if (!present(ended)) return
    const now = list.items().find((status) => status.at('name').text === textAt(old['name']))
    if (!now || now.at('state').at('terminated').isSet) return
    const container = containers.find((one) => one['name'] === old['name'])
    if (restarts(container, spec, numberAt(objectAt(ended)['exitCode']))) return
    const state = list.items()[i]?.at('state') ?? list.key(String(i)).at('state')
    state.forbidden('may not be transitioned to non-terminated state')
  })
}

function resourceClaims(list: Spot, claims: Spot): void {
  const known = new Set(claims.items().map((claim) => claim.at('name').text))
  const seen = new Set<string>()
  for (const status of list.items()) {
    const name = status.at('name')
    if (!known.has(name.text))
      name.invalid('must match the name of an entry in `spec.resourceClaims`', name.text)
    if (seen.has(name.text)) name.duplicate(name.text)
    seen.add(name.text)
    if (status.at('resourceClaimName').isSet) status.at('resourceClaimName').matches(isSubdomain)
  }
}

function extendedClaim(status: Spot, spec: Spot): void {
  if (!status.isSet) return
  const mappings = status.at('requestMappings')
  mappings.needed('at least one request mapping is required')
  const containers = ['initContainers', 'containers'].flatMap((list) => spec.itemsOf(list))
  const seen = new Set<string>()
  for (const mapping of mappings.items()) {
    const fields = ['containerName', 'resourceName', 'requestName'].map((name) => mapping.at(name)) as [
      Spot,
      Spot,
      Spot,
    ]
    const [name, resource, request] = fields
    const container = containers.findLast((one) => one.at('name').text === name.text)
    if (!container) {
      const why = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'
      name.invalid(why, name.text)
    } else if (!container.at('resources').at('requests').at(resource.text).isSet) {
      const lists = 'spec.initContainers.resources.requests or spec.containers.resources.requests'
      resource.invalid(`must match the extended resource name of an entry in ${lists}`, resource.text)
    }
    status.at('requestName').with(request.text).matches(dns1123LabelErrors)
    const key = JSON.stringify(fields.map((field) => field.text))
    if (seen.has(key)) for (const field of fields) field.duplicate(field.text)
    seen.add(key)
  }
  status.at('resourceClaimName').neededAs(isSubdomain)
}

/** One address of each family at most; those that were there may stay whatever they are. */
function addresses(list: Spot, before: readonly JsonObject[], pathOf: (entry: Spot) => Spot): void {
  const known = new Set(before.map((entry) => entry['ip']))
  const texts = list.items().map((entry) => entry.at('ip').text)
  for (const entry of list.items()) {
    if (!known.has(entry.at('ip').text)) pathOf(entry).matches(addressFaults)
  }
  if (texts.length < 2) return
  const families = texts.map((text) => parseAddress(text)?.family)
  const wrong = families.indexOf(undefined)
  if (wrong >= 0) {
    const message = `Internal error: failed to check for dual stack with error:invalid IP[${wrong}]: ${texts[wrong]}`
    list.causes.push({ reason: 'InternalError', message, field: list.path })
  }
  if (wrong < 0 && texts.length === 2 && families[0] !== families[1]) return
  const shown = texts.map((text) => ({ IP: text }))
  list.invalid('may specify no more than one IP for each IP family', shown)
}

function hostAddresses(status: Spot, old: KubeObject): void {
  const first = status.itemsOf('hostIPs')[0]?.at('ip')
  if (!first) return
  if (first.text !== status.at('hostIP').text) first.invalid('must be equal to `hostIP`', first.text)
  const before = objectsAt(objectAt(old['status'])['hostIPs'])
  addresses(status.at('hostIPs'), before, (entry) => entry.with(entry.at('ip').text))
}

function isUser(spot: Spot): void {
  for (const fault of userOrGroupIdErrors(spot.number)) spot.invalid(fault, spot.exact)
}

function users(list: Spot, os: string): void {
  for (const status of list.items()) {
    const linux = status.at('user').at('linux')
    if (!linux.isSet) continue
    if (os === 'windows') linux.forbidden('cannot be set for a windows pod')
    if (os !== 'linux') continue
    isUser(linux.at('uid'))
    isUser(linux.at('gid'))
    linux.itemsOf('supplementalGroups').forEach(isUser)
  }
}

const CLAIM_FORM =
  "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"

function isAllocated(name: Spot, container: Spot): void {
  if (!name.text.startsWith('claim:')) {
    if (container.at('resources').at('requests').at(name.text).isSet) return
    return name.invalid("must match one of the container's resource requests", name.text)
  }
  const claims = container.at('resources').itemsOf('claims')
  const names = claims.map((claim) =>
    [claim.at('name').text, claim.at('request').text].filter(Boolean).join('/'),
  )
  if (!names.includes(name.text.slice('claim:'.length))) name.invalid(CLAIM_FORM, name.text)
}

function health(resource: Spot, seen: Set<string>): void {
  const [message, id] = [resource.at('message'), resource.at('resourceID')]
  resource.at('health').oneOf(HEALTH)
  if (message.isSet && !message.text) message.required('must be non-empty if specified')
  else if (Buffer.byteLength(message.text) > MAX_HEALTH_MESSAGE) message.tooLong(MAX_HEALTH_MESSAGE)
  if (seen.has(id.text)) id.duplicate(id.text)
  seen.add(id.text)
}

function allocatedResources(list: Spot, containers: Spot): void {
  for (const status of list.items()) {
    const container = containers.items().find((one) => one.at('name').text === status.at('name').text)
    for (const allocated of status.itemsOf('allocatedResourcesStatus')) {
      if (container) isAllocated(allocated.at('name'), container)
      const seen = new Set<string>()
      for (const resource of allocated.itemsOf('resources')) health(resource, seen)
    }
  }
}

const LISTS = [
  ['containerStatuses', 'containers'],
  ['initContainerStatuses', 'initContainers'],
] as const
const EPHEMERAL = 'ephemeralContainerStatuses'

/** Puts every rule to a status that is to replace that of `old`. */
export function podStatus(pod: Spot, old: KubeObject): void {
  const [spec, status] = [pod.at('spec'), pod.at('status')]
  const [oldSpec, before] = [objectAt(old['spec']), objectAt(old['status'])]
  conditions(status.at('conditions'))
  nominatedNode(status.at('nominatedNodeName'), old)
  status.at('observedGeneration').atLeast(0, NOT_NEGATIVE_INTEGER)
  status.at('qosClass').unchanged(before['qosClass'])
  if (!mayAllRestart(oldSpec)) {
    for (const [list, containers] of LISTS) {
      endedStays(status.at(list), objectsAt(before[list]), objectsAt(oldSpec[containers]), oldSpec)
    }
  }
  endedStays(status.at(EPHEMERAL), objectsAt(before[EPHEMERAL]), [], oldSpec)
  resourceClaims(status.at('resourceClaimStatuses'), spec.at('resourceClaims'))
  extendedClaim(status.at('extendedResourceClaimStatus'), spec)
  addresses(status.at('podIPs'), objectsAt(before['podIPs']), (entry) => entry.with(entry.at('ip').text))
  hostAddresses(status, old)
  const os = spec.at('os').at('name').text || 'linux'
  for (const list of [...LISTS.map(([name]) => name), EPHEMERAL]) users(status.at(list), os)
  for (const [list, containers] of LISTS) allocatedResources(status.at(list), spec.at(containers))
  for (const container of status.itemsOf(EPHEMERAL)) {
    const allocated = container.at('allocatedResourcesStatus')
    if (!allocated.isEmpty) allocated.forbidden('must not be specified in container status')
  }
}
