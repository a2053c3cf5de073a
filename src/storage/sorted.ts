// An ordered map from string keys: what the memory engine lists from.
// Stands below storage's engines; takes the place that a B-tree has in etcd's server/storage/mvcc.
//
// Keys lie in chunks of bounded size, so that an insert is two binary searches and one short move of memory.

/** A chunk is split in two when it grows past this: moves stay within the L1 cache. */
const CHUNK_MAX = 512

interface Chunk<V> {
  keys: string[]
  values: V[]
}

/** Keys that sort by code unit as they sort by UTF-8 byte in etcd and lmdb (the two differ past U+D7FF). */
export function byteOrdered(key: string): string {
  for (let i = 0; i < key.length; i++) {
    if (key.charCodeAt(i) > 0x7f) return Buffer.from(key, 'utf8').toString('latin1')
  }
  return key
}

/** The least key that is above every key with this prefix. */
export function prefixEnd(prefix: string): string {
  const last = prefix.length - 1
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1)
}

/** First index in `keys` that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}

export class SortedMap<V> {
  private readonly chunks: Chunk<V>[] = []

  /** Sets the value at `key`, which must be {@link byteOrdered}. */
  set(key: string, value: V): void {
    const at = Math.min(this.chunkOf(key), Math.max(this.chunks.length - 1, 0))
    const chunk = this.chunks[at]
    if (chunk === undefined) {
      this.chunks.push({ keys: [key], values: [value] })
      return
    }
    const index = lowerBound(chunk.keys, key)
    if (chunk.keys[index] === key) {
      chunk.values[index] = value
      return
    }
    chunk.keys.splice(index, 0, key)
    chunk.values.splice(index, 0, value)
    if (chunk.keys.length > CHUNK_MAX) this.split(at, index)
  }

  delete(key: string): void {
    const at = this.chunkOf(key)
    const chunk = this.chunks[at]
    if (chunk === undefined) return
    const index = lowerBound(chunk.keys, key)
    if (chunk.keys[index] !== key) return
    chunk.keys.splice(index, 1)
    chunk.values.splice(index, 1)
    if (chunk.keys.length === 0) this.chunks.splice(at, 1)
  }

  /** Visits the values of keys in [from, to) in order, until `visit` answers false. */
  scan(from: string, to: string, visit: (value: V) => boolean): void {
    let at = this.chunkOf(from)
    let chunk = this.chunks[at]
    let index = chunk === undefined ? 0 : lowerBound(chunk.keys, from)
    while (chunk !== undefined) {
      for (; index < chunk.keys.length; index++) {
        if ((chunk.keys[index] as string) >= to || !visit(chunk.values[index] as V)) return
      }
      chunk = this.chunks[++at]
      index = 0
    }
  }

  /** Index of the first chunk whose greatest key is not below `key`; the number of chunks if there is none. */
  private chunkOf(key: string): number {
    let low = 0
    let high = this.chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const keys = (this.chunks[middle] as Chunk<V>).keys
      if ((keys[keys.length - 1] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Keys mostly arrive in ascending order; a split at the end then leaves the full chunk as it is. */
  private split(at: number, insertedAt: number): void {
    const chunk = this.chunks[at] as Chunk<V>
    const appended = insertedAt === chunk.keys.length - 1
    const cut = appended ? chunk.keys.length - 1 : chunk.keys.length >>> 1
    const upper = { keys: chunk.keys.splice(cut), values: chunk.values.splice(cut) }
    this.chunks.splice(at + 1, 0, upper)
  }
}
