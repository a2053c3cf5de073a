// Priority: a pod's priority is the number of its priority class, and one class at most is everybody's default.
// Follows plugin/pkg/admission/priority.
import type { Lister } from '../machinery/lister.ts'
import { Derived } from './derived.ts'
import { forbid } from './forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { type Pod, PODS, type PriorityClass } from './shapes.ts'

const CLASSES = { group: 'scheduling.k8s.io', resource: 'priorityclasses' }
const PRIORITY_WITHOUT_CLASS = 0

export class Priority implements AdmissionPlugin {
  readonly name = 'Priority'
  readonly reads = [CLASSES]
  readonly #default = new Derived(CLASSES, (classes) => lowestDefault(classes as readonly PriorityClass[]))

  handles(target: AdmissionTarget): boolean {
    const written = target.operation === 'CREATE' || target.operation === 'UPDATE'
    return written && (isFor(target, PODS) || isFor(target, CLASSES))
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void {
    if (!isFor(attributes, PODS)) return
    if (attributes.operation === 'UPDATE') return keepPriority(attributes)
    const { spec } = attributes.object as Pod
    const named = spec.priorityClassName
    const chosen = named
      ? (lister.get(CLASSES, '', named) as PriorityClass | undefined)
      : this.#default.of(lister)
    if (named && !chosen) throw forbid(attributes, `no PriorityClass with name ${named} was found`)
    if (chosen?.metadata.name) spec.priorityClassName = chosen.metadata.name
    setPriority(attributes, chosen)
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void {
    if (!isFor(attributes, CLASSES)) return
    const wanted = attributes.object as PriorityClass
    const current = wanted.globalDefault ? this.#default.of(lister) : undefined
    if (!current) return
    const name = current.metadata.name ?? ''
    if (attributes.operation === 'CREATE' || name !== wanted.metadata.name) {
      throw forbid(
        attributes,
        `PriorityClass ${name} is already marked as default. Only one default can exist`,
      )
    }
  }
}

/** Two requests at once may have made two defaults; then the lower counts. */
function lowestDefault(classes: readonly PriorityClass[]): PriorityClass | undefined {
  let lowest: PriorityClass | undefined
  for (const candidate of classes) {
    if (candidate.globalDefault && (!lowest || lowest.value > candidate.value)) lowest = candidate
  }
  return lowest
}

function keepPriority(attributes: AdmissionAttributes): void {
  const { spec } = attributes.object as Pod
  const old = (attributes.old as Pod).spec
  if (old.priority !== undefined) spec.priority ??= old.priority
  if (old.preemptionPolicy !== undefined) spec.preemptionPolicy ??= old.preemptionPolicy
}

function setPriority(attributes: AdmissionAttributes, chosen: PriorityClass | undefined): void {
  const { spec } = attributes.object as Pod
  // A value of 0 is left out of the JSON that is stored.
  const priority = chosen ? (chosen.value ?? 0) : PRIORITY_WITHOUT_CLASS
  if (spec.priority !== undefined && spec.priority !== priority) {
    const why = `priority admission controller computed ${priority} from the given PriorityClass name`
    throw forbid(
      attributes,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ${why}`,
    )
  }
  spec.priority = priority
  const policy = chosen ? chosen.preemptionPolicy : 'PreemptLowerPriority'
  if (policy === undefined) return
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const why = `priority admission controller computed ${policy} from the given PriorityClass name`
    throw forbid(
      attributes,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ${why}`,
    )
  }
  spec.preemptionPolicy = policy
}
