// Which services' endpoints have hints for zones, and what is to be done when nodes come and go.
// Follows TopologyCache of k8s.io/endpointslice/topologycache.
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { isOverloaded, type ZoneCounts, type ZoneRatios, zoneRatios } from './topology.ts'

/** An event about the service. */
export interface HintsEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export class ServiceZones {
  readonly #nodes: () => readonly Node[]
  /** By service and type of addresses. */
  readonly #counts = new Map<string, Map<string, ZoneCounts>>()
  readonly #hinted = new Set<string>()
  #ratios: ZoneRatios
  #isKnown = false

  constructor(nodes: () => readonly Node[]) {
    this.#nodes = nodes
  }

  /** Counted when they are asked for after a change. */
  get ratios(): ZoneRatios {
    if (!this.#isKnown) this.#ratios = zoneRatios(this.#nodes())
    this.#isKnown = true
    return this.#ratios
  }

  /** Nodes have changed. Whether services may have to. */
  changed(): boolean {
    this.#isKnown = false
    return this.#counts.size > 0
  }

  /** Services that a zone has too few endpoints of. */
  overloaded(): string[] {
    const { ratios } = this
    return [...this.#counts]
      .filter(([, types]) => [...types.values()].some((counts) => isOverloaded(counts, ratios)))
      .map(([key]) => key)
  }

  /** What came of the hints for addresses of one type; undefined: they are not asked for. */
  note(key: string, addressType: string, told: ZoneCounts | string | undefined): HintsEvent | undefined {
    const wasHinted = this.#hinted.has(key)
    const ending = `, addressType: ${addressType}`
    if (told === undefined || typeof told === 'string') {
      this.#drop(key, addressType)
      if (told === undefined && !wasHinted) return undefined
      const message = (told ?? 'Topology Aware Hints has been disabled') + ending
      return { type: 'Warning', reason: 'TopologyAwareHintsDisabled', message }
    }
    const types = this.#counts.get(key) ?? new Map<string, ZoneCounts>()
    this.#counts.set(key, types.set(addressType, told))
    this.#hinted.add(key)
    if (wasHinted) return undefined
    const message = `Topology Aware Hints has been enabled${ending}`
    return { type: 'Normal', reason: 'TopologyAwareHintsEnabled', message }
  }

  forget(key: string): void {
    this.#counts.delete(key)
    this.#hinted.delete(key)
  }

  #drop(key: string, addressType: string): void {
    const types = this.#counts.get(key)
    types?.delete(addressType)
    if (types?.size === 0) this.#counts.delete(key)
    this.#hinted.delete(key)
  }
}
