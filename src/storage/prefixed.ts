// A store whose keys stand elsewhere than below /registry, so that some clusters share an etcd (--etcd-prefix).
// Over an engine, and over what encrypts, which is told the keys as they are stored; follows
// k8s.io/apiserver/pkg/storage/etcd3 (its path prefix).
import type { Compacted, Future, KeyValue, ListResult, Storage, StoreEvent } from './interface.ts'

/** Where every key of ours begins. */
const USUAL_PREFIX = '/registry'

/** Puts what callers call `usual` + X into `store` as `prefix` + X (no slash at its end); they do not notice. */
export function prefixed(store: Storage, prefix: string, usual = USUAL_PREFIX): Storage {
  const inside = (key: string): string => prefix + key.slice(usual.length)
  const outside = <T extends { readonly key: string }>(found: T): T => ({
    ...found,
    key: usual + found.key.slice(prefix.length),
  })
  const maybe = (kv: KeyValue | undefined): KeyValue | undefined => kv && outside(kv)
  const isStale = store.isStale?.bind(store)
  return {
    async get(key) {
      const { kv, revision } = await store.get(inside(key))
      return { kv: maybe(kv), revision }
    },
    async list({ startKey, ...request }) {
      const start = startKey === undefined ? {} : { startKey: inside(startKey) }
      const found = await store.list({ ...request, ...start, prefix: inside(request.prefix) })
      return isListed(found) ? { ...found, items: found.items.map(outside) } : found
    },
    async write(write) {
      const result = await store.write({ ...write, key: inside(write.key) })
      return result.ok ? result : { ok: false, current: maybe(result.current) }
    },
    ...(isStale === undefined ? {} : { isStale: (key: string) => isStale(inside(key)) }),
    watch: (below, from, sink) =>
      store.watch(inside(below), from, {
        events: (events: readonly StoreEvent[], revision) => sink.events(events.map(outside), revision),
        progress: (revision) => sink.progress(revision),
        ended: (why) => sink.ended(why),
      }),
    currentRevision: () => store.currentRevision(),
    compact: (revision) => store.compact(revision),
    size: () => store.size(),
    close: () => store.close(),
  }
}

const isListed = (found: ListResult | Compacted | Future): found is ListResult => 'items' in found
