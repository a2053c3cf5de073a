import { expect, it } from 'vitest'
import { counted, elsewhere, hasTurns, inTurns, remembered } from './turns.ts'

/** Takes longer than a turn may, however fast the machine is. */
function longUnit(): void {
  const began = performance.now()
  while (performance.now() - began < 25);
}

it('lets others go on between two units that take long, and does each of them once', async () => {
  const said: string[] = []
  const about = {}
  const work = inTurns(() => {
    for (const unit of ['a', 'b', 'c'])
      remembered(about, unit, () => {
        longUnit()
        said.push(unit)
      })
    return said.length
  })
  setImmediate(() => said.push('other'))
  expect(await work).toBe(4)
  expect(said.filter((one) => one !== 'other')).toEqual(['a', 'b', 'c'])
  expect(said.indexOf('other')).toBeLessThan(said.indexOf('c'))
})

it('begins again after a unit that keeps its outcome by itself', async () => {
  const done: number[] = []
  let turns = 0
  await inTurns(() => {
    turns++
    while (done.length < 3) {
      counted(() => {
        longUnit()
        done.push(turns)
      })
    }
  })
  expect(done).toEqual([1, 2, 3])
})

it('does what is short in one turn', async () => {
  let turns = 0
  expect(await inTurns(() => remembered({}, '', () => ++turns))).toBe(1)
})

it('waits for what is done elsewhere, and tells what became of it', async () => {
  let asked = 0
  const ask = (leftMs: number): Promise<string> => {
    asked++
    return leftMs > 0 ? Promise.resolve('yes') : Promise.reject(new Error('late'))
  }
  expect(await inTurns(() => [elsewhere('x', '', ask), elsewhere('x', '', ask)])).toEqual(['yes', 'yes'])
  expect(asked).toBe(1)
  const refuse = (): Promise<string> => Promise.reject(new Error('no'))
  await expect(inTurns(() => elsewhere('x', '', refuse))).rejects.toThrow('no')
})

it('rejects with what the work throws, and has no turns without it', async () => {
  await expect(
    inTurns(() => {
      throw new Error('wrong')
    }),
  ).rejects.toThrow('wrong')
  expect(hasTurns()).toBe(false)
  expect(remembered({}, '', () => 1)).toBe(1)
})
