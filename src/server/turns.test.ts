import { PassThrough, Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { pump } from './sink.ts'
import { Turns } from './turns.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('lets a few go at once, and the others in the order in which they came', async () => {
  const turns = new Turns(2, 60_000)
  const begun: number[] = []
  const held = Array.from({ length: 5 }, async (_, n) => {
    const turn = await turns.take()
    begun.push(n)
    return turn
  })
  await nextTurn()
  expect(begun).toEqual([0, 1])
  for (let n = 0; n < 5; n++) {
    const turn = await (held[n] as Promise<{ end(): void }>)
    turn.end()
    // Ended twice, it lets in no more.
    turn.end()
    await nextTurn()
    await nextTurn()
    expect(begun).toEqual([0, 1, 2, 3, 4].slice(0, n + 3))
  }
  const again = [turns.take(), turns.take()]
  for (const turn of await Promise.all(again)) turn.end()
})

it('does not wait for who takes nothing', async () => {
  const turns = new Turns(1, 1)
  await turns.take()
  await turns.take()
  await turns.take()
})

it('leaves the event loop to others between the pieces of a crowd of answers', async () => {
  const LISTS = 64
  let [written, most, since] = [0, 0, 0]
  const list = (): Promise<void> => {
    const stream = new Writable({
      highWaterMark: 1,
      write: (_piece, _encoding, done) => {
        written++
        setImmediate(done)
      },
    })
    return pump(
      Array.from({ length: 20 }, () => Buffer.alloc(1)),
      stream,
    )
  }
  const all = Promise.all(Array.from({ length: LISTS }, list))
  let isOver = false
  void all.then(() => (isOver = true))
  while (!isOver) {
    await nextTurn()
    most = Math.max(most, written - since)
    since = written
  }
  expect(written).toBe(LISTS * 20)
  expect(most).toBeLessThan(LISTS / 2)
})

it('ends at once where the client has gone', async () => {
  const stream = new PassThrough()
  stream.destroy()
  await pump([Buffer.from('a'), Buffer.from('b')], stream)
  expect(stream.readableLength).toBe(0)
})
