// Pods that wait for room on their node to be resized, and who of them is tried first when there is more of it.
// Follows sortPendingResizes of k8s.io/kubernetes/pkg/kubelet/allocation.
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import { keyOf } from '../client/resource.ts'

export interface Waiting {
  readonly pod: Pod
  /** ms since 1970 */
  readonly since: number
}

export class Deferred {
  readonly #wake: (key: string) => void
  /** By node, then by uid. */
  readonly #waiting = new Map<string, Map<string, Waiting>>()

  constructor(wake: (key: string) => void) {
    this.#wake = wake
  }

  add(node: string, waiting: Waiting): void {
    const known = this.#waiting.get(node) ?? new Map<string, Waiting>()
    this.#waiting.set(node, known.set(waiting.pod.metadata.uid ?? '', waiting))
  }

  delete(node: string, { metadata: { uid = '' } }: Pod): void {
    const known = this.#waiting.get(node)
    if (known?.delete(uid) && known.size === 0) this.#waiting.delete(node)
  }

  /** There may be more room on the node. */
  retry(node: string): void {
    const waiting = [...(this.#waiting.get(node)?.values() ?? [])]
    for (const { pod } of waiting.sort(byUrgency)) this.#wake(keyOf(pod))
  }
}

/** The higher priority, then guaranteed ones, then who waits longest. */
export const byUrgency = (a: Waiting, b: Waiting): number =>
  (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) ||
  Number(isGuaranteed(b.pod)) - Number(isGuaranteed(a.pod)) ||
  a.since - b.since

const isGuaranteed = ({ status }: Pod): boolean => status.qosClass === 'Guaranteed'
