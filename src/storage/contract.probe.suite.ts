// How the tests of engines look at an engine: a recording sink, and calls that expect success.
// Shared by the storage contract, the engines' own tests and the crash tests.

import { expect } from 'vitest'
import type {
  Compacted,
  ListRequest,
  ListResult,
  Revision,
  Storage,
  StoreEvent,
  StoreWatch,
  WatchSink,
} from './interface.ts'
import { isCompacted, isFuture } from './interface.ts'

/** How long a test waits for what must come (a lease on etcd lives some seconds longer than asked). */
const PATIENCE_MS = 90_000

export const bytes = (text: string): Buffer => Buffer.from(text)

/** A sink that remembers, and resolves a wait as soon as what it was told satisfies it. */
export class Recorder implements WatchSink {
  readonly seen: StoreEvent[] = []
  readonly batches: { readonly size: number; readonly revision: Revision }[] = []
  readonly progressed: Revision[] = []
  over: Compacted | Error | undefined
  private waiting: (() => void)[] = []

  events(events: readonly StoreEvent[], revision: Revision): void {
    this.seen.push(...events)
    this.batches.push({ size: events.length, revision })
    this.wake()
  }

  progress(revision: Revision): void {
    this.progressed.push(revision)
    this.wake()
  }

  ended(why: Compacted | Error): void {
    this.over = why
    this.wake()
  }

  async until(done: (recorder: Recorder) => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!done(this)) {
      if (Date.now() > deadline) throw new Error(`not told in time: ${this.summary()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now() + 1)
        this.waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** The events as short texts: `key=value`, or `-key` for a delete. */
  story(): string[] {
    return this.seen.map((e) => (e.value === undefined ? `-${e.key}` : `${e.key}=${e.value.toString()}`))
  }

  private summary(): string {
    const { progressed, over } = this
    return JSON.stringify({ story: this.story().slice(-10), progressed, over: over && String(over) })
  }

  private wake(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const wake of waiting) wake()
  }
}

/** Writes and expects success; answers the revision. */
export async function put(storage: Storage, key: string, value: string, expected = 0): Promise<Revision> {
  const result = await storage.write({ key, value: bytes(value), expected })
  if (!result.ok) throw new Error(`write of ${key} lost to ${result.current?.modRevision}`)
  return result.revision
}

/** Deletes and expects success; answers the revision. */
export async function remove(storage: Storage, key: string, expected: Revision): Promise<Revision> {
  const result = await storage.write({ key, value: null, expected })
  if (!result.ok) throw new Error(`delete of ${key} lost to ${result.current?.modRevision}`)
  return result.revision
}

/** Lists and expects that the revision can be read. */
export async function listed(storage: Storage, request: ListRequest): Promise<ListResult> {
  const result = await storage.list(request)
  if (isCompacted(result) || isFuture(result)) throw new Error(JSON.stringify(result))
  return result
}

/** A list in short: `key=value`. */
export const texts = (list: ListResult): string[] =>
  list.items.map((kv) => `${kv.key}=${kv.value.toString()}`)

/** The engine under test, opened anew for each test. */
export interface Bench {
  storage: Storage
  watch(prefix: string, from: Revision): { recorder: Recorder; watch: StoreWatch }
}

/** Each event once, by revision; a batch's revision covers its events. */
export function expectAscending(recorder: Recorder): void {
  let last = 0
  for (const event of recorder.seen) {
    expect(event.revision).toBeGreaterThan(last)
    last = event.revision
  }
  let index = 0
  let upTo = 0
  for (const batch of recorder.batches) {
    index += batch.size
    expect(batch.revision).toBeGreaterThanOrEqual(recorder.seen[index - 1]?.revision ?? 0)
    expect(recorder.seen[index]?.revision ?? Infinity).toBeGreaterThan(batch.revision)
    expect(batch.revision).toBeGreaterThanOrEqual(upTo)
    upTo = batch.revision
  }
}
