// The ranges that cluster IPs come from: those of all ServiceCIDR objects that are ready, and before the first of them
// is there, those of the server's flags. Read by allocators.ts, right before an address is given out.
// Follows syncAllocators and getAllocator of pkg/registry/core/service/ipallocator/cidrallocator.go.
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import { parseBlock, type Address, type Block, type Family } from './addresses.ts'
import { objectAt, objectsAt, textsAt } from './reading.ts'

export const SERVICE_CIDRS = { group: 'networking.k8s.io', resource: 'servicecidrs' } as const

/** A block, and whether addresses may be given out of it: one that is being deleted only takes them back. */
interface Range {
  readonly block: Block
  readonly ready: boolean
}

export class AddressRanges {
  readonly #lister: Lister
  readonly #configured: readonly Range[]
  #ranges: readonly Range[]
  #seen = -1

  constructor(lister: Lister, configured: readonly Block[]) {
    this.#lister = lister
    this.#configured = configured.map((block) => ({ block, ready: true }))
    this.#ranges = this.#configured
  }

  /** Blocks of a family that addresses may be drawn from. */
  of(family: Family): readonly Block[] {
    return this.#current()
      .filter(({ block, ready }) => ready && block.family === family)
      .map(({ block }) => block)
  }

  /** Whether an address that is asked for may be given: it is in a ready block, and is no end of it. */
  hold({ family, value }: Address): boolean {
    return this.of(family).some(
      ({ first, last }) => first < value && (value < last || (last === value && family === 'IPv6')),
    )
  }

  #current(): readonly Range[] {
    const version = this.#lister.version(SERVICE_CIDRS)
    if (version === this.#seen) return this.#ranges
    this.#seen = version
    const ranges = this.#lister.list(SERVICE_CIDRS, '').flatMap(rangesOf)
    return (this.#ranges = ranges.length ? ranges : this.#configured)
  }
}

function rangesOf(cidr: KubeObject): Range[] {
  const conditions = objectsAt(objectAt(cidr['status'])['conditions'])
  // Where nobody tells, no controller runs, and all are ready.
  const told = conditions.find((condition) => condition['type'] === 'Ready')?.['status']
  const ready = (told === undefined || told === 'True') && cidr.metadata.deletionTimestamp === undefined
  return textsAt(objectAt(cidr['spec'])['cidrs']).flatMap((text) => {
    const block = parseBlock(text)
    return block ? [{ block, ready }] : []
  })
}
