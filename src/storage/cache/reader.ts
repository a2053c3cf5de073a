// Stored bytes that must be converted before a watch cache can hold them, and the entries of objects for which that
// failed. Follows k8s.io/apiserver/pkg/storage/etcd3 (decoding) and pkg/storage/errors.go.
import type { KubeObject } from '../../machinery/object.ts'
import type { StoredReader } from '../../machinery/storedreader.ts'
import type { Revision } from '../interface.ts'
import { Entry, type EntryKey, type Labels } from './entry.ts'

/** What was made of values, by the values themselves. */
export type Made = ReadonlyMap<Buffer, Buffer | Error>
export const NOTHING_MADE: Made = new Map()

/** Converts those of the values that need it. */
export async function convertAll({ converter }: StoredReader, values: readonly Buffer[]): Promise<Made> {
  const needed = converter ? values.filter((value) => converter.applies(value)) : []
  if (!converter || needed.length === 0) return NOTHING_MADE
  const results = await converter.convert(needed)
  return new Map(needed.map((value, i) => [value, results[i] as Buffer | Error]))
}

const NOTHING = Buffer.from('{"metadata":{}}')

/** An object that is there and cannot be read: whoever looks into it gets the error that says why. */
export class BrokenEntry extends Entry {
  readonly stored: Buffer
  readonly error: Error

  constructor(key: EntryKey, revision: Revision, stored: Buffer, error: Error) {
    super(key, revision, NOTHING)
    this.stored = stored
    this.error = error
    Object.defineProperty(this, 'line', { get: () => this.#refuse() })
  }

  override get size(): number {
    return this.stored.length
  }

  override object(): KubeObject {
    return this.#refuse()
  }

  override labels(): Labels {
    return this.#refuse()
  }

  override at(revision: Revision): Entry {
    return new BrokenEntry(this, revision, this.stored, this.error)
  }

  #refuse(): never {
    throw this.error
  }
}
