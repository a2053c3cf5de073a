// Which devices somebody has: what claims say, and what was decided and is not written yet.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources (dra_manager.go, allocateddevices.go).
import type { AllocationResult, ResourceClaim, ResourceSlice } from '../../../client/kinds/resource.v1.gen.ts'
import { type Amounts, amountsOf, combined } from './capacity.ts'
import type { ObjectSources } from '../../sources.ts'
import { deviceId, newestSlices } from './pools.ts'

interface Pending {
  readonly allocation: AllocationResult
  readonly pod: string
}

/** What somebody has of the devices, by their ids. */
export interface InUse {
  /** Nobody else can have them. */
  readonly taken: ReadonlySet<string>
  /** What is taken of those that several may have. */
  readonly shared: ReadonlyMap<string, Amounts>
}

export class Allocations {
  readonly #sources: ObjectSources
  /** By the claim's uid. */
  readonly #pending = new Map<string, Pending>()
  #slicesVersion = -1
  #slices: ResourceSlice[][] = []

  constructor(sources: ObjectSources) {
    this.#sources = sources
  }

  slices(): readonly (readonly ResourceSlice[])[] {
    const version = this.#sources.slicesVersion()
    if (version !== this.#slicesVersion) {
      this.#slicesVersion = version
      this.#slices = newestSlices(this.#sources.resourceSlices())
    }
    return this.#slices
  }

  /** To be asked for once in a cycle. */
  inUse(): InUse {
    const taken = new Set<string>()
    const shared = new Map<string, Amounts>()
    const add = ({ devices }: AllocationResult): void => {
      for (const { driver, pool, device, adminAccess, shareID, consumedCapacity } of devices.results ?? []) {
        if (adminAccess) continue
        const id = deviceId(driver, pool, device)
        if (shareID === undefined) taken.add(id)
        else shared.set(id, combined(shared.get(id), amountsOf(consumedCapacity), 1))
      }
    }
    for (const { metadata, status } of this.#sources.resourceClaims()) {
      if (!status.allocation) continue
      add(status.allocation)
      // It has been seen: what was decided stands in the claim.
      this.#pending.delete(metadata.uid ?? '')
    }
    for (const { allocation } of this.#pending.values()) add(allocation)
    return { taken, shared }
  }

  isPending(claim: string): boolean {
    return this.#pending.has(claim)
  }

  keep({ metadata }: ResourceClaim, allocation: AllocationResult, pod: string): void {
    this.#pending.set(metadata.uid ?? '', { allocation, pod })
  }

  keptFor(claim: string, pod: string): AllocationResult | undefined {
    const kept = this.#pending.get(claim)
    return kept?.pod === pod ? kept.allocation : undefined
  }

  /** The claim has another uid now: it was made in the API. Gives back what it gets. */
  rename(interim: string, uid: string): AllocationResult | undefined {
    const kept = this.#pending.get(interim)
    this.#pending.delete(interim)
    if (kept) this.#pending.set(uid, kept)
    return kept?.allocation
  }

  giveBack(pod: string): void {
    for (const [claim, kept] of this.#pending) if (kept.pod === pod) this.#pending.delete(claim)
  }
}
