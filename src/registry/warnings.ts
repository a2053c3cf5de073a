// What a client is warned of when its write is taken: fields that do nothing, or something else than they seem to.
// Strategies give these functions as `warnings`. Follows pkg/api/{pod,service,persistentvolume,secret}/warnings.go.
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityMilliValue,
} from '../machinery/quantity.ts'
import type { KubeObject } from '../machinery/object.ts'
import { dns1123LabelErrors } from '../machinery/validation.ts'
import { containerProfileWarnings, profileWarnings } from './podprofiles.ts'
import { objectAt, textAt } from './reading.ts'
import { isHeadless } from './serviceips.ts'
import { Spot } from './validation/spot.ts'

const GONE_VOLUMES: readonly (readonly [string, string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]
/** Fields whose name in warnings is that of upstream's code. */
const SHOWN_AS: Readonly<Record<string, string>> = { storageos: 'storageOS' }

const NULL_SELECTOR = 'a null labelSelector results in matching no pod'
const RECYCLE =
  'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'
/** Amounts are counted in thousandths in 64 bits: what does not fit there counts as fractional too. */
const MOST_THOUSANDTHS = 2 ** 63

const list = (faults: readonly string[]): string => `[${faults.join(' ')}]`
const read = (object: KubeObject): Spot => Spot.of(object, [])

function* goneVolumes(volume: Spot): Generator<string> {
  const { object } = volume
  for (const [name, fate] of GONE_VOLUMES) {
    if (object[name] !== undefined) yield `${volume.at(name).named(SHOWN_AS[name] ?? name).path}: ${fate}`
  }
}

function* fractional(amounts: Spot, ...names: readonly string[]): Generator<string> {
  for (const name of names) {
    const amount = amounts.key(name)
    if (!amount.isSet) continue
    const thousandths = Number(quantityMilliValue(parseQuantity(String(amount.value))))
    if (thousandths % 1000 === 0 && thousandths < MOST_THOUSANDTHS) continue
    yield `${amount.path}: fractional byte value ${JSON.stringify(amount.value)} is invalid, must be an integer`
  }
}

function* repeated(items: readonly Spot[], field: string, what: string): Generator<string> {
  const seen = new Set<string>()
  for (const item of items) {
    const spot = item.at(field)
    if (seen.has(spot.text)) yield `${spot.path}: duplicate ${what} ${JSON.stringify(spot.text)}`
    seen.add(spot.text)
  }
}

/** A variable that is defined twice, unless the second definition builds on the first. */
function* hidden(variables: readonly Spot[]): Generator<string> {
  const seen = new Set<string>()
  for (const variable of variables) {
    const [name, value] = [variable.at('name').text, variable.at('value').text]
    const own = `$(${name})`
    const builds = !variable.at('valueFrom').isSet && value !== own && value.includes(own)
    if (seen.has(name) && !builds) {
      yield `${variable.path}: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`
    }
    seen.add(name)
  }
}

const KINDS_OF_CONTAINER = ['initContainers', 'containers', 'ephemeralContainers']

function* containerWarnings(spec: Spot, { annotations, inTemplate }: Around): Generator<string> {
  const containers = KINDS_OF_CONTAINER.flatMap((kind) => spec.itemsOf(kind))
  for (const container of containers) {
    if (annotations.isSet) yield* containerProfileWarnings(annotations, { spec, container, inTemplate })
    const resources = container.at('resources')
    for (const name of ['memory', 'ephemeral-storage']) {
      yield* fractional(resources.at('limits'), name)
      yield* fractional(resources.at('requests'), name)
    }
    yield* hidden(container.itemsOf('env'))
  }
  yield* portWarnings(containers.flatMap((container) => container.itemsOf('ports')))
}

function clash(port: Spot, other: Spot): string | undefined {
  const [ip, otherIp] = [port.at('hostIP').text, other.at('hostIP').text]
  const [host, otherHost] = [port.at('hostPort').number, other.at('hostPort').number]
  if (ip === otherIp && host === otherHost) return 'duplicate'
  if (!host || !otherHost) return 'overlapping'
  return host === otherHost && (ip === '') !== (otherIp === '') ? 'dangerously ambiguous' : undefined
}

function* portWarnings(ports: readonly Spot[]): Generator<string> {
  const known = new Map<string, Spot[]>()
  for (const port of ports) {
    const key = `${port.at('containerPort').number}/${port.at('protocol').text}`
    const others = known.get(key) ?? []
    for (const other of others) {
      const how = clash(port, other)
      if (how) yield `${port.path}: ${how} port definition with ${other.path}`
    }
    known.set(key, [...others, port])
  }
}

function* affinityWarnings(affinity: Spot): Generator<string> {
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const terms = affinity.at(kind)
    for (const term of terms.itemsOf('requiredDuringSchedulingIgnoredDuringExecution')) {
      const selector = term.at('labelSelector')
      if (!selector.isSet) yield `${selector.path}: ${NULL_SELECTOR}`
    }
    for (const term of terms.itemsOf('preferredDuringSchedulingIgnoredDuringExecution')) {
      const selector = term.at('podAffinityTerm').at('labelSelector')
      if (!selector.isSet) yield `${selector.path}: ${NULL_SELECTOR}`
    }
  }
}

function* volumeWarnings(volumes: readonly Spot[]): Generator<string> {
  for (const volume of volumes) yield* goneVolumes(volume)
  for (const volume of volumes) {
    for (const source of volume.at('projected').itemsOf('sources')) {
      if (source.isEmpty)
        yield `volume ${JSON.stringify(volume.at('name').text)} (Projected) has no sources provided`
    }
  }
}

/** Where a pod's spec stands. */
interface Around {
  readonly annotations: Spot
  readonly inTemplate: boolean
}

function* specWarnings(spec: Spot, around: Around): Generator<string> {
  for (const constraint of spec.itemsOf('topologySpreadConstraints')) {
    const selector = constraint.at('labelSelector')
    if (!selector.isSet) yield `${selector.path}: ${NULL_SELECTOR}`
  }
  yield* volumeWarnings(spec.itemsOf('volumes'))
  yield* repeated(spec.itemsOf('hostAliases'), 'ip', 'ip')
  yield* repeated(spec.itemsOf('imagePullSecrets'), 'name', 'name')
  for (const secret of spec.itemsOf('imagePullSecrets')) {
    if (!secret.at('name').text) yield `${secret.at('name').path}: invalid empty name ""`
  }
  yield* fractional(spec.at('overhead'), 'memory', 'ephemeral-storage')
  if (around.annotations.isSet) yield* profileWarnings(around.annotations, spec)
  yield* containerWarnings(spec, around)
  const grace = spec.at('terminationGracePeriodSeconds')
  if (grace.number < 0)
    yield `${grace.path}: must be >= 0; negative values are invalid and will be treated as 1`
  yield* affinityWarnings(spec.at('affinity'))
}

/** Of new pods only: they change too often for more. */
export function* podWarnings(pod: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (old) return
  const annotations = read(pod).at('metadata').at('annotations')
  yield* specWarnings(read(pod).at('spec'), { annotations, inTemplate: false })
  const faults = dns1123LabelErrors(textAt(pod.metadata.name))
  if (faults.length) {
    yield `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: ${list(faults)}`
  }
}

/** Of a kind whose template stands at this path, below the object. */
export const templateWarnings = (path: readonly string[], named = true) =>
  function* (object: KubeObject, old: KubeObject | undefined): Generator<string> {
    const faults = named && !old ? dns1123LabelErrors(textAt(object.metadata.name)) : []
    if (faults.length) {
      yield `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: ${list(faults)}`
    }
    if (old && old.metadata.generation === object.metadata.generation) return
    const template = path.reduce((spot, name) => spot.at(name), read(object))
    const annotations = template.at('metadata').at('annotations')
    yield* specWarnings(template.at('spec'), { annotations, inTemplate: true })
  }

export function* serviceWarnings(service: KubeObject): Generator<string> {
  const spec = read(service).at('spec')
  const externalIPs = !spec.at('externalIPs').isEmpty
  if (isHeadless(spec.object)) {
    if (spec.at('loadBalancerIP').text) yield 'spec.loadBalancerIP is ignored for headless services'
    if (externalIPs) yield 'spec.externalIPs is ignored for headless services'
    if (spec.at('sessionAffinity').text === 'ClientIP')
      yield 'spec.SessionAffinity is ignored for headless services'
  } else if (externalIPs)
    yield 'spec.externalIPs is deprecated and may no longer be implemented in some clusters'
  if (spec.at('trafficDistribution').text === 'PreferClose') {
    yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
  }
}

export function* persistentVolumeWarnings(volume: KubeObject): Generator<string> {
  const spec = read(volume).at('spec')
  const policy = spec.at('persistentVolumeReclaimPolicy')
  if (policy.text === 'Recycle') yield `${policy.path}: ${RECYCLE}`
  yield* goneVolumes(spec)
  yield* fractional(spec.at('capacity'), 'storage')
}

const hasPem = (data: string): boolean =>
  Buffer.from(data, 'base64').toString('latin1').includes('-----BEGIN ')

export function* secretWarnings(secret: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (secret['type'] !== 'kubernetes.io/tls') return
  const [data, before] = [objectAt(secret['data']), objectAt(old?.['data'])]
  const [certificate, key] = [textAt(data['tls.crt']), textAt(data['tls.key'])]
  if (old && certificate === before['tls.crt'] && key === before['tls.key']) return
  if (!hasPem(certificate)) yield 'tls: failed to find any PEM data in certificate input'
  else if (!hasPem(key)) yield 'tls: failed to find any PEM data in key input'
}

/** Of new quotas. */
export function* quotaWarnings(quota: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (old) return
  const hard = read(quota).at('spec').at('hard')
  for (const name of ['cpu', 'memory', 'storage', 'ephemeral-storage']) {
    const named = hard.key(`requests.${name}`)
    // The bare names of these two are those of requests.
    const bare = !named.isSet && (name === 'cpu' || name === 'memory')
    const [request, limit] = [bare ? hard.key(name) : named, hard.key(`limits.${name}`)]
    if (!request.isSet || !limit.isSet) continue
    const [low, high] = [request, limit].map(({ value }) => parseQuantity(String(value))) as [
      Quantity,
      Quantity,
    ]
    if (compareQuantities(low, high) <= 0) continue
    const shown = bare ? name : `requests.${name}`
    yield `ResourceQuota ${shown} (${formatQuantity(low)}) should be less than limits.${name} (${formatQuantity(high)})`
  }
}

export function* ingressWarnings(ingress: KubeObject, old: KubeObject | undefined): Generator<string> {
  const CLASS = 'kubernetes.io/ingress.class'
  const given = (object: KubeObject | undefined) => object?.metadata.annotations?.[CLASS]
  if (given(ingress) === undefined || given(old) !== undefined) return
  yield `annotation "${CLASS}" is deprecated, please use 'spec.ingressClassName' instead`
}

const leavesTokensOpen = (driver: KubeObject): boolean => {
  const spec = read(driver).at('spec')
  return !spec.at('tokenRequests').isEmpty && !spec.at('serviceAccountTokenInSecrets').isSet
}

export function* csiDriverWarnings(driver: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (!leavesTokensOpen(driver) || (old && leavesTokensOpen(old))) return
  yield 'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'
}

export function* serviceAccountWarnings(account: KubeObject, old: KubeObject | undefined): Generator<string> {
  const MOUNTABLE = 'kubernetes.io/enforce-mountable-secrets'
  const given = (object: KubeObject | undefined) => object?.metadata.annotations?.[MOUNTABLE]
  if (given(account) === undefined || given(old) !== undefined) return
  yield `metadata.annotations[${MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`
}
