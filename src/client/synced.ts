// A controller that works on a queue once what it reads is whole: on half a copy it would make everything twice.
// Follows cache.WaitForNamedCacheSync of k8s.io/client-go/tools/cache.
import { type Controller, work, type WorkerOptions } from './controller.ts'

export interface Synced {
  readonly synced: Promise<void>
}

/** Works with `options` as soon as all of `reads` are synced. */
export const onceSynced = (reads: readonly Synced[], options: WorkerOptions): Controller => ({
  name: options.name,
  run: async (signal) => {
    if (await syncedOrAborted(reads, signal)) await work(options, signal)
    else options.queue.shutDown()
  },
})

/** False when the signal aborts first. */
export function syncedOrAborted(reads: readonly Synced[], signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const aborted = (): void => resolve(false)
    signal.addEventListener('abort', aborted, { once: true })
    void Promise.all(reads.map(({ synced }) => synced)).then(() => {
      signal.removeEventListener('abort', aborted)
      resolve(true)
    })
  })
}
