// Nodes that are to be tainted wait by zone: in a zone where many nodes are silent it is likelier that the network is
// broken than that they all are, so fewer are evicted, or none.
// Follows handleDisruption and scheduler/rate_limited_queue.go of k8s.io/kubernetes/pkg/controller/nodelifecycle.
import type { Node } from '../../client/kinds/core.v1.gen.ts'

export type ZoneState = 'Initial' | 'Normal' | 'FullDisruption' | 'PartialDisruption'

export interface EvictionRates {
  /** Nodes per second. */
  readonly rate: number
  /** The same in zones that are partly disrupted, if they have more than `largeZone` nodes; smaller ones: none. */
  readonly secondaryRate: number
  readonly largeZone: number
  /** Part of the nodes that makes a zone partly disrupted. */
  readonly unhealthyPart: number
}

/** Fewer silent nodes than this are no disruption, whatever part of the zone they are. */
const MIN_NOT_READY = 3

/** Of the statuses of the condition Ready in one zone. */
export function zoneState(ready: readonly (string | undefined)[], unhealthyPart: number): ZoneState {
  const notReady = ready.filter((status) => status !== 'True').length
  if (notReady > 0 && notReady === ready.length) return 'FullDisruption'
  const isPartial = notReady >= MIN_NOT_READY && notReady / ready.length >= unhealthyPart
  return isPartial ? 'PartialDisruption' : 'Normal'
}

/** Nodes per second that are tainted in a zone of so many nodes. */
export function rateIn(state: ZoneState, size: number, rates: EvictionRates): number {
  if (state !== 'PartialDisruption') return rates.rate
  return size > rates.largeZone ? rates.secondaryRate : 0
}

const ZONE = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone']
const REGION = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region']

/** Names the zone; empty for nodes of no zone. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const [zone, region] = [ZONE, REGION].map((keys) => labels[keys.find((key) => key in labels) ?? ''] ?? '')
  return zone === '' && region === '' ? '' : `${region}:\0:${zone}`
}

/** One zone's nodes that wait for their taint, at most so many a second, one at once. */
export class TaintQueue {
  /** Those that wait, with when they may be tried (ms). One that was tainted stays known until it is removed. */
  readonly #waiting = new Map<string, number>()
  readonly #known = new Set<string>()
  #rate: number
  /** Tokens of the bucket, of which it holds one at most, and when they were counted. */
  #tokens = 1
  #countedAt = 0

  constructor(rate: number) {
    this.#rate = rate
  }

  get isWaiting(): boolean {
    return this.#rate > 0 && this.#waiting.size > 0
  }

  /** Whether it was not known. */
  add(node: string): boolean {
    if (this.#known.has(node)) return false
    this.#known.add(node)
    this.#waiting.set(node, 0)
    return true
  }

  remove(node: string): boolean {
    this.#waiting.delete(node)
    return this.#known.delete(node)
  }

  /** The next that may be tainted now; it does not wait any more. */
  take(now: number): string | undefined {
    for (const [node, at] of this.#waiting) {
      if (at > now) continue
      if (!this.#spend(now)) return undefined
      this.#waiting.delete(node)
      return node
    }
    return undefined
  }

  /** It could not be tainted: not before `at`. */
  giveBack(node: string, at: number): void {
    if (this.#known.has(node)) this.#waiting.set(node, at)
  }

  setRate(rate: number, now: number): void {
    if (rate === this.#rate) return
    this.#refill(now)
    // From a zone whose evictions stood still, nothing is saved up.
    if (this.#rate <= 0) this.#tokens = 0
    this.#rate = rate
  }

  #refill(now: number): void {
    const seconds = (now - this.#countedAt) / 1000
    this.#countedAt = now
    this.#tokens = Math.min(1, this.#tokens + seconds * Math.max(this.#rate, 0))
  }

  #spend(now: number): boolean {
    if (this.#rate <= 0) return false
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** What a pass over all nodes means for all zones at once. */
export type Disruption = 'begins' | 'ends' | undefined

export class Zones {
  readonly #rates: EvictionRates
  readonly #states = new Map<string, ZoneState>()
  readonly #queues = new Map<string, TaintQueue>()

  constructor(rates: EvictionRates) {
    this.#rates = rates
  }

  queueOf(zone: string): TaintQueue {
    let queue = this.#queues.get(zone)
    if (!queue) this.#queues.set(zone, (queue = new TaintQueue(this.#rates.rate)))
    if (!this.#states.has(zone)) this.#states.set(zone, 'Initial')
    return queue
  }

  get queues(): readonly TaintQueue[] {
    return [...this.#queues.values()]
  }

  stateOf(zone: string): ZoneState | undefined {
    return this.#states.get(zone)
  }

  /**
   * Sets rates by the statuses of Ready in each zone. Where no node of no zone is ready it is ourselves who hear nothing:
   * all evictions stop then ("begins"), until one is heard of again ("ends").
   */
  look(ready: ReadonlyMap<string, readonly (string | undefined)[]>, now: number): Disruption {
    const states = new Map<string, ZoneState>()
    for (const [zone, statuses] of ready) {
      states.set(zone, zoneState(statuses, this.#rates.unhealthyPart))
      this.queueOf(zone)
    }
    for (const zone of this.#states.keys()) if (!states.has(zone)) this.#states.delete(zone)
    const isTotal = [...states.values()].every((state) => state === 'FullDisruption')
    const wasTotal = [...this.#states.values()].every((state) => state === 'FullDisruption')
    if (isTotal && wasTotal) return undefined
    if (isTotal) return this.#stop(now)
    for (const [zone, state] of states) {
      if (!wasTotal && this.#states.get(zone) === state) continue
      this.queueOf(zone).setRate(rateIn(state, ready.get(zone)?.length ?? 0, this.#rates), now)
      this.#states.set(zone, state)
    }
    return wasTotal ? 'ends' : undefined
  }

  #stop(now: number): 'begins' {
    for (const zone of this.#states.keys()) {
      this.queueOf(zone).setRate(0, now)
      this.#states.set(zone, 'FullDisruption')
    }
    return 'begins'
  }
}
