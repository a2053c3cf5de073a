// What a client is warned of when it writes pods, or kinds that make pods: fields that do nothing, or something else
// than they seem to. Strategies give these functions as `warnings`. Follows pkg/api/{pod,job}/warnings.go.
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import { dns1123LabelErrors } from '../../machinery/validation.ts'
import { containerProfileWarnings, profileWarnings } from '../podprofiles.ts'
import { textAt } from '../reading.ts'
import { Spot } from '../validation/spot.ts'
import { addressWarnings } from './addresses.ts'
import { keyWarnings, selectorWarnings, termWarnings } from './nodelabels.ts'
import { claimTemplateWarnings, fractional, volumeWarnings } from './volumes.ts'

const NULL_SELECTOR = 'a null labelSelector results in matching no pod'
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
const SYSCTLS = 'non-functional in v1.11+; use the "sysctls" field instead'
const DEPRECATED_ANNOTATIONS = [
  [
    'scheduler.alpha.kubernetes.io/critical-pod',
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  ['security.alpha.kubernetes.io/sysctls', SYSCTLS],
  ['security.alpha.kubernetes.io/unsafe-sysctls', SYSCTLS],
] as const

const list = (faults: readonly string[]): string => `[${faults.join(' ')}]`
const read = (object: KubeObject): Spot => Spot.of(object, [])

function* repeated(items: readonly Spot[], field: string, what: string): Generator<string> {
  const seen = new Set<string>()
  for (const item of items) {
    const spot = item.at(field)
    if (seen.has(spot.text)) yield `${spot.path}: duplicate ${what} ${goQuote(spot.text)}`
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
      yield `${variable.path}: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`
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

/** As Go prints the struct. */
function portText(port: Spot): string {
  const [host, container] = [port.at('hostPort').number, port.at('containerPort').number]
  const [name, protocol, ip] = ['name', 'protocol', 'hostIP'].map((field) => port.at(field).text)
  return `{Name:${name} HostPort:${host} ContainerPort:${container} Protocol:${protocol} HostIP:${ip}}`
}

function* portWarnings(ports: readonly Spot[]): Generator<string> {
  const known = new Map<string, Spot[]>()
  for (const port of ports) {
    if (port.at('hostIP').text && !port.at('hostPort').number) {
      yield `${port.path}: hostIP set without hostPort: ${portText(port)}`
    }
    const key = `${port.at('containerPort').number}/${port.at('protocol').text}`
    const others = known.get(key) ?? []
    for (const other of others) {
      const how = clash(port, other)
      if (how) yield `${port.path}: ${how} port definition with ${other.path}`
    }
    known.set(key, [...others, port])
  }
  if (ports.length > 1) yield* portNameWarnings(ports)
}

function* portNameWarnings(ports: readonly Spot[]): Generator<string> {
  const first = new Map<string, Spot>()
  for (const port of ports) {
    const name = port.at('name').text
    const { path = '' } = first.get(name) ?? {}
    if (path) {
      yield `${port.path}: duplicate port name ${goQuote(name)} with ${path}, services and probes that select ports by name will use ${path}`
    } else if (name) first.set(name, port)
  }
}

function* affinityWarnings(affinity: Spot): Generator<string> {
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const terms = affinity.at(kind)
    for (const term of terms.itemsOf(REQUIRED)) {
      const selector = term.at('labelSelector')
      if (!selector.isSet) yield `${selector.path}: ${NULL_SELECTOR}`
    }
    for (const term of terms.itemsOf(PREFERRED)) {
      const selector = term.at('podAffinityTerm').at('labelSelector')
      if (!selector.isSet) yield `${selector.path}: ${NULL_SELECTOR}`
    }
  }
}

/** Where a pod's spec stands. */
interface Around {
  readonly annotations: Spot
  readonly inTemplate: boolean
}

/** Labels of nodes that have other names now, wherever a pod chooses its node by them. */
function* nodeWarnings(spec: Spot): Generator<string> {
  const { object } = spec
  if (object['nodeSelector'] !== undefined) yield* selectorWarnings(spec.at('nodeSelector'))
  if (object['affinity'] !== undefined) yield* nodeAffinityWarnings(spec)
  for (const constraint of spec.itemsOf('topologySpreadConstraints')) {
    yield* keyWarnings(constraint.at('topologyKey'))
    const selector = constraint.at('labelSelector')
    if (!selector.isSet) yield `${selector.path}: ${NULL_SELECTOR}`
  }
}

function* nodeAffinityWarnings(spec: Spot): Generator<string> {
  const affinity = spec.at('affinity').at('nodeAffinity')
  for (const term of affinity.at(REQUIRED).itemsOf('nodeSelectorTerms')) yield* termWarnings(term, false)
  for (const term of affinity.itemsOf(PREFERRED)) yield* termWarnings(term.at('preference'), true)
}

function* annotationWarnings(annotations: Spot): Generator<string> {
  const { object } = annotations
  for (const [key, message] of DEPRECATED_ANNOTATIONS) {
    if (Object.hasOwn(object, key)) yield `${annotations.key(key).path}: ${message}`
  }
}

function* specWarnings(spec: Spot, around: Around): Generator<string> {
  yield* nodeWarnings(spec)
  if (around.annotations.isSet) yield* annotationWarnings(around.annotations)
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
  if (spec.at('affinity').isSet) yield* affinityWarnings(spec.at('affinity'))
  if (spec.object['dnsConfig'] !== undefined)
    for (const server of spec.at('dnsConfig').itemsOf('nameservers')) yield* addressWarnings(server)
  for (const alias of spec.itemsOf('hostAliases')) yield* addressWarnings(alias.at('ip'))
}

/** Of new pods only: they change too often for more. */
export function* podWarnings(pod: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (old) return
  const faults = dns1123LabelErrors(textAt(pod.metadata.name))
  if (faults.length) {
    yield `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: ${list(faults)}`
  }
  const annotations = read(pod).at('metadata').at('annotations')
  yield* specWarnings(read(pod).at('spec'), { annotations, inTemplate: false })
}

export function* podStatusWarnings(pod: KubeObject): Generator<string> {
  const status = read(pod).at('status')
  for (const name of ['podIPs', 'hostIPs']) {
    for (const item of status.itemsOf(name)) yield* addressWarnings(item.at('ip'))
  }
}

type Changed = (object: KubeObject, old: KubeObject) => boolean

const countsUp: Changed = (object, old) => old.metadata.generation !== object.metadata.generation

const templateOf = (object: KubeObject, path: readonly string[]): Spot =>
  path.reduce((spot, name) => spot.at(name), read(object))

function* oneTemplate(template: Spot): Generator<string> {
  const annotations = template.at('metadata').at('annotations')
  yield* specWarnings(template.at('spec'), { annotations, inTemplate: true })
}

function* nameWarnings(object: KubeObject): Generator<string> {
  const faults = dns1123LabelErrors(textAt(object.metadata.name))
  if (!faults.length) return
  yield `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: ${list(faults)}`
}

/** Of a kind whose template stands at this path, below the object. `named`: its name is part of its pods' names. */
export const templateWarnings = (path: readonly string[], named = true, changed: Changed = countsUp) =>
  function* (object: KubeObject, old: KubeObject | undefined): Generator<string> {
    if (named && !old) yield* nameWarnings(object)
    if (!old || changed(object, old)) yield* oneTemplate(templateOf(object, path))
  }

/** As upstream does it: when a controller changes, what is looked at is the template that it had. */
export function* controllerWarnings(object: KubeObject, old: KubeObject | undefined): Generator<string> {
  if (!old) yield* nameWarnings(object)
  if (!old || countsUp(object, old)) yield* oneTemplate(templateOf(old ?? object, ['spec', 'template']))
}

const MANY_COMPLETIONS = 100_000
const MANY_AT_ONCE = 10_000
const TOO_MANY =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail'

/** Of a job, or of a kind whose job's spec stands at this path. */
export const jobWarnings = (path: readonly string[]) =>
  function* (object: KubeObject, old: KubeObject | undefined): Generator<string> {
    if (!old) yield* nameWarnings(object)
    if (!old || countsUp(object, old)) {
      const spec = templateOf(object, path)
      const [completions, parallelism] = [spec.at('completions').number, spec.at('parallelism').number]
      const isMany = completions > MANY_COMPLETIONS && parallelism > MANY_AT_ONCE
      if (spec.at('completionMode').text === 'Indexed' && isMany) yield `${spec.path}: ${TOO_MANY}`
      yield* oneTemplate(spec.at('template'))
    }
  }

/** Of a cron job, which says once more what its schedule may not say. */
export function* cronJobWarnings(object: KubeObject, old: KubeObject | undefined): Generator<string> {
  yield* jobWarnings(['spec', 'jobTemplate', 'spec'])(object, old)
  if (!old || !read(object).at('spec').at('schedule').text.includes('TZ')) return
  yield 'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details'
}

export function* statefulSetWarnings(object: KubeObject, old: KubeObject | undefined): Generator<string> {
  yield* templateWarnings(['spec', 'template'], false)(object, old)
  const set = read(object)
  yield* claimTemplateWarnings(set, old !== undefined)
  if (set.at('spec').at('revisionHistoryLimit').number >= 0) return
  yield 'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'
}
