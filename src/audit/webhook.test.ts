// Events on their way to another server: how many at once, when, and what happens when it does not answer.
import { expect, test } from 'vitest'
import { type BatchOptions, BatchSink } from './batch.ts'
import { BlockingWebhook, post, type PostOptions } from './webhook.ts'

interface Setup extends Partial<BatchOptions> {
  /** Answers of the server, in turn; "good" for all after these. */
  readonly faults?: readonly string[]
}

function webhook({ faults = [], ...options }: Setup = {}) {
  const sent: number[][] = []
  const dropped: { events: number; why: string }[] = []
  const waited: number[] = []
  const left = [...faults]
  const posting: PostOptions = {
    initialBackoffMs: 10,
    send(body) {
      const fault = left.shift()
      if (fault !== undefined) return Promise.reject(new Error(fault))
      const list = JSON.parse(body.toString()) as { kind: string; items: { n: number }[] }
      expect(list).toMatchObject({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1' })
      sent.push(list.items.map(({ n }) => n))
      return Promise.resolve()
    },
    warn: (details) => dropped.push(details),
    wait: (ms) => Promise.resolve(void waited.push(ms)),
  }
  const sink = new BatchSink({
    bufferSize: 100,
    maxBatchSize: 3,
    maxWaitMs: 60_000,
    throttle: undefined,
    deliver: (events, stopping) => post(posting, events, stopping),
    warn: posting.warn,
    wait: posting.wait,
    ...options,
  })
  const write = (...numbers: number[]): boolean[] => numbers.map((n) => sink.write(`{"n":${n}}`))
  return { sink, posting, write, sent, dropped, waited }
}

test('events go together, in their order; the rest when the server stops', async () => {
  const { sink, write, sent } = webhook()
  write(1, 2, 3, 4)
  await expect.poll(() => sent).toEqual([[1, 2, 3], [4]])
  write(5)
  await sink.close()
  expect(sent).toEqual([[1, 2, 3], [4], [5]])
})

test('an event waits for others only so long', async () => {
  const { sink, write, sent } = webhook({ maxWaitMs: 5 })
  write(1)
  await expect.poll(() => sent).toEqual([[1]])
  await sink.close()
})

test('a server that does not answer is asked again, with longer pauses', async () => {
  const { sink, write, sent, waited, dropped } = webhook({ faults: ['away', 'away'] })
  write(1, 2, 3)
  await expect.poll(() => sent).toEqual([[1, 2, 3]])
  expect(waited).toEqual([10, 15])
  expect(dropped).toEqual([])
  await sink.close()
})

test('after five attempts the events are dropped', async () => {
  const { sink, write, sent, dropped } = webhook({ faults: Array<string>(5).fill('away') })
  write(1, 2, 3)
  await expect.poll(() => dropped).toEqual([{ events: 3, why: 'away' }])
  write(4)
  await sink.close()
  expect(sent).toEqual([[4]])
})

test('events that find no room are dropped', async () => {
  // Beside the three that are on their way there is room for two.
  const { sink, write, sent, dropped } = webhook({ bufferSize: 2 })
  write(1, 2, 3, 4, 5, 6, 7)
  expect(dropped).toEqual(Array(2).fill({ events: 1, why: 'audit buffer queue blocked' }))
  await sink.close()
  expect(sent).toEqual([
    [1, 2, 3],
    [4, 5],
  ])
})

test('requests beyond the burst wait', async () => {
  const { sink, write, sent, waited } = webhook({ throttle: { qps: 1, burst: 2 } })
  write(1, 2, 3, 4, 5, 6, 7, 8, 9)
  await expect.poll(() => sent).toHaveLength(3)
  expect(waited).toHaveLength(1)
  expect(waited[0]).toBeGreaterThan(500)
  await sink.close()
})

test('without gathering, each event goes by itself, and tells whether it was kept', async () => {
  const { posting, sent, dropped } = webhook({ faults: Array<string>(5).fill('gone') })
  const sink = new BlockingWebhook(posting)
  expect(await sink.write('{"n":1}')).toBe(false)
  expect(await sink.write('{"n":2}')).toBe(true)
  await sink.close()
  expect(sent).toEqual([[2]])
  expect(dropped).toEqual([{ events: 1, why: 'gone' }])
})
