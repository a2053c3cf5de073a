import { describe, expect, it } from 'vitest'
import type { CronJob } from '../../client/kinds/batch.v1.gen.ts'
import { dueRun, nextLook, ScheduleError } from './due.ts'
import { isTimeZone, parseSchedule, type Schedule, timeInZone } from './schedule.ts'

const scheduleOf = (text: string, zone = 'UTC'): Schedule => parseSchedule(text, zone) as Schedule
const after = (text: string, at: string, zone?: string): string | undefined => {
  const next = scheduleOf(text, zone)(Date.parse(at))
  return next === undefined ? undefined : new Date(next).toISOString().replace('.000Z', 'Z')
}

describe('the next time of a schedule', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
    ['*/15 * * * *', '2026-01-01T00:45:00Z', '2026-01-01T01:00:00Z'],
    ['20-35/15 * * * *', '2026-01-01T00:20:00Z', '2026-01-01T00:35:00Z'],
    ['5/20 8-10 * * *', '2026-01-01T10:45:00Z', '2026-01-02T08:05:00Z'],
    ['0 0 29 feb ?', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 31 2 *', '2026-01-01T00:00:00Z', undefined],
    ['0 12 1 * MON', '2026-01-01T12:00:00Z', '2026-01-05T12:00:00Z'],
    ['0 12 */2 * mon', '2026-01-01T12:00:00Z', '2026-01-03T12:00:00Z'],
    ['@weekly', '2026-01-01T12:00:00Z', '2026-01-04T00:00:00Z'],
    ['@every 90s', '2026-01-01T12:00:00.5Z', '2026-01-01T12:01:30Z'],
    ['@every 1ms', '2026-01-01T12:00:00Z', '2026-01-01T12:00:01Z'],
    ['TZ=Asia/Kolkata 0 9 * * *', '2026-01-01T00:00:00Z', '2026-01-01T03:30:00Z'],
  ])('%s after %s', (text, at, expected) => {
    expect(after(text, at)).toBe(expected)
  })

  it('leaves out the hour that is not there, and comes twice in the one that is there twice', () => {
    const zone = 'America/New_York'
    expect(after('30 2 * * *', '2026-03-07T12:00:00Z', zone)).toBe('2026-03-09T06:30:00Z')
    expect(after('30 1 * * *', '2026-11-01T05:00:00Z', zone)).toBe('2026-11-01T05:30:00Z')
    expect(after('30 1 * * *', '2026-11-01T05:30:00Z', zone)).toBe('2026-11-01T06:30:00Z')
    expect(after('0 0 * * *', '2018-11-03T12:00:00Z', 'America/Sao_Paulo')).toBe('2018-11-05T02:00:00Z')
  })

  it('is none for what is no schedule', () => {
    for (const text of [
      '',
      '* * * *',
      '60 * * * *',
      '5-1 * * * *',
      '*/0 * * * *',
      '@often',
      '@every x',
      'a * * * *',
    ]) {
      expect(parseSchedule(text)).toBeUndefined()
    }
    expect(parseSchedule('* * * * *', 'Mars/Olympus')).toBeUndefined()
    expect(['Europe/Berlin', 'UTC', 'No/Where', '+01:00'].map(isTimeZone)).toEqual([true, true, false, false])
  })

  it('is written in its zone', () => {
    const at = Date.parse('2026-07-01T10:00:00Z')
    expect(timeInZone(at, 'Europe/Berlin')).toBe('2026-07-01T12:00:00+02:00')
    expect(timeInZone(at, 'America/St_Johns')).toBe('2026-07-01T07:30:00-02:30')
    expect(timeInZone(at, undefined)).toBe('2026-07-01T10:00:00Z')
  })
})

describe('what is due', () => {
  const cronJobOf = (last?: string, startingDeadlineSeconds?: number): CronJob => ({
    metadata: { name: 'c', creationTimestamp: '2026-01-01T00:00:30Z' },
    spec: {
      schedule: '',
      startingDeadlineSeconds,
      jobTemplate: { metadata: {}, spec: { template: { metadata: {}, spec: { containers: [] } } } },
    },
    status: { lastScheduleTime: last },
  })
  const hourly = scheduleOf('0 * * * *')
  const due = (cronJob: CronJob, at: string): unknown => {
    const found = dueRun(cronJob, Date.parse(at), hourly)
    return found && [new Date(found.at).toISOString().slice(0, 16), found.isManyMissed]
  }

  it('is the last time that has come since the last run', () => {
    expect(due(cronJobOf(), '2026-01-01T00:59:59Z')).toBeUndefined()
    expect(due(cronJobOf(), '2026-01-01T01:00:00Z')).toEqual(['2026-01-01T01:00', false])
    expect(due(cronJobOf('2026-01-01T01:00:00Z'), '2026-01-01T01:30:00Z')).toBeUndefined()
    expect(due(cronJobOf(), '2026-01-01T05:10:00Z')).toEqual(['2026-01-01T05:00', false])
    expect(due(cronJobOf(), '2026-01-09T05:10:00Z')).toEqual(['2026-01-09T05:00', true])
    expect(due(cronJobOf(undefined, 60), '2026-01-09T05:10:00Z')).toBeUndefined()
    expect(() => dueRun(cronJobOf(), 0, scheduleOf('0 0 31 2 *'))).toThrow(ScheduleError)
  })

  it('is looked for again a little after the next time', () => {
    const at = Date.parse('2026-01-01T01:30:00Z')
    expect(nextLook(cronJobOf('2026-01-01T01:00:00Z'), at, hourly)).toBe(30 * 60_000 + 100)
    expect(nextLook(cronJobOf(), Date.parse('2026-01-01T00:30:00Z'), hourly)).toBe(30 * 60_000 + 100)
  })
})
