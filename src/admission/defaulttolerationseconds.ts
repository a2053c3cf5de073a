// DefaultTolerationSeconds: a pod outlives its node's silence by five minutes, unless it says otherwise.
// Follows plugin/pkg/admission/defaulttolerationseconds.
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from './plugin.ts'
import { type Pod, PODS, type Toleration } from './shapes.ts'

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

export interface TolerationSeconds {
  readonly notReady: number
  readonly unreachable: number
}

export class DefaultTolerationSeconds implements AdmissionPlugin {
  readonly name = 'DefaultTolerationSeconds'
  readonly #seconds: readonly number[]

  constructor(seconds: TolerationSeconds = { notReady: 300, unreachable: 300 }) {
    this.#seconds = [seconds.notReady, seconds.unreachable]
  }

  handles(target: AdmissionTarget): boolean {
    return isFor(target, PODS) && (target.operation === 'CREATE' || target.operation === 'UPDATE')
  }

  admit(attributes: AdmissionAttributes): void {
    const { spec } = attributes.object as Pod
    const tolerations = spec.tolerations ?? []
    const added: Toleration[] = []
    TAINTS.forEach((key, index) => {
      if (tolerations.some((toleration) => tolerates(toleration, key))) return
      const tolerationSeconds = this.#seconds[index] as number
      added.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds })
    })
    if (added.length) spec.tolerations = [...tolerations, ...added]
  }
}

const tolerates = (toleration: Toleration, key: string): boolean =>
  (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === 'NoExecute')
