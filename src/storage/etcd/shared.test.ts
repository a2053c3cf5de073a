// Calls that share answers: never one that was asked for before they came.
import { describe, expect, it } from 'vitest'
import { SharedCall } from './shared.ts'

/** A question whose answers the test gives. */
function question() {
  const open: { answer: (value: number) => void; fail: (why: Error) => void }[] = []
  let asked: () => void = () => undefined
  const ask = (): Promise<number> =>
    new Promise((answer, fail) => {
      open.push({ answer, fail })
      asked()
    })
  const until = async (count: number): Promise<void> => {
    while (open.length < count) await new Promise<void>((resolve) => (asked = resolve))
  }
  return { ask, open, until }
}

const NEVER_MS = 60_000

describe('SharedCall', () => {
  it('asks once for all who come in the same turn', async () => {
    const { ask, open, until } = question()
    const shared = new SharedCall(ask, NEVER_MS)
    const answers = [shared.call(), shared.call(), shared.call()]
    await until(1)
    open[0]?.answer(1)
    expect(await Promise.all(answers)).toEqual([1, 1, 1])
    expect(open).toHaveLength(1)
  })

  it('gives nobody an answer that was asked for before he came', async () => {
    const { ask, open, until } = question()
    const shared = new SharedCall(ask, NEVER_MS)
    const first = shared.call()
    await until(1)
    const later = [shared.call(), shared.call()]
    expect(open).toHaveLength(1)
    open[0]?.answer(1)
    expect(await first).toBe(1)
    await until(2)
    open[1]?.answer(2)
    expect(await Promise.all(later)).toEqual([2, 2])
    expect(open).toHaveLength(2)
  })

  it('waits for no call that takes too long', async () => {
    const { ask, open, until } = question()
    const shared = new SharedCall(ask, 1)
    const slow = shared.call()
    await until(1)
    const later = shared.call()
    await until(2)
    open[1]?.answer(2)
    expect(await later).toBe(2)
    open[0]?.answer(1)
    expect(await slow).toBe(1)
  })

  it('tells all of a failure, and asks anew for the next', async () => {
    const { ask, open, until } = question()
    const shared = new SharedCall(ask, NEVER_MS)
    const failing = [shared.call(), shared.call()].map((call) => call.catch((error: Error) => error.message))
    await until(1)
    open[0]?.fail(new Error('no leader'))
    expect(await Promise.all(failing)).toEqual(['no leader', 'no leader'])
    const next = shared.call()
    await until(2)
    open[1]?.answer(2)
    expect(await next).toBe(2)
  })
})
