// Which devices somebody has: what claims say, and what was decided and is not written yet.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/dynamicresources (dra_manager.go, allocateddevices.go).
import type { AllocationResult, ResourceClaim, ResourceSlice } from '../../../client/kinds/resource.v1.gen.ts'
import type { ObjectSources } from '../../sources.ts'
import { deviceId, newestSlices } from './pools.ts'

interface Pending {
  readonly allocation: AllocationResult
  readonly pod: string
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

  /** Ids of devices that nobody else can have. */
  taken(): ReadonlySet<string> {
    const taken = new Set<string>()
    const add = ({ devices }: AllocationResult): void => {
      for (const { driver, pool, device, adminAccess } of devices.results ?? [])
        if (!adminAccess) taken.add(deviceId(driver, pool, device))
    }
    for (const { metadata, status } of this.#sources.resourceClaims()) {
      if (!status.allocation) continue
      add(status.allocation)
      // It has been seen: what was decided stands in the claim.
      this.#pending.delete(metadata.uid ?? '')
    }
    for (const { allocation } of this.#pending.values()) add(allocation)
    return taken
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

  giveBack(pod: string): void {
    for (const [claim, kept] of this.#pending) if (kept.pod === pod) this.#pending.delete(claim)
  }
}
