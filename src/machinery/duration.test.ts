import { describe, expect, it } from 'vitest'
import { formatDuration, humanDuration, parseDuration, shortHumanDuration } from './duration.ts'

describe('Go durations', () => {
  it.each([
    ['0', '0s'],
    ['1.5h', '1h30m0s'],
    ['300ms', '300ms'],
    ['-1m1.5s', '-1m1.5s'],
    ['90s', '1m30s'],
    ['1us', '1µs'],
    ['.5s', '500ms'],
    ['1.00800000000000000000s', '1.007999999s'],
    ['9223372036854775807ns', '2562047h47m16.854775807s'],
    ['-9223372036854775808ns', '-2562047h47m16.854775808s'],
  ])('%s is %s', (text, shown) => {
    expect(formatDuration(parseDuration(text))).toBe(shown)
  })

  it.each([
    ['', 'time: invalid duration ""'],
    ['.s', 'time: invalid duration ".s"'],
    ['1', 'time: missing unit in duration "1"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    [`${'9'.repeat(100_000)}h`, 'time: invalid duration'],
  ])('refuses %s as Go does', (text, message) => {
    expect(() => parseDuration(text)).toThrow(message)
  })
})

describe('ages', () => {
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]
  it.each([
    [-3 * second, '<invalid>', '<invalid>'],
    [-second, '0s', '0s'],
    [119 * second, '119s', '1m'],
    [5 * minute + 3 * second, '5m3s', '5m'],
    [9 * minute, '9m', '9m'],
    [179 * minute, '179m', '2h'],
    [3 * hour + 30 * minute, '3h30m', '3h'],
    [47 * hour, '47h', '1d'],
    [2 * day + 4 * hour, '2d4h', '2d'],
    [8 * day + 4 * hour, '8d', '8d'],
    [3 * 365 * day + 12 * day, '3y12d', '3y'],
    [9 * 365 * day, '9y', '9y'],
  ])('%d ms is %s, in short %s', (milliseconds, long, short) => {
    expect(humanDuration(milliseconds)).toBe(long)
    expect(shortHumanDuration(milliseconds)).toBe(short)
  })
})
