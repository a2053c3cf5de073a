// How values are turned on their way into the store and out of it, and the prefixes that tell by what.
// Below the engines' wrapper (storage.ts); follows k8s.io/apiserver/pkg/storage/value and its encrypt/identity.
import type { Note, Turned } from './meter.ts'

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

const UNHEARD: Note = () => undefined

/** The first writes; each reads what begins with its prefix. `none` is said of values that begin with no prefix. */
export function prefixed(none: string, transformers: readonly Prefixed[], note: Note = UNHEARD): Transformer {
  const [first] = transformers
  if (!first) throw new Error('a list of transformers cannot be empty')
  return {
    toStorage(value, key) {
      const told = noter(note, { key, direction: 'to_storage', prefix: first.prefix.toString() })
      const written = told.during(() => first.transformer.toStorage(value, key))
      if (written instanceof Promise) return written.then((data) => Buffer.concat([first.prefix, data]))
      return first.prefix.length === 0 ? written : Buffer.concat([first.prefix, written])
    },
    fromStorage(data, key) {
      const candidates = transformers.filter(({ prefix }) => beginsWith(data, prefix))
      return openFirst(candidates, { data, key, none, first, faults: [], note, startedAt: performance.now() })
    },
  }
}

/** Tells what came of one turn, and when. */
function noter(note: Note, turn: Omit<Turned, 'startedAt' | 'fault'>, startedAt = performance.now()) {
  const failed = (error: unknown): never => {
    note({ ...turn, startedAt, fault: messageOf(error) })
    throw error
  }
  const done = <T>(result: T): T => {
    note({ ...turn, startedAt })
    return result
  }
  return {
    during<T>(act: () => T | Promise<T>): T | Promise<T> {
      let result: T | Promise<T>
      try {
        result = act()
      } catch (error) {
        return failed(error)
      }
      return result instanceof Promise ? result.then(done, failed) : done(result)
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

interface Opening {
  readonly data: Buffer
  readonly key: string
  readonly none: string
  readonly first: Prefixed
  readonly faults: string[]
  readonly note: Note
  readonly startedAt: number
}

/** Two providers may share a prefix, an old key and a new one: what one cannot read may be the next one's. */
function openFirst(candidates: readonly Prefixed[], opening: Opening): Opened | Promise<Opened> {
  for (const [i, candidate] of candidates.entries()) {
    const rest = candidates.slice(i + 1)
    try {
      const opened = openBy(candidate, opening)
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
  const { faults, none, note, key, startedAt } = opening
  if (faults.length === 0) note({ key, direction: 'from_storage', prefix: 'unknown', startedAt, fault: none })
  throw new Error(aggregate(faults) || none)
}

/** That identity does not read what others have encrypted is nobody's fault. */
function openBy({ prefix, transformer }: Prefixed, opening: Opening): Opened | Promise<Opened> {
  const { data, key, startedAt } = opening
  const direction = 'from_storage'
  const isIdentity = prefix.length === 0
  const note: Note = (turned) => {
    if (!isIdentity || turned.fault === undefined) opening.note(turned)
  }
  const turn = { key, direction, prefix: isIdentity ? 'identity' : prefix.toString() } as const
  return noter(note, turn, startedAt).during(() => transformer.fromStorage(data.subarray(prefix.length), key))
}

/** Identity refuses what others have encrypted; that is not why the value cannot be read. */
function noteFault({ prefix }: Prefixed, error: unknown, faults: string[]): void {
  if (prefix.length > 0) faults.push(messageOf(error))
}

const ranked = (opened: Opened, by: Prefixed, first: Prefixed): Opened =>
  by === first || opened.stale ? opened : { value: opened.value, stale: true }

/** As k8s.io/apimachinery's aggregate prints errors: each once, several in brackets. */
export function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)]
  return distinct.length > 1 ? `[${distinct.join(', ')}]` : (distinct[0] ?? '')
}
