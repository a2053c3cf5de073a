// The chunked transfer coding of a webhook's reply. Follows net/http/internal/chunked.go of Go, with its words.

/** As Go's reader has it. */
const MAX_LINE = 4096
/** What may be beside the data: 16 bytes for each chunk and twice the data, and this. */
const MAX_EXCESS = 16 * 1024
const EXCESS_OF_A_CHUNK = 16
/** Lengths that numbers hold; 16 digits are a length for Go. */
const MAX_DIGITS = 13
const [CR, LF] = [0x0d, 0x0a]
const END = 2

export class ChunkReader {
  isDone = false
  /** Bytes of the chunk that are still to come; its line end counts. */
  #left = 0
  #excess = 0
  #inTrailer = false

  /** Takes bytes; the data in them, and what could not be read yet or stands behind the end. Throws an Error. */
  take(bytes: Buffer): { parts: Buffer[]; rest: Buffer } {
    const parts: Buffer[] = []
    let rest = bytes
    while (!this.isDone && rest.length > 0) {
      const used = this.#left > 0 ? this.#readData(rest, parts) : this.#readLine(rest)
      if (used === 0) break
      rest = rest.subarray(used)
    }
    return { parts, rest }
  }

  #readData(bytes: Buffer, parts: Buffer[]): number {
    const data = Math.min(this.#left - END, bytes.length)
    if (data > 0) {
      parts.push(bytes.subarray(0, data))
      this.#left -= data
      return data
    }
    if (bytes.length < END) return 0
    if (bytes[0] !== CR || bytes[1] !== LF) throw new Error('malformed chunked encoding')
    this.#left = 0
    return END
  }

  #readLine(bytes: Buffer): number {
    const at = bytes.indexOf(LF)
    if ((at < 0 ? bytes.length : at) > MAX_LINE) throw new Error('header line too long')
    if (at < 0) return 0
    const line = bytes.toString('latin1', 0, at + 1)
    if (this.#inTrailer) this.#trail(line)
    else this.#begin(line)
    return at + 1
  }

  #begin(line: string): void {
    const end = line.indexOf('\r')
    if (end < 0) throw new Error('chunked line ends with bare LF')
    if (end !== line.length - END) throw new Error('invalid CR in chunked line')
    const size = sizeOf(line.slice(0, end))
    this.#excess = Math.max(0, this.#excess + line.length - EXCESS_OF_A_CHUNK - 2 * size)
    if (this.#excess > MAX_EXCESS) throw new Error('chunked encoding contains too much non-data')
    if (size === 0) this.#inTrailer = true
    else this.#left = size + END
  }

  #trail(line: string): void {
    this.#excess += line.length
    if (this.#excess > MAX_EXCESS) throw new Error('http: suspiciously long trailer after chunked body')
    if (line === '\r\n' || line === '\n') this.isDone = true
  }
}

function sizeOf(line: string): number {
  const [digits = ''] = line.trimEnd().split(';', 1)
  if (digits === '') throw new Error('empty hex number for chunk length')
  if (!/^[0-9a-f]+$/i.test(digits)) throw new Error('invalid byte in chunk length')
  if (digits.length > MAX_DIGITS) throw new Error('http chunk length too large')
  return Number.parseInt(digits, 16)
}
