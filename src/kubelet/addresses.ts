// Addresses of simulated nodes and pods: nobody listens there. Follows the role of a CNI plugin's host-local allocator.

/** An IPv4 range, as numbers. */
export interface Range {
  readonly first: number
  readonly bits: number
}

const CIDR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/

/** undefined for what is no IPv4 range. */
export function parseRange(cidr: string): Range | undefined {
  const match = CIDR.exec(cidr)
  if (!match) return undefined
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number)
  if (Math.max(a, b, c, d) > 255 || bits > 32) return undefined
  const size = 2 ** (32 - bits)
  const address = ((a * 256 + b) * 256 + c) * 256 + d
  return { first: address - (address % size), bits }
}

export const ipText = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')

/** The `index`th range of `bits` within another; undefined where there is none. */
export function subRange(range: Range, bits: number, index: number): string | undefined {
  if (bits < range.bits || index >= 2 ** (bits - range.bits)) return undefined
  return `${ipText(range.first + index * 2 ** (32 - bits))}/${bits}`
}

/** The addresses of one node's pods. The first is the node's own, as a bridge has it; the last is for broadcasts. */
export class PodAddresses {
  readonly #range: Range
  readonly #taken = new Map<string, string>()
  readonly #byAddress = new Set<string>()
  #next = 2

  constructor(range: Range) {
    this.#range = range
  }

  /** The pod's address, which is the same until it is given back; undefined where all are taken. */
  take(uid: string): string | undefined {
    const known = this.#taken.get(uid)
    if (known !== undefined) return known
    const size = 2 ** (32 - this.#range.bits)
    for (let tries = 0; tries < size; tries++) {
      if (this.#next >= size - 1) this.#next = 2
      const address = ipText(this.#range.first + this.#next++)
      if (this.#byAddress.has(address)) continue
      this.keep(uid, address)
      return address
    }
    return undefined
  }

  /** What a pod has already, since before this process began. */
  keep(uid: string, address: string): void {
    this.#taken.set(uid, address)
    this.#byAddress.add(address)
  }

  giveBack(uid: string): void {
    const address = this.#taken.get(uid)
    if (address === undefined) return
    this.#taken.delete(uid)
    this.#byAddress.delete(address)
  }
}
