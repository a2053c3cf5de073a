// Large answers in pieces: many small buffers are copied into few large ones, and those are used again once they are
// sent. Between the views and the exchange; takes the place of the response buffers of net/http.
//
// Memory outside V8's heap makes it collect garbage by the tens of megabytes: with fresh buffers for each list, half of
// a list's time went into that.

/** As much as a stored block of gzip holds (compress.ts), with room for its header. */
export const SEGMENT_BYTES = 5 + 0xffff
const PIECE_BYTES = 4 * SEGMENT_BYTES
/** Free buffers that are kept; as many lists can be under way before new memory is needed. */
const MAX_FREE = 16

const free: Buffer[] = []
/** The buffers that were made here, by their memory. */
const made = new WeakMap<ArrayBufferLike, Buffer>()

function take(): Buffer {
  const kept = free.pop()
  if (kept) return kept
  const fresh = Buffer.allocUnsafeSlow(PIECE_BYTES)
  made.set(fresh.buffer, fresh)
  return fresh
}

/** May be called once for a piece that nobody will read again. One that is never given back is garbage like other buffers. */
export function giveBack(piece: Buffer): void {
  const whole = made.get(piece.buffer)
  if (whole && free.length < MAX_FREE) free.push(whole)
}

/**
 * Joins parts to pieces. With `header`, each SEGMENT_BYTES of a piece begin with that many bytes that are left for the
 * caller to fill in.
 */
export function* joined(parts: Iterable<Buffer>, header = 0): Generator<Buffer> {
  let piece = take()
  let at = 0
  for (const part of parts) {
    for (let from = 0; from < part.length;) {
      if (at === PIECE_BYTES) {
        yield piece
        piece = take()
        at = 0
      }
      if (at % SEGMENT_BYTES === 0) at += header
      const length = Math.min(part.length - from, SEGMENT_BYTES - (at % SEGMENT_BYTES))
      part.copy(piece, at, from, from + length)
      from += length
      at += length
    }
  }
  if (at > 0) yield piece.subarray(0, at)
  else giveBack(piece)
}

/** The parts as one buffer where all of them together are shorter than `limit`; else the same parts, begun but whole. */
export function shortAsOne(parts: Iterable<Buffer>, limit: number): Buffer | Iterable<Buffer> {
  const rest = parts[Symbol.iterator]()
  const first: Buffer[] = []
  let size = 0
  for (let next = rest.next(); !next.done; next = rest.next()) {
    first.push(next.value)
    size += next.value.length
    if (size >= limit) return goingOn(first, rest)
  }
  return Buffer.concat(first, size)
}

/** No generator: it would be resumed for each of thousands of parts. */
function goingOn(first: readonly Buffer[], rest: Iterator<Buffer>): Iterable<Buffer> {
  let given = 0
  const next = (): IteratorResult<Buffer> =>
    given < first.length ? { done: false, value: first[given++] as Buffer } : rest.next()
  return { [Symbol.iterator]: () => ({ next }) }
}
