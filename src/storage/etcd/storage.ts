// The engine over etcd, for replicas: swaps are etcd's transactions, history and watches are etcd's.
// Follows k8s.io/apiserver/pkg/storage/etcd3; keys are as upstream's, so that a kube-apiserver on the same
// etcd sees the same objects.

import type { Etcd3, IKeyValue, IRangeResponse, IRequestOp, ITxnResponse } from 'etcd3'
import type {
  Compacted,
  Future,
  GetResult,
  KeyValue,
  ListRequest,
  ListResult,
  Revision,
  Storage,
  StoreWatch,
  WatchSink,
  Write,
  WriteResult,
} from '../interface.ts'
import type { EtcdOptions } from './client.ts'
import { answersProgress, connect, PROBE_KEY, repeatable, swapping } from './client.ts'
import { Leases } from './leases.ts'
import { SharedCall } from './shared.ts'
import type { WatchSource } from './watch.ts'
import { EtcdWatch } from './watch.ts'

/** Keys that a list asks for at once: bounds the time that decoding an answer takes from everybody else. */
const LIST_PAGE = 1000

/** Reads of the current revision wait this long for one that is under way: some times what a server takes. */
const REVISION_PATIENCE_MS = 50

/** Connects; throws `StorageOpenError` when no server answers within some seconds. */
export async function openEtcd(options: EtcdOptions): Promise<Storage> {
  const client = await connect(options)
  return new EtcdStorage(client, await answersProgress(options))
}

class EtcdStorage implements Storage {
  private readonly client: Etcd3
  private readonly leases: Leases
  private readonly watches = new Set<EtcdWatch>()
  private readonly source: WatchSource
  private readonly revision = new SharedCall(() => this.readRevision(), REVISION_PATIENCE_MS)
  private closed = false

  constructor(client: Etcd3, progressIsSafe: boolean) {
    this.client = client
    this.source = {
      open: () => client.watchClient.watch(),
      currentRevision: () => this.currentRevision(),
      progressIsSafe,
    }
    this.leases = new Leases(
      async (ttl) => (await repeatable(() => client.leaseClient.leaseGrant({ TTL: ttl }))).ID,
    )
  }

  async get(key: string): Promise<GetResult> {
    this.check()
    const answer = await repeatable(() => this.client.kv.range({ key: Buffer.from(key) }))
    const kv = answer.kvs[0]
    return { kv: kv === undefined ? undefined : keyValueOf(kv), revision: Number(answer.header.revision) }
  }

  async list(request: ListRequest): Promise<ListResult | Compacted | Future> {
    this.check()
    try {
      return await this.pages(request)
    } catch (error) {
      const message = error instanceof Error ? error.message : ''
      if (message.includes('revision has been compacted')) {
        return { compacted: true, oldest: await this.oldest() }
      }
      if (message.includes('is a future revision')) {
        return { future: true, current: await this.currentRevision() }
      }
      throw error
    }
  }

  async write(write: Write): Promise<WriteResult> {
    this.check()
    const { key, expected, value, ttlSeconds } = write
    if (value === null || ttlSeconds === undefined) return this.swap(key, expected, value, undefined)
    try {
      return await this.swap(key, expected, value, await this.leases.get(ttlSeconds))
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('requested lease not found')) throw error
      this.leases.forget(ttlSeconds)
      return this.swap(key, expected, value, await this.leases.get(ttlSeconds))
    }
  }

  watch(prefix: string, from: Revision, sink: WatchSink): StoreWatch {
    const range = { key: Buffer.from(prefix), rangeEnd: rangeEnd(prefix), from }
    const watch = new EtcdWatch(this.source, range, sink, (over) => this.watches.delete(over))
    this.watches.add(watch)
    if (this.closed) queueMicrotask(() => watch.end(new Error(CLOSED)))
    return watch
  }

  /** Who waits for a server that is gone asks again by himself, so that each attempt still serves all who came before it. */
  currentRevision(): Promise<Revision> {
    return repeatable(() => this.revision.call())
  }

  private async readRevision(): Promise<Revision> {
    this.check()
    const answer = await this.client.kv.range({ key: PROBE_KEY, keys_only: true })
    return Number(answer.header.revision)
  }

  async compact(revision: Revision): Promise<void> {
    this.check()
    const upTo = Math.min(revision, await this.currentRevision())
    try {
      await repeatable(() => this.client.kv.compact({ revision: String(upTo) }))
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('has been compacted')) throw error
    }
  }

  async size(): Promise<number | undefined> {
    return Number((await repeatable(() => this.client.maintenance.status())).dbSize)
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true
      for (const watch of [...this.watches]) watch.end(new Error(CLOSED))
      this.client.close()
    }
    return Promise.resolve()
  }

  private check(): void {
    if (this.closed) throw new Error(CLOSED)
  }

  private async pages({ prefix, startKey, limit = Infinity, revision }: ListRequest): Promise<ListResult> {
    const items: KeyValue[] = []
    const end = rangeEnd(prefix)
    let key = Buffer.from(startKey === undefined || startKey < prefix ? prefix : startKey)
    let at = revision
    for (;;) {
      const page = Math.min(limit - items.length, LIST_PAGE)
      const request = {
        key,
        range_end: end,
        limit: page,
        ...(at === undefined ? {} : { revision: String(at) }),
      }
      const answer: IRangeResponse = await repeatable(() => this.client.kv.range(request))
      at ??= Number(answer.header.revision)
      for (const kv of answer.kvs) items.push(keyValueOf(kv))
      const last = answer.kvs[answer.kvs.length - 1]
      const remaining = Number(answer.count) - answer.kvs.length
      if (remaining <= 0 || last === undefined || items.length >= limit) {
        return { items, revision: at, remaining: Math.max(remaining, 0) }
      }
      key = Buffer.concat([last.key, Buffer.alloc(1)])
    }
  }

  private async swap(
    name: string,
    expected: Revision,
    value: Buffer | null,
    lease: string | undefined,
  ): Promise<WriteResult> {
    const key = Buffer.from(name)
    const change: IRequestOp =
      value === null
        ? { request_delete_range: { key } }
        : { request_put: { key, value, ...(lease === undefined ? {} : { lease }) } }
    const { answer, repeated } = await swapping<ITxnResponse>(() =>
      this.client.kv.txn({
        compare: [{ key, target: 'Mod', result: 'Equal', mod_revision: String(expected) }],
        success: [change],
        failure: [{ request_range: { key } }],
      }),
    )
    if (answer.succeeded) return { ok: true, revision: Number(answer.header.revision) }
    const found = answer.responses[0]?.response_range.kvs[0]
    const current = found === undefined ? undefined : keyValueOf(found)
    if (repeated && isOurs(current, value)) {
      return { ok: true, revision: current?.modRevision ?? Number(answer.header.revision) }
    }
    return { ok: false, current }
  }

  /** etcd does not say with a list how far it is compacted; a watch from the beginning is told. */
  private oldest(): Promise<Revision> {
    return new Promise((resolve, reject) => {
      const prefix = PROBE_KEY.toString()
      const watch = this.watch(prefix, 0, {
        events: () => watch.close(),
        progress: () => undefined,
        ended: (why) => ('compacted' in why ? resolve(why.oldest) : reject(why)),
      })
    })
  }
}

const CLOSED = 'storage is closed'

/** Whether what stands there is what a swap would have left. */
function isOurs(current: KeyValue | undefined, value: Buffer | null): boolean {
  return value === null ? current === undefined : current !== undefined && current.value.equals(value)
}

/** The first key after all that begin with `prefix`. */
function rangeEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix)
  const last = end.length - 1
  end.writeUInt8(end.readUInt8(last) + 1, last)
  return end
}

function keyValueOf(kv: IKeyValue): KeyValue {
  return {
    key: kv.key.toString(),
    value: kv.value,
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
  }
}
