// PodResizeValidator: a running pod grows only as far as its node can carry it. Follows plugin/pkg/admission/podresize.
import type { Lister } from '../machinery/lister.ts'
import { containerTotals, totalsOf } from '../machinery/podresources.ts'
import {
  addQuantities,
  compareQuantities,
  newQuantity,
  type Quantity,
  quantityMilliValue,
  quantityValue,
} from '../machinery/quantity.ts'
import type { StatusError } from '../machinery/status.ts'
import { forbid } from './forbid.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { NODES, type Pod, PODS, type ResourceList } from './shapes.ts'

const OS_LABEL = 'kubernetes.io/os'
const NOTHING = newQuantity(0, 'DecimalSI')

export class PodResizeValidator implements AdmissionPlugin {
  readonly name = 'PodResizeValidator'
  readonly reads = [NODES]

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'UPDATE' && isFor(target, PODS, 'resize')
  }

  validate(attributes: AdmissionAttributes, lister: Lister): void {
    const pod = attributes.object as Pod
    const nodeName = pod.spec.nodeName
    if (!nodeName || attributes.old?.metadata.generation === pod.metadata.generation) return
    const node = lister.get(NODES, '', nodeName)
    if (!node) throw forbid(attributes, `node ${JSON.stringify(nodeName)} not found`)
    const os = node.metadata.labels?.[OS_LABEL]
    if (os !== undefined && os !== 'linux') {
      const which = `node ${JSON.stringify(nodeName)} is ${JSON.stringify(os)}`
      throw refuse(attributes, 'UnsupportedPlatform', `pod resize is only supported on linux nodes, ${which}`)
    }
    const status = node.status as { allocatable?: ResourceList } | undefined
    const lacking = lackOf(pod, status?.allocatable)
    if (lacking) {
      const why = `node didn't have enough allocatable resources: ${lacking}`
      throw refuse(attributes, 'NodeCapacity', why)
    }
  }
}

function refuse(attributes: AdmissionAttributes, reason: string, why: string): StatusError {
  const refusal = forbid(attributes, why)
  refusal.status.details = { ...refusal.status.details, causes: [{ reason }] }
  return refusal
}

function lackOf(pod: Pod, allocatable: ResourceList | undefined): string {
  const wanted = podRequests(pod)
  const offered = totalsOf(allocatable)
  const lacking: string[] = []
  for (const [name, valueOf] of [
    ['cpu', quantityMilliValue],
    ['memory', quantityValue],
  ] as const) {
    const want = wanted.get(name) ?? NOTHING
    const have = offered.get(name) ?? NOTHING
    if (compareQuantities(want, have) > 0) {
      lacking.push(`${name}, requested: ${valueOf(want)}, allocatable: ${valueOf(have)}`)
    }
  }
  return lacking.join('; ')
}

/** What the scheduler counts: the pod's own word before its containers', and the runtime's overhead on top. */
function podRequests(pod: Pod): Map<string, Quantity> {
  const totals = containerTotals(pod.spec, 'requests')
  for (const [name, amount] of totalsOf(pod.spec.resources?.requests)) totals.set(name, amount)
  for (const [name, amount] of totalsOf(pod.spec.overhead)) {
    totals.set(name, addQuantities(totals.get(name) ?? NOTHING, amount))
  }
  return totals
}
