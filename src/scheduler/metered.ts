// Rules that are counted as they are asked, and timed in some cycles: each stands for the rule whose work it holds.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/runtime/instrumented_plugins.go.
import type { NodeInfo } from './nodeinfo.ts'
import type { FilterWork, Rejection, ScoreWork } from './plugin.ts'
import type { PodInfo } from './podinfo.ts'
import type { Counter, CycleMeter, PointStatus } from './pointmetrics.ts'

/** How upstream calls what became of it. */
export const statusOf = (rejection: Rejection | undefined): PointStatus => {
  if (!rejection) return 'Success'
  return rejection.isFinal ? 'UnschedulableAndUnresolvable' : 'Unschedulable'
}

export class MeteredFilter implements FilterWork {
  readonly key: string | undefined
  readonly #work: FilterWork
  readonly #plugin: string
  readonly #meter: CycleMeter
  readonly #counter: Counter

  constructor(work: FilterWork, plugin: string, meter: CycleMeter) {
    this.key = work.key
    this.#work = work
    this.#plugin = plugin
    this.#meter = meter
    this.#counter = meter.counter(plugin, 'Filter')
  }

  filter(node: NodeInfo): Rejection | undefined {
    this.#counter.count++
    if (!this.#meter.isTimed) return this.#work.filter(node)
    const since = performance.now()
    const rejection = this.#work.filter(node)
    this.#meter.plugin(this.#plugin, 'Filter', statusOf(rejection), since)
    return rejection
  }

  changed(node: NodeInfo, pod: PodInfo, sign: 1 | -1): void {
    this.#work.changed?.(node, pod, sign)
  }
}

export class MeteredScore implements ScoreWork {
  readonly key: string | undefined
  readonly #work: ScoreWork
  readonly #plugin: string
  readonly #meter: CycleMeter
  readonly #counter: Counter

  constructor(work: ScoreWork, plugin: string, meter: CycleMeter) {
    this.key = work.key
    this.#work = work
    this.#plugin = plugin
    this.#meter = meter
    this.#counter = meter.counter(plugin, 'Score')
  }

  score(node: NodeInfo): number {
    this.#counter.count++
    if (!this.#meter.isTimed) return this.#work.score(node)
    const since = performance.now()
    const score = this.#work.score(node)
    this.#meter.plugin(this.#plugin, 'Score', 'Success', since)
    return score
  }

  normalize(scores: number[], nodes: readonly NodeInfo[]): void {
    if (!this.#work.normalize) return
    const since = this.#meter.isTimed ? performance.now() : 0
    this.#work.normalize(scores, nodes)
    if (this.#meter.isTimed) this.#meter.plugin(this.#plugin, 'ScoreExtensionNormalize', 'Success', since)
  }
}
