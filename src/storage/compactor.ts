// Compacts a store from time to time, so that its history covers between one and two intervals.
// Beside the engines, started by the command line; follows k8s.io/apiserver/pkg/storage/etcd3 (compactor).
// DEVIATION: upstream's servers agree by a key in etcd who compacts. Ours each compact to the revision that
// they saw one interval ago, which the others' compaction cannot shorten: the outcome is the same.

import type { Revision, Storage } from './interface.ts'

/** Upstream's default interval. */
export const COMPACTION_INTERVAL_MS = 5 * 60_000

export interface CompactionListener {
  /** Revisions before this one are gone. */
  compacted?(revision: Revision): void
  failed?(error: unknown): void
}

/**
 * Starts to compact `storage` each `intervalMs` to the revision of one interval before; answers how to stop.
 * `compacted` hears what can no longer be read, `failed` of errors; the next interval tries again.
 */
export function startCompaction(
  storage: Storage,
  intervalMs: number = COMPACTION_INTERVAL_MS,
  { compacted, failed }: CompactionListener = {},
): () => void {
  let before: Revision | undefined
  let stopped = false
  // What is cut off by the end of the store is no failure.
  const tell = (error: unknown): void => {
    if (!stopped) failed?.(error)
  }
  const compact = async (): Promise<void> => {
    const now = await storage.currentRevision()
    if (before !== undefined) {
      await storage.compact(before)
      compacted?.(before)
    }
    before = now
  }
  let running = compact().catch(tell)
  const timer = setInterval(() => {
    running = running.then(compact).catch(tell)
  }, intervalMs)
  timer.unref()
  return () => {
    stopped = true
    clearInterval(timer)
  }
}
