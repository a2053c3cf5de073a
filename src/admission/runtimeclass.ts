// RuntimeClass: a pod takes over what its runtime class costs and where it can run. Follows plugin/pkg/admission/runtimeclass.
import type { Lister } from '../machinery/lister.ts'
import { compareQuantities, parseQuantity } from '../machinery/quantity.ts'
import { plainError } from '../machinery/status.ts'
import { pathSegmentErrors } from '../machinery/validation.ts'
import { forbid } from './forbid.ts'
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  type AdmissionTarget,
  isFor,
  type Lookup,
} from './plugin.ts'
import { type Pod, PODS, type PodSpec, type ResourceList, type RuntimeClass as Class } from './shapes.ts'
import { mergeTolerations } from './tolerations.ts'

const CLASSES = { group: 'node.k8s.io', resource: 'runtimeclasses' }

type Use = (spec: PodSpec, found: Class | undefined) => void

export class RuntimeClass implements AdmissionPlugin {
  readonly name = 'RuntimeClass'
  readonly reads = [CLASSES]
  readonly #lookup: Lookup | undefined

  constructor(lookup?: Lookup) {
    this.#lookup = lookup
  }

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE' && isFor(target, PODS)
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    return this.#with(attributes, lister, (spec, found) => {
      if (found) setOverhead(attributes, spec, found)
      if (found) setScheduling(attributes, spec, found)
    })
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    return this.#with(attributes, lister, (spec, found) => {
      if (found?.overhead) {
        if (!sameAmounts(found.overhead.podFixed, spec.overhead)) throw mismatch(attributes)
      } else if (spec.overhead) {
        const why = 'Pod Overhead set without corresponding RuntimeClass defined Overhead'
        throw forbid(attributes, `pod rejected: ${why}`)
      }
    })
  }

  #with(attributes: AdmissionAttributes, lister: Lister, use: Use): void | Promise<void> {
    const { spec } = attributes.object as Pod
    const name = spec.runtimeClassName
    if (name === undefined) return use(spec, undefined)
    // Upstream's client refuses to look for it, which goes out as it is.
    if (name === '') throw plainError('resource name may not be empty')
    const faults = pathSegmentErrors(name)
    if (faults.length)
      throw plainError(`invalid resource name ${JSON.stringify(name)}: [${faults.join(' ')}]`)
    const known = lister.get(CLASSES, '', name) as Class | undefined
    if (known) return use(spec, known)
    const absent = forbid(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
    if (!this.#lookup) throw absent
    return this.#lookup(CLASSES, '', name).then((found) => {
      if (!found) throw absent
      use(spec, found as Class)
    })
  }
}

const mismatch = (attributes: AdmissionAttributes): Error =>
  forbid(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")

function setOverhead(attributes: AdmissionAttributes, spec: PodSpec, found: Class): void {
  if (!found.overhead) return
  const fixed = found.overhead.podFixed
  if (spec.overhead && !sameAmounts(fixed, spec.overhead)) throw mismatch(attributes)
  if (fixed) spec.overhead = { ...fixed }
}

function sameAmounts(a: ResourceList = {}, b: ResourceList = {}): boolean {
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => {
    const other = b[name]
    return (
      other !== undefined && compareQuantities(parseQuantity(a[name] as string), parseQuantity(other)) === 0
    )
  })
}

function setScheduling(attributes: AdmissionAttributes, spec: PodSpec, found: Class): void {
  const { scheduling } = found
  if (!scheduling) return
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value) {
      const theirs = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}`
      throw forbid(attributes, `conflict: ${theirs}; pod.spec.nodeSelector[${key}] = ${own}`)
    }
  }
  if (scheduling.nodeSelector) spec.nodeSelector = { ...spec.nodeSelector, ...scheduling.nodeSelector }
  const tolerations = mergeTolerations([...(spec.tolerations ?? []), ...(scheduling.tolerations ?? [])])
  if (tolerations.length) spec.tolerations = tolerations
}
