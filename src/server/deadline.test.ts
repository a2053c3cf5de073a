// What takes too long is answered all the same.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { allottedMs, inTime } from './deadline.ts'

describe('the time of a request', () => {
  it.each([
    ['', 60_000],
    ['timeout=', 60_000],
    ['timeout=32s', 32_000],
    ['timeout=1.5s', 1_500],
    ['timeout=0s', 60_000],
    ['timeout=-5s', 60_000],
    ['timeout=2h', 60_000],
  ])('of ?%s is %d ms', (query, ms) => expect(allottedMs(new URLSearchParams(query))).toBe(ms))

  it('is refused where it is none', () => {
    expect(() => allottedMs(new URLSearchParams('timeout=soon'))).toThrow(
      'invalid timeout specified in the request URL - time: invalid duration "soon"',
    )
  })
})

describe('work in time', () => {
  // For all of them: the timer that looks after requests lives on.
  beforeAll(() => void vi.useFakeTimers())
  afterAll(() => void vi.useRealTimers())

  it('is what it comes to', async () => {
    await expect(inTime(Promise.resolve(1), 10)).resolves.toBe(1)
    await expect(inTime(Promise.reject(new Error('no')), 10)).rejects.toThrow('no')
  })

  it('is 504 when it does not end', async () => {
    const late = inTime(new Promise(() => undefined), 10_000)
    const seen = expect(late).rejects.toMatchObject({
      code: 504,
      status: {
        reason: 'Timeout',
        message: 'Timeout: request did not complete within the allotted timeout',
      },
    })
    await vi.advanceTimersByTimeAsync(11_000)
    await seen
  })

  it('leaves others their time', async () => {
    const short = inTime(new Promise(() => undefined), 1_000).catch(() => 'late')
    let answer: (value: string) => void = () => undefined
    const long = inTime(new Promise<string>((resolve) => (answer = resolve)), 5_000)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await short).toBe('late')
    answer('done')
    expect(await long).toBe('done')
  })
})
