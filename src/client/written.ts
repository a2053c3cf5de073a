// What a controller wrote last, so that it does not act on a copy from before. Follows
// k8s.io/kubernetes/pkg/controller/util/consistency.
import { type ApiObject, keyOf } from './resource.ts'

interface Write {
  readonly uid: string | undefined
  readonly version: bigint
}

/** By key of the object. Versions are compared as numbers, as upstream does. */
export class Written {
  readonly #last = new Map<string, Write>()

  /** The answer to a write. */
  note(object: ApiObject): void {
    const version = versionOf(object)
    if (version !== undefined) this.#last.set(keyOf(object), { uid: object.metadata.uid, version })
  }

  /** Whether this copy is older than the last write: the next change of the copy leads to another look. */
  isNewerThan(copy: ApiObject): boolean {
    const write = this.#last.get(keyOf(copy))
    if (write === undefined || write.uid !== copy.metadata.uid) return false
    const version = versionOf(copy)
    return version !== undefined && version < write.version
  }

  forget(key: string): void {
    this.#last.delete(key)
  }
}

const versionOf = ({ metadata: { resourceVersion = '' } }: ApiObject): bigint | undefined =>
  /^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : undefined
