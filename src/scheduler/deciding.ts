// One pod's way from the rules to a node, extenders included; and to whom has to go where no node will do.
// Follows findNodesThatFitPod and prioritizeNodes of k8s.io/kubernetes/pkg/scheduler/schedule_one.go, and
// framework/preemption (callExtenders).
import type { ControllerLog } from '../client/controller.ts'
import { Cycle, type CycleParts, type Found, type Looked } from './cycle.ts'
import type { Diagnosis } from './diagnosis.ts'
import { EXTENDER, type Extender } from './extenders.ts'
import type { NodeInfo } from './nodeinfo.ts'
import type { Rejection } from './plugin.ts'
import type { PodInfo } from './podinfo.ts'
import { type Candidate, candidatesFor, leastHarm, type Preemption } from './preemption.ts'

/** An answer at once where nobody else has to be asked. */
export type Soon<T> = T | Promise<T>

export class Decider {
  readonly #parts: CycleParts
  readonly #cycle: Cycle
  readonly #extenders: readonly Extender[]
  readonly #log: ControllerLog

  constructor(parts: CycleParts, extenders: readonly Extender[], log: ControllerLog) {
    this.#parts = parts
    this.#cycle = new Cycle(parts)
    this.#extenders = extenders
    this.#log = log
  }

  /** Rejects where an extender that may not be ignored does not answer. */
  decide(pod: PodInfo): Soon<Found> {
    const asked = this.#extenders.filter((one) => (one.filters || one.prioritizes) && one.isInterested(pod))
    if (asked.length === 0) return this.#cycle.run(pod)
    return this.#decideWith(pod, asked)
  }

  /** Who would have to go, and where. */
  preempt(pod: PodInfo, diagnosis: Diagnosis): Soon<Preemption> {
    const found = candidatesFor(pod, diagnosis, this.#parts)
    if ('message' in found) return found
    const asked = this.#extenders.filter((one) => one.preempts && one.isInterested(pod))
    if (asked.length === 0) return { candidate: leastHarm(found.candidates) as Candidate }
    return this.#preemptWith(pod, found.candidates, asked)
  }

  async #decideWith(pod: PodInfo, asked: readonly Extender[]): Promise<Found> {
    const looked = this.#cycle.look(pod)
    const { feasible, diagnosis } = await this.#filterWith(pod, looked, asked)
    if (feasible.length === 0) return { diagnosis }
    const raters = feasible.length === 1 ? [] : asked.filter(({ prioritizes }) => prioritizes)
    const more = await Promise.all(raters.map((one) => this.#ratings(one, pod, feasible)))
    // While they were asked, nodes may have gone.
    const there = feasible.filter(({ name }) => this.#parts.cluster.node(name) !== undefined)
    if (there.length === 0) throw new Error('the nodes that would do are gone')
    return { node: this.#cycle.choose(pod, there, more) }
  }

  async #filterWith(pod: PodInfo, looked: Looked, asked: readonly Extender[]): Promise<Looked> {
    let { feasible } = looked
    const rejections = new Map(looked.diagnosis.rejections)
    for (const one of asked) {
      if (feasible.length === 0) break
      if (!one.filters) continue
      try {
        const found = await one.filter(pod, feasible)
        const kept = new Set(found.nodes)
        for (const { name } of feasible.filter((node) => !kept.has(node)))
          rejections.set(name, found.rejections.get(name) ?? UNSAID)
        feasible = found.nodes
      } catch (error) {
        if (!one.isIgnorable) throw error
        this.#log.warn({ extender: one.name, error: String(error) }, 'an extender is ignored')
      }
    }
    return { feasible, diagnosis: { ...looked.diagnosis, rejections } }
  }

  /** What it thinks of the nodes; nothing where it does not answer. */
  async #ratings(
    extender: Extender,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
  ): Promise<ReadonlyMap<string, number>> {
    try {
      return await extender.prioritize(pod, nodes)
    } catch (error) {
      this.#log.warn({ extender: extender.name, error: String(error) }, 'an extender gave no priorities')
      return new Map()
    }
  }

  async #preemptWith(
    pod: PodInfo,
    found: readonly Candidate[],
    asked: readonly Extender[],
  ): Promise<Preemption> {
    let candidates = found
    for (const one of asked) {
      if (candidates.length === 0) break
      try {
        candidates = await one.preempt(pod, candidates, this.#parts.cluster)
      } catch (error) {
        if (!one.isIgnorable) throw error
        this.#log.warn({ extender: one.name, error: String(error) }, 'an extender is ignored')
      }
    }
    const candidate = leastHarm(candidates)
    if (candidate) return { candidate }
    const { length } = this.#parts.cluster.nodes
    return { message: `0/${length} nodes are available: ${length} Preemption is not helpful for scheduling.` }
  }
}

/** A node that an extender left out without a word. */
const UNSAID: Rejection = {
  plugin: EXTENDER,
  reasons: ['node(s) were rejected by an extender'],
  isFinal: false,
}
