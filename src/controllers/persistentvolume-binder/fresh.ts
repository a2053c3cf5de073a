// A copy of a collection that already has what we wrote ourselves, until the informer's has it as well: two claims must
// not take one volume because the first one's write is not known yet.
// Follows storeObjectUpdate of k8s.io/kubernetes/pkg/controller/volume/persistentvolume.
import { type ApiObject, keyOf } from '../../client/resource.ts'
import type { Reader } from '../../client/store.ts'

export class Fresh<T extends ApiObject> {
  readonly #reader: Reader<T>
  readonly #written = new Map<string, T>()

  constructor(reader: Reader<T>) {
    this.#reader = reader
  }

  /** The newer of what is known and what was written; undefined where it is gone. */
  get(key: string): T | undefined {
    const known = this.#reader.get(key)
    const written = this.#written.get(key)
    if (written === undefined) return known
    if (known !== undefined && isNewer(written, known)) return written
    this.#written.delete(key)
    return known
  }

  /** The answer to a write. */
  note(object: T): T {
    this.#written.set(keyOf(object), object)
    return object
  }
}

const isNewer = (written: ApiObject, known: ApiObject): boolean =>
  written.metadata.uid === known.metadata.uid &&
  BigInt(written.metadata.resourceVersion ?? 0) > BigInt(known.metadata.resourceVersion ?? 0)
