import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonicalMicroTime,
  canonicalTime,
  formatMicroTime,
  formatTime,
  instantOf,
  parseMicroTime,
  parseTime,
} from './time.ts'

describe('Time', () => {
  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.999Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T3:04:05+05:30', '2026-01-01T21:34:05Z'],
    ['2024-02-29T00:00:00-01:00', '2024-02-29T01:00:00Z'],
    ['0001-01-01T00:00:00Z', null],
    ['0000-01-01T00:00:00+23:00', '-0001-12-31T01:00:00Z'],
    ['9999-12-31T23:59:59-12:00', '10000-01-01T11:59:59Z'],
  ])('shows %s as %s', (text, shown) => {
    expect(canonicalTime(text)).toBe(shown)
  })

  it.each([
    ['', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ['2026-1-02T', 'parsing time "2026-1-02T" as "2006-01-02T15:04:05Z07:00": cannot parse "1-02T" as "01"'],
    ['2026-13-02T03:04:05Z', 'parsing time "2026-13-02T03:04:05Z": month out of range'],
    ['2025-02-29T03:04:05Z', 'parsing time "2025-02-29T03:04:05Z": day out of range'],
    ['2026-01-02T24:04:05Z', 'parsing time "2026-01-02T24:04:05Z": hour out of range'],
    ['2026-01-02T03:04:05Zé', 'parsing time "2026-01-02T03:04:05Z\\xc3\\xa9": extra text: "\\xc3\\xa9"'],
    [
      '2026-01-02T03:04:05',
      'parsing time "2026-01-02T03:04:05" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
    ],
  ])('refuses %s as Go does', (text, message) => {
    expect(() => canonicalTime(text)).toThrow(message)
  })

  it('agrees with Date', () => {
    const dates = fc.date({ min: new Date('0002-01-01'), max: new Date('9998-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => {
        const iso = date.toISOString()
        expect(formatTime(instantOf(date.getTime()))).toBe(`${iso.slice(0, 19)}Z`)
        const at = parseTime(iso)
        expect(at.seconds * 1000 + at.nanoseconds / 1e6).toBe(date.getTime())
      }),
    )
  })
})

describe('MicroTime', () => {
  it('wants and writes six digits', () => {
    expect(canonicalMicroTime('2026-01-02T03:04:05.000006Z')).toBe('2026-01-02T03:04:05.000006Z')
    expect(canonicalMicroTime('2026-01-02T03:04:05.123456+01:00')).toBe('2026-01-02T02:04:05.123456Z')
    expect(canonicalMicroTime('0001-01-01T00:00:00.000000Z')).toBeNull()
    expect(formatMicroTime(instantOf(1500))).toBe('1970-01-01T00:00:01.500000Z')
    expect(() => parseMicroTime('2026-01-02T03:04:05Z')).toThrow('cannot parse "Z" as ".000000"')
    expect(() => parseMicroTime('2026-01-02T03:04:05.1234567Z')).toThrow('cannot parse "7Z" as "Z07:00"')
  })
})
