// LimitRanger: fills in what containers request and are limited to, and holds pods and claims to a namespace's limits.
// Follows plugin/pkg/admission/limitranger.
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { containerTotals, type ResourceTotals, totalsOf } from '../machinery/podresources.ts'
import { Derived } from './derived.ts'
import { forbid } from './forbid.ts'
import { faultsOf, maximumRequestFaults, minimumFaults } from './limits.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import {
  type Claim,
  CLAIMS,
  type Container,
  type LimitRangeItem,
  type Pod,
  PODS,
  type ResourceList,
} from './shapes.ts'

const LIMIT_RANGES = { group: '', resource: 'limitranges' }
const ANNOTATION = 'kubernetes.io/limit-ranger'

type LimitRange = readonly LimitRangeItem[]

export class LimitRanger implements AdmissionPlugin {
  readonly name = 'LimitRanger'
  readonly reads = [LIMIT_RANGES]
  readonly #ranges = new Derived(LIMIT_RANGES, byNamespace)

  /** A pod's containers cannot change on update but by its resize subresource. */
  handles(target: AdmissionTarget): boolean {
    if (target.operation === 'UPDATE') return isFor(target, PODS, 'resize') || isFor(target, CLAIMS)
    return target.operation === 'CREATE' && (isFor(target, PODS) || isFor(target, CLAIMS))
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void {
    if (attributes.resource.name !== 'pods') return
    for (const range of this.#rangesFor(attributes, lister)) fillContainers(attributes.object as Pod, range)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void {
    const isPod = attributes.resource.name === 'pods'
    for (const range of this.#rangesFor(attributes, lister)) {
      const faults = isPod
        ? podFaults(attributes.object as Pod, range)
        : claimFaults(attributes.object as Claim, range)
      const distinct = [...new Set(faults)]
      if (distinct.length === 1) throw forbid(attributes, distinct[0] as string)
      if (distinct.length > 1) throw forbid(attributes, `[${distinct.join(', ')}]`)
    }
  }

  #rangesFor(attributes: AdmissionAttributes, lister: Lister): readonly LimitRange[] {
    // What is being deleted may still lose its finalizers, whatever the limits say now.
    if (attributes.old?.metadata.deletionTimestamp !== undefined) return []
    return this.#ranges.of(lister).get(attributes.namespace) ?? []
  }
}

function byNamespace(objects: readonly KubeObject[]): ReadonlyMap<string, LimitRange[]> {
  const ranges = new Map<string, LimitRange[]>()
  for (const object of objects) {
    const { limits } = object.spec as { limits?: LimitRange }
    const namespace = object.metadata.namespace ?? ''
    const known = ranges.get(namespace)
    if (known) known.push(limits ?? [])
    else ranges.set(namespace, [limits ?? []])
  }
  return ranges
}

function fillContainers(pod: Pod, range: LimitRange): void {
  const limits: ResourceList = {}
  const requests: ResourceList = {}
  for (const item of range) {
    if (item.type !== 'Container') continue
    Object.assign(requests, item.defaultRequest)
    Object.assign(limits, item.default)
  }
  const set: string[] = []
  for (const container of pod.spec.containers ?? [])
    set.push(...fill(container, 'container', { limits, requests }))
  for (const container of pod.spec.initContainers ?? []) {
    set.push(...fill(container, 'init container', { limits, requests }))
  }
  if (set.length) (pod.metadata.annotations ??= {})[ANNOTATION] = `LimitRanger plugin set: ${set.join('; ')}`
}

interface Defaults {
  readonly limits: ResourceList
  readonly requests: ResourceList
}

/** Returns what was set, in the words of the annotation. */
function fill(container: Container, kind: string, defaults: Defaults): string[] {
  const resources = (container.resources ??= {})
  const said: string[] = []
  for (const [key, word] of [
    ['requests', 'request'],
    ['limits', 'limit'],
  ] as const) {
    const own = resources[key] ?? {}
    const missing = Object.keys(defaults[key]).filter((name) => !Object.hasOwn(own, name))
    if (!missing.length) continue
    resources[key] = { ...own }
    for (const name of missing) resources[key][name] = defaults[key][name] as string
    said.push(`${missing.sort().join(', ')} ${word} for ${kind} ${container.name}`)
  }
  return said
}

function podFaults(pod: Pod, range: LimitRange): string[] {
  const faults: string[] = []
  for (const item of range) {
    if (item.type === 'Container') {
      for (const container of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
        const { requests, limits } = container.resources ?? {}
        faults.push(...faultsOf(item, totalsOf(requests), totalsOf(limits)))
      }
    } else if (item.type === 'Pod') {
      faults.push(...faultsOf(item, podTotals(pod, 'requests'), podTotals(pod, 'limits')))
    }
  }
  return faults
}

/** What the pod as a whole says of cpu and memory goes before what its containers add up to. */
function podTotals(pod: Pod, which: 'requests' | 'limits'): ResourceTotals {
  const totals = containerTotals(pod.spec, which)
  for (const [name, amount] of totalsOf(pod.spec.resources?.[which])) {
    if (name === 'cpu' || name === 'memory') totals.set(name, amount)
  }
  return totals
}

function claimFaults(claim: Claim, range: LimitRange): string[] {
  const requests = totalsOf(claim.spec.resources?.requests)
  return range
    .filter((item) => item.type === 'PersistentVolumeClaim')
    .flatMap((item) => [...minimumFaults(item, requests, new Map()), ...maximumRequestFaults(item, requests)])
}
