// Objects that several users of one process watch, parsed once and kept once: to everybody the same version of an object
// is the same. They may, as what informers hand out is not changed by anybody.
// Follows the role of the one SharedInformerFactory of upstream's processes.
import type { ApiObject } from './resource.ts'
import type { EventReader, WatchEvent } from './watchevents.ts'

/** How an API server writes an event, up to the version of its object. */
const HEAD =
  /^\{"type":"(ADDED|MODIFIED)","object":\{"kind":"[A-Za-z]+","apiVersion":"[^"\\]+","metadata":\{"name":"[^"\\]*",(?:"generateName":"[^"\\]*",)?(?:"namespace":"[^"\\]*",)?"uid":"([^"\\]+)","resourceVersion":"(\d+)"/
/** Names are no longer than 253, so it ends within these bytes. */
const HEAD_BYTES = 1024
/** Below so many nothing is looked through for objects that nobody has any more. */
const MIN_SWEEP = 1000

export class SharedObjects implements EventReader {
  /** By uid, the newest version that was seen. */
  readonly #known = new Map<string, WeakRef<ApiObject>>()
  #sweepAt = MIN_SWEEP

  /** Rejects as JSON.parse does. */
  read<T extends ApiObject>(line: Buffer): WatchEvent<T> {
    const [, type, uid = '', version] = HEAD.exec(line.toString('latin1', 0, HEAD_BYTES)) ?? []
    const known = type === undefined ? undefined : this.#known.get(uid)?.deref()
    if (known && known.metadata.resourceVersion === version)
      return { type: type as 'ADDED', object: known as T }
    const event = JSON.parse(line.toString()) as WatchEvent<T>
    if (event.type === 'DELETED') this.#known.delete(event.object.metadata.uid ?? '')
    // Who lags behind must not bring back what the others are past.
    else if (type !== undefined && !(Number(known?.metadata.resourceVersion) > Number(version)))
      this.#keep(uid, event.object as T)
    return event
  }

  #keep(uid: string, object: ApiObject): void {
    this.#known.set(uid, new WeakRef(object))
    if (this.#known.size < this.#sweepAt) return
    for (const [key, one] of this.#known) if (one.deref() === undefined) this.#known.delete(key)
    this.#sweepAt = Math.max(MIN_SWEEP, 2 * this.#known.size)
  }
}
