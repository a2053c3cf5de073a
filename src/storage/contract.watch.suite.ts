// The part of the storage contract that is about watches.
// Follows the watch cases of k8s.io/apiserver/pkg/storage/testing.

import { expect, it } from 'vitest'
import type { Bench } from './contract.probe.suite.ts'
import { expectAscending, put, Recorder, remove, bytes } from './contract.probe.suite.ts'
import type { Revision } from './interface.ts'

export function watches(bench: Bench): void {
  it('tells creates, updates and deletes with what was before', async () => {
    const from = await bench.storage.currentRevision()
    const { recorder } = bench.watch('/a/', from)
    const first = await put(bench.storage, '/a/x', 'one')
    const second = await put(bench.storage, '/a/x', 'two', first)
    const third = await remove(bench.storage, '/a/x', second)
    await recorder.until((r) => r.seen.length === 3)
    expect(recorder.story()).toEqual(['/a/x=one', '/a/x=two', '-/a/x'])
    const [create, update, removal] = recorder.seen
    expect(create).toMatchObject({ revision: first, createRevision: first, previous: undefined })
    expect(update).toMatchObject({ revision: second, createRevision: first })
    expect(update?.previous).toEqual({ value: bytes('one'), modRevision: first })
    expect(removal).toMatchObject({ revision: third, createRevision: first, value: undefined })
    expect(removal?.previous).toEqual({ value: bytes('two'), modRevision: second })
  })

  it('replays history after the revision, then goes on without a gap', async () => {
    const from = await put(bench.storage, '/a/before', 'v')
    for (let i = 0; i < 1200; i++) await put(bench.storage, `/a/${i}`, 'v')
    await put(bench.storage, '/b/x', 'v')
    const { recorder } = bench.watch('/a/', from)
    const later = Array.from({ length: 50 }, (_, i) => put(bench.storage, `/a/later${i}`, 'v'))
    await Promise.all(later)
    await recorder.until((r) => r.seen.length >= 1250)
    expect(recorder.seen.slice(0, 1200).map((e) => e.key)).toEqual(
      Array.from({ length: 1200 }, (_, i) => `/a/${i}`),
    )
    expectAscending(recorder)
  })

  it('tells nothing of other prefixes, and nothing from before', async () => {
    const old = await put(bench.storage, '/a/old', 'v')
    const { recorder } = bench.watch('/a/', old)
    await put(bench.storage, '/ab/x', 'v')
    await put(bench.storage, '/b/a/', 'v')
    await put(bench.storage, '/a/sub/x', 'v')
    await recorder.until((r) => r.seen.length > 0)
    expect(recorder.story()).toEqual(['/a/sub/x=v'])
  })

  it('starts at a revision that is still to come', async () => {
    const now = await bench.storage.currentRevision()
    const { recorder } = bench.watch('/a/', now + 2)
    for (const name of ['x', 'y', 'z']) await put(bench.storage, `/a/${name}`, 'v')
    await recorder.until((r) => r.seen.length > 0)
    expect(recorder.story()).toEqual(['/a/z=v'])
  })

  it('answers a request for progress with a revision that covers what was written', async () => {
    const { recorder, watch } = bench.watch('/a/', await bench.storage.currentRevision())
    const own = await put(bench.storage, '/a/x', 'v')
    await recorder.until((r) => r.seen.length === 1)
    const other = await put(bench.storage, '/other/x', 'v')
    expect(other).toBe(own + 1)
    watch.requestProgress()
    await recorder.until((r) => r.progressed.some((revision) => revision >= other))
    expect(recorder.story()).toEqual(['/a/x=v'])
  })

  it('answers a request for progress when nothing was written since', async () => {
    const from = await put(bench.storage, '/a/x', 'v')
    const { recorder, watch } = bench.watch('/a/', from)
    watch.requestProgress()
    await recorder.until((r) => r.progressed.length > 0)
    expect(recorder.progressed[0]).toBe(from)
  })

  it('tells progress only after the events up to it', async () => {
    const from = await bench.storage.currentRevision()
    const revisions: Revision[] = []
    for (let i = 0; i < 600; i++) revisions.push(await put(bench.storage, `/a/${i}`, 'v'))
    const { recorder, watch } = bench.watch('/a/', from)
    const order: string[] = []
    recorder.progress = (revision) => {
      const told = recorder.seen.length
      if (from + told < revision) order.push(`progress at ${revision} after ${told} events`)
    }
    watch.requestProgress()
    await recorder.until((r) => r.seen.length === 600)
    const last = await put(bench.storage, '/a/last', 'v')
    watch.requestProgress()
    const done = new Recorder()
    recorder.progress = (revision) => done.progress(revision)
    await done.until((r) => r.progressed.some((revision) => revision >= last))
    expect(recorder.seen).toHaveLength(601)
    expect(order).toEqual([])
  })

  it('stops when it is closed', async () => {
    const from = await bench.storage.currentRevision()
    const closed = bench.watch('/a/', from)
    const open = bench.watch('/a/', from)
    await put(bench.storage, '/a/x', 'v')
    await closed.recorder.until((r) => r.seen.length === 1)
    closed.watch.close()
    await put(bench.storage, '/a/y', 'v')
    await open.recorder.until((r) => r.seen.length === 2)
    expect(closed.recorder.story()).toEqual(['/a/x=v'])
    expect(closed.recorder.over).toBeUndefined()
  })

  it('serves many watches, each its own share', async () => {
    const from = await bench.storage.currentRevision()
    const all = bench.watch('/a/', from).recorder
    const parts = ['p', 'q', 'r'].map((name) => bench.watch(`/a/${name}/`, from).recorder)
    const writes = Array.from({ length: 90 }, (_, i) => put(bench.storage, `/a/${'pqr'[i % 3]}/${i}`, 'v'))
    await Promise.all(writes)
    await all.until((r) => r.seen.length === 90)
    for (const part of parts) await part.until((r) => r.seen.length === 30)
    for (const recorder of [all, ...parts]) expectAscending(recorder)
  })

  it('bears a sink that writes when it is told', async () => {
    const from = await bench.storage.currentRevision()
    const answers: Promise<Revision>[] = []
    const echo = new Recorder()
    bench.storage.watch('/a/', from, {
      events: (events) => {
        for (const event of events) answers.push(put(bench.storage, `/b${event.key}`, 'echo'))
      },
      progress: () => undefined,
      ended: () => undefined,
    })
    bench.storage.watch('/b/', from, echo)
    const whole = bench.watch('/', from).recorder
    await Promise.all(['x', 'y', 'z'].map((name) => put(bench.storage, `/a/${name}`, 'v')))
    await echo.until((r) => r.seen.length === 3)
    await whole.until((r) => r.seen.length === 6)
    expectAscending(whole)
    await Promise.all(answers)
  })
}
