// One quick pass over the bytes of a JSON text, before it is parsed: what JSON.parse would not tell.
// It only flags what *may* be odd; json.ts looks closely at the few texts that are flagged.

/**
 * DEVIATION: upstream stops at 10,000. JSON.stringify and every recursive walk of ours share one stack of about 1 MB,
 * and the former overflows near 4,000 levels; 1,000 leaves room, and no real object comes near it.
 */
export const MAX_DEPTH = 1000

/** From here a linear search through the hashes of an object's keys costs more than the exact walk with sets. */
const MAX_HASHED_KEYS = 64

export interface Findings {
  tooDeep: boolean
  ascii: boolean
  /** There is a backslash. */
  escapes: boolean
  /** A number of 16 or more digits, or one with an exponent. */
  oddNumbers: boolean
  /** A number with a decimal point. */
  fractions: boolean
  maybeDuplicates: boolean
}

// Shared scratch: hashes of the keys of all open objects, and for every open object where its own begin (-1: an array).
const hashes = new Int32Array(MAX_DEPTH * (MAX_HASHED_KEYS + 1))
const frames = new Int32Array(MAX_DEPTH + 1)
// Of the string that readString has read: its end, the hash of its bytes, and whether it has an escape that stands for a
// character which can be written otherwise. That of a quote or a backslash has no other short form; a \u is always odd.
let stringEnd = 0
let stringIsOdd = false
let stringHash = 0
let stringBits = 0

/** Reads the string after the quote at `start`; returns whether it has a backslash. */
function readString(bytes: Buffer, start: number): boolean {
  let hash = 17
  let bits = 0
  let escaped = false
  let odd = false
  const length = bytes.length
  let i = start + 1
  for (; i < length; i++) {
    const c = bytes[i] as number
    if (c === 0x22) break
    bits |= c
    hash = (Math.imul(hash, 31) + c) | 0
    if (c === 0x5c) {
      escaped = true
      const next = bytes[++i] as number
      if (next !== 0x22 && next !== 0x5c) odd = true
      bits |= next
      hash = (Math.imul(hash, 31) + next) | 0
    }
  }
  stringEnd = i
  stringIsOdd = odd
  stringHash = hash
  stringBits = bits
  return escaped
}

const newFindings = (): Findings => ({
  tooDeep: false,
  ascii: true,
  escapes: false,
  oddNumbers: false,
  fractions: false,
  maybeDuplicates: false,
})

/** Inspects any bytes, valid JSON or not; never throws. About 2 ns a byte. */
export function inspectJson(bytes: Buffer): Findings {
  const found = newFindings()
  let depth = 0
  let keys = 0
  let firstKey = 0
  let expectKey = false
  let bits = 0
  const length = bytes.length
  for (let i = 0; i < length; i++) {
    const c = bytes[i] as number
    if (c === 0x22) {
      if (readString(bytes, i)) {
        found.escapes = true
        if (expectKey && stringIsOdd) found.maybeDuplicates = true
      }
      bits |= stringBits
      i = stringEnd
      if (!expectKey) continue
      expectKey = false
      if (keys - firstKey >= MAX_HASHED_KEYS) found.maybeDuplicates = true
      else {
        for (let k = firstKey; k < keys; k++) if (hashes[k] === stringHash) found.maybeDuplicates = true
        hashes[keys++] = stringHash
      }
    } else if (c === 0x2c) {
      expectKey = depth > 0 && (frames[depth] as number) >= 0
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) {
        found.tooDeep = true
        return found
      }
      expectKey = c === 0x7b
      frames[depth] = expectKey ? keys : -1
      firstKey = keys
    } else if (c === 0x7d || c === 0x5d) {
      if (depth > 0) {
        const own = frames[depth] as number
        if (own >= 0) keys = own
        const outer = --depth > 0 ? (frames[depth] as number) : 0
        firstKey = outer >= 0 ? outer : keys
      }
      expectKey = false
    } else if (c >= 0x30 && c <= 0x39) {
      const start = i
      let next = bytes[i + 1] as number
      while (next >= 0x2b && next <= 0x39 && next !== 0x2c) {
        if (next === 0x2e) found.fractions = true
        next = bytes[++i + 1] as number
      }
      if (i - start >= 15 || next === 0x65 || next === 0x45) found.oddNumbers = true
    } else bits |= c
  }
  found.ascii = bits < 0x80
  return found
}
