// An engine whose values lie encrypted in the store: everything above it sees them as they were written.
// Between the watch caches and the engine, and there only where a configuration asks for it. Follows the use of transformers
// in k8s.io/apiserver/pkg/storage/etcd3 (store.go, watcher.go).
import { goQuote } from '../../machinery/quote.ts'
import { StatusError } from '../../machinery/status.ts'
import type {
  Compacted,
  Future,
  GetResult,
  KeyValue,
  ListRequest,
  ListResult,
  Revision,
  Storage,
  StoreEvent,
  StoreWatch,
  WatchSink,
  Write,
  WriteResult,
} from '../interface.ts'
import { isCompacted, isFuture, UnreadableValue } from '../interface.ts'
import type { Transformer } from './transformer.ts'

/** Values are turned by the transformer of their key, as it is at that moment. */
export class EncryptedStorage implements Storage {
  private readonly engine: Storage
  private readonly transformerFor: (key: string) => Transformer
  /** What is being written, as it will come back in events: nobody decrypts it to find out. */
  private readonly writing = new Map<Buffer, Buffer>()

  private readonly closed: () => void

  /** `closed` is called once the engine is. */
  constructor(engine: Storage, transformerFor: (key: string) => Transformer, closed: () => void) {
    this.engine = engine
    this.transformerFor = transformerFor
    this.closed = closed
  }

  async get(key: string): Promise<GetResult> {
    const { kv, revision } = await this.engine.get(key)
    return { kv: kv && (await this.opened(kv)), revision }
  }

  async list(request: ListRequest): Promise<ListResult | Compacted | Future> {
    const list = await this.engine.list(request)
    if (isCompacted(list) || isFuture(list)) return list
    const items: KeyValue[] = []
    for (const item of list.items) {
      const opened = this.opened(item)
      // Waiting where nothing waits would cost a turn for each of thousands.
      items.push(opened instanceof Promise ? await opened : opened)
    }
    return { ...list, items }
  }

  async write(write: Write): Promise<WriteResult> {
    const { key, value: plain } = write
    if (plain === null) return this.outcome(await this.engine.write(write))
    const value = await this.sealed(plain, key)
    this.writing.set(value, plain)
    try {
      return await this.outcome(await this.engine.write({ ...write, value }))
    } finally {
      this.writing.delete(value)
    }
  }

  /** Whether the value would be encrypted otherwise if it were written now. */
  async isStale(key: string): Promise<boolean> {
    const { kv } = await this.engine.get(key)
    if (!kv) return false
    try {
      return (await this.transformerFor(key).fromStorage(kv.value, key)).stale
    } catch (error) {
      throw unreadable(key, error)
    }
  }

  watch(prefix: string, from: Revision, sink: WatchSink): StoreWatch {
    const turned = new TurnedSink(sink, (event) => this.turned(event))
    const watch = this.engine.watch(prefix, from, turned)
    turned.stop = () => watch.close()
    return {
      close() {
        turned.over = true
        watch.close()
      },
      requestProgress: (atLeast) => watch.requestProgress(atLeast),
    }
  }

  currentRevision(): Promise<Revision> {
    return this.engine.currentRevision()
  }

  compact(revision: Revision): Promise<void> {
    return this.engine.compact(revision)
  }

  size(): Promise<number | undefined> {
    return this.engine.size()
  }

  async close(): Promise<void> {
    await this.engine.close()
    this.closed()
  }

  private async sealed(plain: Buffer, key: string): Promise<Buffer> {
    try {
      return await this.transformerFor(key).toStorage(plain, key)
    } catch (error) {
      throw refusal(messageOf(error))
    }
  }

  private async outcome(result: WriteResult): Promise<WriteResult> {
    if (result.ok || !result.current) return result
    return { ok: false, current: await this.opened(result.current) }
  }

  private opened(kv: KeyValue): KeyValue | Promise<KeyValue> {
    const value = this.plainOf(kv.value, kv.key)
    return value instanceof Promise ? value.then((plain) => ({ ...kv, value: plain })) : { ...kv, value }
  }

  private plainOf(data: Buffer, key: string): Buffer | Promise<Buffer> {
    const own = this.writing.get(data)
    if (own) return own
    try {
      const opened = this.transformerFor(key).fromStorage(data, key)
      if (!(opened instanceof Promise)) return opened.value
      return opened.then(
        ({ value }) => value,
        (error: unknown) => {
          throw unreadable(key, error)
        },
      )
    } catch (error) {
      throw unreadable(key, error)
    }
  }

  private turned(event: StoreEvent): StoreEvent | Promise<StoreEvent> {
    let value: Buffer | Promise<Buffer> | undefined
    try {
      value = event.value && this.plainOf(event.value, event.key)
    } catch (error) {
      // Thrown at once, it would leave alone what others of the same commit are still waiting for.
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
    const previous = this.before(event)
    if (!(value instanceof Promise) && !(previous instanceof Promise)) return { ...event, value, previous }
    return Promise.all([value, previous]).then(([now, then]) => ({ ...event, value: now, previous: then }))
  }

  /** What nobody can read any more is no reason to hold back what came after it. */
  private before({ key, previous }: StoreEvent): StoreEvent['previous'] | Promise<StoreEvent['previous']> {
    if (!previous) return undefined
    const { modRevision } = previous
    try {
      const value = this.plainOf(previous.value, key)
      if (!(value instanceof Promise)) return { value, modRevision }
      return value.then(
        (plain) => ({ value: plain, modRevision }),
        () => undefined,
      )
    } catch {
      return undefined
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** As upstream's storage says it; the cause is for the log, and for a start that fails by it. */
function refusal(why: string, Refusal: typeof StatusError = StatusError): StatusError {
  const message = `Internal error occurred: ${why}`
  const details = { causes: [{ message: why }] }
  return new Refusal({ code: 500, reason: 'InternalError', message, details }, new Error(why))
}

const unreadable = (key: string, error: unknown): StatusError =>
  refusal(`unable to transform key ${goQuote(key)}: ${messageOf(error)}`, UnreadableValue)

/** Hands on what the engine tells, turned and in its order, also where turning takes time. */
class TurnedSink implements WatchSink {
  over = false
  stop: () => void = () => undefined
  private readonly sink: WatchSink
  private readonly turn: (event: StoreEvent) => StoreEvent | Promise<StoreEvent>
  /** The last thing that waits for its turn. */
  private waiting: Promise<void> | undefined

  constructor(sink: WatchSink, turn: (event: StoreEvent) => StoreEvent | Promise<StoreEvent>) {
    this.sink = sink
    this.turn = turn
  }

  events(events: readonly StoreEvent[], revision: Revision): void {
    this.inOrder(() => {
      const turned = events.map((event) => this.turn(event))
      if (!turned.some((event) => event instanceof Promise))
        return this.sink.events(turned as StoreEvent[], revision)
      return Promise.all(turned).then(
        (all) => this.attempt(() => this.sink.events(all, revision)),
        () => this.fail(revision),
      )
    })
  }

  progress(revision: Revision): void {
    this.inOrder(() => this.sink.progress(revision))
  }

  ended(why: Compacted | Error): void {
    this.inOrder(() => this.end(why))
  }

  private inOrder(act: () => void | Promise<void>): void {
    if (this.waiting) return this.wait(this.waiting.then(() => this.attempt(act)))
    const acting = this.attempt(act)
    if (acting) this.wait(acting)
  }

  /** A sink that throws loses its watch, as with any engine. */
  private attempt(act: () => void | Promise<void>): void | Promise<void> {
    if (this.over) return undefined
    try {
      return act()
    } catch (error) {
      this.stop()
      this.end(error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  private wait(last: Promise<void>): void {
    const waiting = last.finally(() => {
      if (this.waiting === waiting) this.waiting = undefined
    })
    this.waiting = waiting
  }

  /**
   * A value that cannot be read ends the watch: whoever follows it must not take the rest for everything. He is to list
   * anew, and will be told there which value it is, for as long as nobody can read it.
   */
  private fail(revision: Revision): void {
    this.stop()
    this.end({ compacted: true, oldest: revision })
  }

  private end(why: Compacted | Error): void {
    if (this.over) return
    this.over = true
    try {
      this.sink.ended(why)
    } catch {
      // The sink is gone; there is nobody left to tell.
    }
  }
}
