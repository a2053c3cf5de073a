// What a watch makes of a server's answers that no test can ask a server for. (The tests over a server are in storage.test.ts.)
import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { Recorder } from '../contract.probe.suite.ts'
import { EtcdWatch, type WatchStream } from './watch.ts'

/** A stream whose answers the test gives. */
class FakeStream extends EventEmitter {
  readonly written: { create_request?: { start_revision: string } }[] = []
  write(request: { create_request?: { start_revision: string } }): void {
    this.written.push(request)
  }
  cancel(): void {}
  answer(revision: number, response: object = {}): void {
    const header = { revision: String(revision) }
    this.emit('data', {
      header,
      compact_revision: '0',
      canceled: false,
      created: false,
      events: [],
      ...response,
    })
  }
  event(revision: number): void {
    const kv = {
      key: Buffer.from('/a/x'),
      value: Buffer.from(`v${revision}`),
      mod_revision: String(revision),
      create_revision: '5',
    }
    this.answer(revision, { events: [{ type: 'Put', kv, prev_kv: null }] })
  }
}

it('takes no step back with a server that is behind', async () => {
  const streams: FakeStream[] = []
  let opened: () => void = () => undefined
  const open = (): Promise<WatchStream> => {
    const stream = new FakeStream()
    streams.push(stream)
    setImmediate(() => opened())
    return Promise.resolve(stream as unknown as WatchStream)
  }
  const nextStream = () => new Promise<void>((resolve) => (opened = resolve))
  const recorder = new Recorder()
  const source = { open, currentRevision: () => Promise.resolve(10), progressIsSafe: true }
  const range = { key: Buffer.from('/a/'), rangeEnd: Buffer.from('/a0'), from: 4 }
  const first = nextStream()
  const watch = new EtcdWatch(source, range, recorder, () => undefined)
  await first
  streams[0]?.answer(9, { created: true })
  streams[0]?.event(8)
  streams[0]?.event(10)
  const second = nextStream()
  streams[0]?.emit('error', new Error('the server died'))
  await second
  // It has not read all of its log yet.
  streams[1]?.answer(7, { created: true })
  streams[1]?.answer(7)
  streams[1]?.event(8)
  streams[1]?.event(11)
  expect(recorder.seen.map((event) => event.revision)).toEqual([8, 10, 11])
  const third = nextStream()
  streams[1]?.answer(7)
  streams[1]?.emit('end')
  await third
  expect(streams[2]?.written[0]?.create_request?.start_revision).toBe('12')
  watch.close()
})
