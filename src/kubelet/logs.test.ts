// Logs of simulated containers: lines follow from when runs began and ended; requests choose among them.
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../client/clock.ts'
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import { LogReader } from './logreader.ts'
import { linesOf, logOptions, runOf } from './logs.ts'
import { type ContainerRecord, recordOf } from './record.ts'

const pod = (annotations: Record<string, string>): Pod => ({
  metadata: { name: 'p', namespace: 'n', uid: 'u', annotations },
  spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
  status: {},
})
const LOG = 'simulate.dinghy.dev/log'
const EVERY = 'simulate.dinghy.dev/log-every'
const END = { exitCode: 1, reason: 'Error', startedAt: 0, endedAt: 5000, id: 'x' }

function running(one: Pod): ContainerRecord {
  const [container] = recordOf(one, '10.0.0.1', 0).containers
  return Object.assign(container as ContainerRecord, { phase: 'running', startedAt: 0 })
}
const texts = (one: Pod, record: ContainerRecord, now: number): string[] =>
  linesOf(one, record, runOf(one, record, false), now).map(({ at, text }) => `${at} ${text.slice(0, 9)}`)

describe('lines', () => {
  it('begin with what this is, and come again as declared', () => {
    const one = pod({ [LOG]: 'a\nb', [EVERY]: '2s' })
    expect(texts(one, running(one), 4500)).toEqual([
      '0 simulated',
      '0 a',
      '0 b',
      '2000 a',
      '2000 b',
      '4000 a',
      '4000 b',
    ])
    expect(texts(pod({ [LOG]: 'a' }), running(one), 4500)).toEqual(['0 simulated', '0 a'])
    expect(texts(pod({}), running(one), 4500)).toEqual(['0 simulated'])
  })

  it('end with the run', () => {
    const one = pod({ [LOG]: 'a', [EVERY]: '4s' })
    const record = Object.assign(running(one), { phase: 'ended', ended: END })
    expect(texts(one, record, 60_000)).toEqual(['0 simulated', '0 a', '4000 a', '5000 simulated'])
  })

  it('are bounded, however long it runs', () => {
    const one = pod({ [LOG]: 'a', [EVERY]: '1ns' })
    const lines = texts(one, running(one), 1e9)
    expect(lines.length).toBe(10_001)
    expect(lines.at(-1)).toBe('1000000000 a')
  })
})

describe('runs', () => {
  it('that wait have none; before the first there was none', () => {
    const one = pod({})
    const [record] = recordOf(one, '10.0.0.1', 0).containers
    expect(() => runOf(one, record as ContainerRecord, false)).toThrow(
      'is waiting to start: ContainerCreating',
    )
    expect(() => runOf(one, running(one), true)).toThrow(
      'previous terminated container "c" in pod "p" not found',
    )
  })

  it('are told apart by their number', () => {
    const one = pod({})
    const again = Object.assign(running(one), { restarts: 1, startedAt: 6000, last: END })
    expect(runOf(one, again, false)).toEqual({ number: 2, startedAt: 6000, ended: undefined })
    expect(runOf(one, again, true)).toEqual({ number: 1, startedAt: 0, ended: END })
  })
})

describe('a reader', () => {
  const one = pod({ [LOG]: 'a', [EVERY]: '1s' })
  const read = (query: string, record = running(one), clock = new ManualClock(3000)) => {
    const source = { pod: one, one: record, run: runOf(one, record, false), clock }
    let changed: (isGone: boolean) => void = () => undefined
    const options = logOptions(new URLSearchParams(query), clock.now())
    const reader = new LogReader(source, options, (call) => {
      changed = call
      return () => (changed = () => undefined)
    })
    return { reader, tell: (isGone = false) => changed(isGone) }
  }

  it('gives what was asked for', () => {
    expect(read('tailLines=2').reader.now()).toBe('a\na\n')
    expect(read('sinceSeconds=1').reader.now()).toBe('a\na\n')
    expect(read('sinceTime=1970-01-01T00:00:02.5Z').reader.now()).toBe('a\n')
    expect(read('limitBytes=4').reader.now()).toBe('simu')
    expect(read('tailLines=1&timestamps=true').reader.now()).toBe('1970-01-01T00:00:03.000000000Z a\n')
  })

  it('follows until the run ends, each line once', () => {
    const record = running(one)
    const clock = new ManualClock(3000)
    const { reader, tell } = read('follow=true&tailLines=1', record, clock)
    let text = ''
    reader.follow({ write: (more) => (text += more), end: () => (text += '(end)') })
    expect(text).toBe('a\n')
    clock.advance(1999)
    tell()
    expect(text).toBe('a\na\n')
    Object.assign(record, { phase: 'ended', ended: { ...END, endedAt: 5000 } })
    clock.advance(1)
    tell()
    expect(text).toMatch(/^a\na\na\nsimulated: .*ended with exit code 1\n\(end\)$/)
    clock.advance(5000)
    tell()
    expect(text.match(/\(end\)/g)).toHaveLength(1)
  })

  it('ends when the pod is gone, and when its client has enough', () => {
    let ends = 0
    const sink = { write: () => undefined, end: () => ends++ }
    const gone = read('follow=true')
    gone.reader.follow(sink)
    gone.tell(true)
    expect(ends).toBe(1)
    read('follow=true&limitBytes=3').reader.follow(sink)
    expect(ends).toBe(2)
  })
})
