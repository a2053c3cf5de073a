// How values are turned on their way into the store and out of it, and the prefixes that tell by what.
// Below the engines' wrapper (storage.ts); follows k8s.io/apiserver/pkg/storage/value and its encrypt/identity.

export interface Opened {
  readonly value: Buffer
  /** Not as it would be written today: by an older key, or by another provider. */
  readonly stale: boolean
}

/**
 * Both directions take the key of the store, which some ciphers bind the value to. They answer at once where they can: only
 * providers beyond this process make them wait. What cannot be turned is an Error whose message is the operator's; it never
 * holds any of the value.
 */
export interface Transformer {
  fromStorage(data: Buffer, key: string): Opened | Promise<Opened>
  toStorage(value: Buffer, key: string): Buffer | Promise<Buffer>
}

/** A transformer, and what the values begin with that it has written. */
export interface Prefixed {
  readonly prefix: Buffer
  readonly transformer: Transformer
}

/** Objects that are encrypted begin so, whatever they are encrypted by. */
const ENCRYPTED = Buffer.from('k8s:enc:')

const beginsWith = (data: Buffer, prefix: Buffer): boolean =>
  data.length >= prefix.length && data.compare(prefix, 0, prefix.length, 0, prefix.length) === 0

/** Leaves values as they are; refuses to show ciphertext for an object. */
export const identity: Transformer = {
  fromStorage(data) {
    if (beginsWith(data, ENCRYPTED)) throw new Error('identity transformer tried to read encrypted data')
    return { value: data, stale: false }
  },
  toStorage: (value) => value,
}

/** The first writes; each reads what begins with its prefix. `none` is said of values that begin with no prefix. */
export function prefixed(none: string, transformers: readonly Prefixed[]): Transformer {
  const [first] = transformers
  if (!first) throw new Error('a list of transformers cannot be empty')
  return {
    toStorage(value, key) {
      const written = first.transformer.toStorage(value, key)
      if (written instanceof Promise) return written.then((data) => Buffer.concat([first.prefix, data]))
      return first.prefix.length === 0 ? written : Buffer.concat([first.prefix, written])
    },
    fromStorage(data, key) {
      const candidates = transformers.filter(({ prefix }) => beginsWith(data, prefix))
      return openFirst(candidates, { data, key, none, first, faults: [] })
    },
  }
}

interface Opening {
  readonly data: Buffer
  readonly key: string
  readonly none: string
  readonly first: Prefixed
  readonly faults: string[]
}

/** Two providers may share a prefix, an old key and a new one: what one cannot read may be the next one's. */
function openFirst(candidates: readonly Prefixed[], opening: Opening): Opened | Promise<Opened> {
  for (const [i, candidate] of candidates.entries()) {
    const rest = candidates.slice(i + 1)
    try {
      const opened = candidate.transformer.fromStorage(
        opening.data.subarray(candidate.prefix.length),
        opening.key,
      )
      if (!(opened instanceof Promise)) return ranked(opened, candidate, opening.first)
      return opened.then(
        (value) => ranked(value, candidate, opening.first),
        (error: unknown) => {
          noteFault(candidate, error, opening.faults)
          return openFirst(rest, opening)
        },
      )
    } catch (error) {
      noteFault(candidate, error, opening.faults)
    }
  }
  throw new Error(aggregate(opening.faults) || opening.none)
}

/** Identity refuses what others have encrypted; that is not why the value cannot be read. */
function noteFault({ prefix }: Prefixed, error: unknown, faults: string[]): void {
  if (prefix.length > 0) faults.push(error instanceof Error ? error.message : String(error))
}

const ranked = (opened: Opened, by: Prefixed, first: Prefixed): Opened =>
  by === first || opened.stale ? opened : { value: opened.value, stale: true }

/** As k8s.io/apimachinery's aggregate prints errors: each once, several in brackets. */
export function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)]
  return distinct.length > 1 ? `[${distinct.join(', ')}]` : (distinct[0] ?? '')
}
