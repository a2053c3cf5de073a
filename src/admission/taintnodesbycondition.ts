// TaintNodesByCondition: a new node takes no pods until it is known to be ready. Follows plugin/pkg/admission/nodetaint.
import type { JsonObject } from '../machinery/json.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { NODES } from './shapes.ts'

const TAINT = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export class TaintNodesByCondition implements AdmissionPlugin {
  readonly name = 'TaintNodesByCondition'

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE' && isFor(target, NODES)
  }

  admit(attributes: AdmissionAttributes): void {
    const node = attributes.object as unknown as { spec?: { taints?: JsonObject[] } }
    const spec = (node.spec ??= {})
    const taints = spec.taints ?? []
    if (taints.some((taint) => taint.key === TAINT.key && taint.effect === TAINT.effect)) return
    spec.taints = [...taints, { ...TAINT }]
  }
}
