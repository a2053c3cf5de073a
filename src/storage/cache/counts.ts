// What one watch cache has done, as plain numbers. Follows k8s.io/apiserver/pkg/storage/cacher/metrics and, for what the
// engine was asked for, pkg/storage/etcd3/metrics.
import { exponentialBounds, Histogram } from '../../machinery/exposition.ts'

const WAIT_SECONDS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3]
const EVENT_BYTES = exponentialBounds(1024, 2, 8)

export class CacheCounts {
  /** Lists of everything below the prefix that the engine answered, and the objects in them. */
  initializations = 0
  listed = 0
  /** Changes that the engine told, and those that watchers were told of. */
  received = 0
  dispatched = 0
  /** Lists for clients: how many, the objects that were looked at, those that were answered. */
  lists = 0
  fetched = 0
  returned = 0
  /** Lists of the newest state, and how long those and others waited for it. */
  consistent = 0
  readonly waits = new Histogram(WAIT_SECONDS)
  /** Bytes of events as watchers had them, by the version they asked for. */
  readonly sent = new Map<string, Histogram>()

  /** The engine has listed so many objects. */
  filled(objects: number): void {
    this.initializations++
    this.listed += objects
  }

  told(received: number, dispatched: number): void {
    this.received += received
    this.dispatched += dispatched
  }

  sentIn(version: string): Histogram {
    let sent = this.sent.get(version)
    if (!sent) this.sent.set(version, (sent = new Histogram(EVENT_BYTES)))
    return sent
  }
}
