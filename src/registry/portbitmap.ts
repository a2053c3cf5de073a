// Which ports of a range are taken, as the record in the store has it: a RangeAllocation whose data is one big number,
// highest byte first, with a bit for each port. Follows pkg/registry/core/service/allocator/bitmap.go.
import type { KubeObject } from '../machinery/object.ts'
import { textAt } from './reading.ts'

/** First and last port. */
export type PortSpan = readonly [number, number]

export class PortBitmap {
  readonly #span: PortSpan
  readonly #bytes: Buffer

  /** `record` counts where it is of the same range. */
  constructor(span: PortSpan, record?: KubeObject) {
    this.#span = span
    this.#bytes = Buffer.alloc(Math.ceil((span[1] - span[0] + 1) / 8))
    if (!record || !PortBitmap.covers(record, span)) return
    const data = Buffer.from(textAt(record['data']), 'base64').subarray(-this.#bytes.length)
    data.copy(this.#bytes, this.#bytes.length - data.length)
  }

  static covers(record: KubeObject, span: PortSpan): boolean {
    return record['range'] === rangeText(span)
  }

  has(port: number): boolean {
    const [at, bit] = this.#place(port)
    return ((this.#bytes[at] ?? 0) & bit) !== 0
  }

  /** Ports outside of the range are nobody's. */
  set(port: number): void {
    const [at, bit] = this.#place(port)
    const byte = this.#bytes[at]
    if (byte !== undefined) this.#bytes[at] = byte | bit
  }

  clear(port: number): void {
    const [at, bit] = this.#place(port)
    const byte = this.#bytes[at]
    if (byte !== undefined) this.#bytes[at] = byte & ~bit
  }

  /** As it is stored: without zeros in front. */
  record(): KubeObject {
    const first = this.#bytes.findIndex((byte) => byte !== 0)
    const data = first < 0 ? Buffer.alloc(0) : this.#bytes.subarray(first)
    return {
      kind: 'RangeAllocation',
      apiVersion: 'v1',
      metadata: {},
      range: rangeText(this.#span),
      data: data.toString('base64'),
    }
  }

  #place(port: number): readonly [number, number] {
    const index = port - this.#span[0]
    return [this.#bytes.length - 1 - (index >> 3), 1 << (index & 7)]
  }
}

const rangeText = ([first, last]: PortSpan): string => `${first}-${last}`
