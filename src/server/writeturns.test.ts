// Writes that come together share a turn of the event loop for a moment only.
import { expect, it } from 'vitest'
import { WriteTurns } from './writeturns.ts'

const loopTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Ten writes at once, each of which takes `cost` ms of a clock that only they move; what had begun after each turn. */
async function begunByTurn(cost: number): Promise<string[]> {
  let now = 0
  const turns = new WriteTurns(3, () => now)
  const begun: number[] = []
  const writes = Array.from({ length: 10 }, async (_, i) => {
    const later = turns.take()
    if (later) await later
    begun.push(i)
    now += cost
  })
  const seen = [begun.join(' ')]
  while (begun.length < writes.length) {
    await loopTurn()
    // The last of a turn's immediates, ours among them, have run by now.
    await loopTurn()
    seen.push(begun.join(' '))
  }
  await Promise.all(writes)
  return seen
}

it('lets writes that cost little go on at once', async () => {
  expect(await begunByTurn(0)).toEqual(['0 1 2 3 4 5 6 7 8 9'])
})

it('hands the others on to the next turns, in their order', async () => {
  const seen = await begunByTurn(2)
  expect(seen[0]).toBe('0 1')
  expect(seen.length).toBeGreaterThan(2)
  expect(seen.at(-1)).toBe('0 1 2 3 4 5 6 7 8 9')
})

it('works on one at least in every turn', async () => {
  const seen = await begunByTurn(5)
  expect(seen[0]).toBe('0')
  expect(seen.at(-1)).toBe('0 1 2 3 4 5 6 7 8 9')
})
