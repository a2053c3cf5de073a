import { expect, it } from 'vitest'
import { ManualClock } from './clock.ts'
import { Expectations, EXPECTATIONS_TIMEOUT_MS } from './expectations.ts'
import { slowStart } from './podcontrol.ts'
import { revisionHash, templateHash } from './templatehash.ts'

it('expects until all was seen, each deletion once, or the time is up', () => {
  const clock = new ManualClock()
  const expectations = new Expectations(clock)
  expect(expectations.satisfied('a')).toBe(true)
  expectations.expect('a', 1, ['x', 'y'])
  expectations.creationSeen('a')
  expectations.deletionSeen('a', 'x')
  expectations.deletionSeen('a', 'x')
  expect(expectations.satisfied('a')).toBe(false)
  expectations.deletionSeen('a', 'y')
  expect(expectations.satisfied('a')).toBe(true)
  expectations.expect('a', 1)
  clock.advance(EXPECTATIONS_TIMEOUT_MS)
  expect(expectations.satisfied('a')).toBe(false)
  clock.advance(1)
  expect(expectations.satisfied('a')).toBe(true)
  expectations.expect('a', 1)
  expectations.forget('a')
  expect(expectations.satisfied('a')).toBe(true)
})

it('starts slowly, and stops after the batch that failed', async () => {
  const begun: number[] = []
  const make = async (limit: number, index: number): Promise<void> => {
    begun.push(index)
    if (index >= limit) throw new Error(`no ${index}`)
    await Promise.resolve()
  }
  expect(await slowStart(5, (index) => make(9, index))).toEqual({ successes: 5 })
  expect(begun.splice(0)).toEqual([0, 1, 2, 3, 4])
  expect(await slowStart(20, (index) => make(2, index))).toMatchObject({
    successes: 2,
    error: { message: 'no 2' },
  })
  expect(begun).toEqual([0, 1, 2])
})

it('gives the same hash for the same contents, another for another count', () => {
  const spec = { containers: [{ name: 'c', image: 'i', resources: {} }] }
  const hash = templateHash({ metadata: { labels: { a: '1', b: '2' } }, spec })
  expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
  expect(templateHash({ spec, metadata: { labels: { b: '2', a: '1' }, name: undefined } })).toBe(hash)
  expect(templateHash({ metadata: { labels: { a: '1', b: '2' } }, spec }, 1)).not.toBe(hash)
  // fnv-1 of "a" is 0x050c5d7e = 84696446.
  expect(revisionHash('a')).toBe(
    '84696446'.replace(/./g, (d) => 'bcdfghjklmnpqrstvwxz2456789'[(48 + Number(d)) % 27] ?? ''),
  )
})
