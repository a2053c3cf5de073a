// One stored object as the watch cache keeps it: JSON bytes made once, and what selectors need beside them.
// Stands between storage engines and every reader. Follows k8s.io/apiserver/pkg/storage/cacher (storeElement, cachingObject).
import { readJson } from '../../machinery/jsontext.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Revision } from '../interface.ts'

/** How many objects per process stay parsed after somebody read their fields; older ones are parsed again on need. */
const PARSED_KEPT = 512

const CREATION = Buffer.from('"creationTimestamp":')
const GENERATION = Buffer.from('"generation":')
const METADATA = Buffer.from('"metadata":{')

const ring: (Entry | undefined)[] = new Array<Entry | undefined>(PARSED_KEPT)
let ringNext = 0

const NEWLINE = 0x0a

/** Labels as selectors read them; shared empty object where there are none. */
export type Labels = Readonly<Record<string, string>>
export const NO_LABELS: Labels = Object.freeze(Object.create(null) as Record<string, string>)

/**
 * An object at one revision. `line` is its JSON in the storage version with metadata.resourceVersion in place and a
 * newline at the end, as upstream's encoder writes it; what the engine stores has neither (see `storedBytes`).
 */
export class Entry {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly revision: Revision
  readonly line: Buffer
  /** Protobuf message bytes (no envelope) of the storage version, made at the first request for them. */
  protobuf: Buffer | undefined
  #labels: Labels | undefined
  #parsed: KubeObject | undefined

  /** `labels`, where they are known, save the parsing that a label selector would need. */
  constructor(key: EntryKey, revision: Revision, stored: Buffer, labels?: Labels) {
    this.key = key.key
    this.namespace = key.namespace
    this.name = key.name
    this.revision = revision
    this.line = lineOf(stored, revision)
    this.#labels = labels
  }

  /** The object, resourceVersion included. Shared: never change it. */
  object(): KubeObject {
    if (this.#parsed) return this.#parsed
    const parsed = readJson(this.line.toString()) as KubeObject
    this.#keep(parsed)
    return parsed
  }

  labels(): Labels {
    this.#labels ??= this.object().metadata.labels ?? NO_LABELS
    return this.#labels
  }

  /** The same content under another revision: how a deletion is announced. */
  at(revision: Revision): Entry {
    return new Entry(this, revision, this.storedBytes())
  }

  /** Bytes that it takes. */
  get size(): number {
    return this.line.length
  }

  /** The JSON without the newline. */
  get bytes(): Buffer {
    return this.line.subarray(0, this.line.length - 1)
  }

  /** The bytes as the engine has them: without the resourceVersion. */
  storedBytes(): Buffer {
    const member = resourceVersionMember(this.revision)
    const start = this.line.indexOf(member)
    return Buffer.concat([
      this.line.subarray(0, start),
      this.line.subarray(start + member.length, this.line.length - 1),
    ])
  }

  /** Whether a write of these bytes would change nothing. */
  holds(stored: Buffer): boolean {
    const member = resourceVersionMember(this.revision)
    if (stored.length + member.length + 1 !== this.line.length) return false
    const start = this.line.indexOf(member)
    return (
      stored.compare(this.line, 0, start, 0, start) === 0 &&
      stored.compare(this.line, start + member.length, this.line.length - 1, start) === 0
    )
  }

  #keep(parsed: KubeObject): void {
    this.#parsed = parsed
    this.#labels = parsed.metadata.labels ?? NO_LABELS
    const evicted = ring[ringNext]
    if (evicted) evicted.#parsed = undefined
    ring[ringNext] = this
    ringNext = (ringNext + 1) % PARSED_KEPT
  }
}

export interface EntryKey {
  readonly key: string
  readonly namespace: string
  readonly name: string
}

/** Revision 0 is that of an object that was never stored: it has no resourceVersion. */
const resourceVersionMember = (revision: Revision): string =>
  revision ? `"resourceVersion":"${revision}",` : ''

/**
 * Puts `"resourceVersion":"N",` where upstream's encoder has it, before generation and creationTimestamp, and ends the line.
 * `stored` begins with kind, apiVersion, metadata; every stored object has a creationTimestamp.
 */
function lineOf(stored: Buffer, revision: Revision): Buffer {
  const creation = stored.indexOf(CREATION)
  // What stands before is names and the uid, in which there is no quote: it can be nothing else.
  const generation = creation < 0 ? -1 : stored.lastIndexOf(GENERATION, creation)
  const next = generation < 0 ? creation : generation
  const at = next < 0 ? stored.indexOf(METADATA) + METADATA.length : next
  const member = resourceVersionMember(revision)
  const out = Buffer.allocUnsafeSlow(stored.length + member.length + 1)
  stored.copy(out, 0, 0, at)
  out.write(member, at, 'latin1')
  stored.copy(out, at + member.length, at)
  out[out.length - 1] = NEWLINE
  return out
}
