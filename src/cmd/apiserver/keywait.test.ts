import { expect, it, vi } from 'vitest'
import { whenKeysAreThere } from './keywait.ts'

const checksOf = (...faults: readonly (string | undefined)[]) => {
  const left = [...faults]
  return [{ name: 'keys', on: [], check: () => (left.length > 1 ? left.shift() : left[0]) }]
}

it('does the work again until the keys are there', async () => {
  const [warn, work] = [vi.fn(), vi.fn()]
  work.mockRejectedValueOnce(new Error('one')).mockRejectedValueOnce(new Error('two'))
  await whenKeysAreThere(work, { checks: checksOf('away', 'away', undefined), log: { warn } })
  expect(work).toHaveBeenCalledTimes(3)
  expect(warn).toHaveBeenCalledTimes(1)
})

it('fails where nothing is wrong with the keys', async () => {
  const work = vi.fn().mockRejectedValue(new Error('of its own'))
  const waiting = whenKeysAreThere(work, { checks: checksOf(undefined), log: { warn: vi.fn() } })
  await expect(waiting).rejects.toThrow('of its own')
  expect(work).toHaveBeenCalledTimes(1)
})
