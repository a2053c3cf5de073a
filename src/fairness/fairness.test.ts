import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../machinery/object.ts'
import { dump } from './dump.ts'
import { fairnessText } from './exposition.ts'
import { Fairness } from './fairness.ts'
import type { Arrival, Pass } from './gate.ts'
import { arrivalOf, levelOf, ManualClock, schemaOf, userOf } from './room.fixture.ts'

const QUEUES = { queues: 16, handSize: 4, queueLengthLimit: 3 }
const alice = userOf('alice')
const bob = userOf('bob')

/** One level of two seats for alice and bob, and the mandatory ones. */
const LEVELS = [
  levelOf('small', 2, QUEUES),
  levelOf('catch-all', 598),
  levelOf('none', 0, undefined, { borrowingLimitPercent: 0 }),
]
const SCHEMAS = [schemaOf('ours', 'small', 100, ['alice', 'bob'])]

function started(levels: readonly KubeObject[] = LEVELS, schemas: readonly KubeObject[] = SCHEMAS) {
  const clock = new ManualClock()
  const fairness = new Fairness({ seats: 600, statsOf: () => undefined, clock })
  fairness.digest(levels, schemas)
  const ask = (user = alice, more: Partial<Arrival> = {}) => {
    const asked: { pass: Pass | undefined } = { pass: undefined }
    const entered = fairness.enter(arrivalOf(user, {}, more))
    if (entered instanceof Promise) void entered.then((pass) => (asked.pass = pass))
    else asked.pass = entered
    return asked
  }
  return { clock, fairness, ask }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const small = ({ fairness }: ReturnType<typeof started>) => fairness.levels.get('small')?.queues

/** Takes every seat that the small level has. */
function fill(of: ReturnType<typeof started>, user = alice): Pass[] {
  const passes: Pass[] = []
  while ((small(of)?.seatsInUse ?? 0) < (small(of)?.limit ?? 0)) passes.push(of.ask(user).pass as Pass)
  return passes
}

describe('a request', () => {
  it('is marked with its schema and its level', () => {
    const { ask } = started()
    expect(ask().pass?.mark).toEqual({ schemaUid: 'uid-of-ours', levelUid: 'uid-of-small' })
    expect(ask(userOf('admin', 'system:masters')).pass?.mark).toEqual({ schemaUid: '', levelUid: '' })
  })

  it('waits where no seat is free, and goes on when one is', async () => {
    const of = started()
    const [first] = fill(of)
    const waiting = of.ask()
    await settled()
    expect(waiting.pass).toBeUndefined()
    of.clock.advance(100)
    first?.leave()
    await settled()
    expect(waiting.pass?.retryAfter).toBe(0)
    expect(of.clock.timers).toBe(0)
    waiting.pass?.leave()
  })

  it.each([
    ['a quarter of its time', 40_000, 10_000],
    ['a minute at most', 600_000, 60_000],
    ['a quarter of a minute where it is a watch', 0, 15_000],
  ])('waits %s', async (_, allottedMs, patience) => {
    const of = started()
    fill(of)
    const waiting = of.ask(alice, { allottedMs })
    of.clock.advance(patience - 1)
    await settled()
    expect(waiting.pass).toBeUndefined()
    of.clock.advance(1)
    await settled()
    expect(waiting.pass?.retryAfter).toBe(1)
    expect(small(of)?.waiting).toBe(0)
  })

  it('whose client has gone waits no longer', async () => {
    const of = started()
    fill(of)
    const gone: (() => void)[] = []
    of.ask(alice, { onGone: (listener) => void gone.push(listener) })
    expect(small(of)?.waiting).toBe(1)
    for (const listener of gone) listener()
    expect(small(of)?.waiting).toBe(0)
    expect(of.clock.timers).toBe(0)
  })

  it('is refused when all queues of its hand are full, and told to stay away longer while many are', async () => {
    const of = started()
    fill(of)
    const all = Array.from({ length: 30 }, () => of.ask())
    await settled()
    const refused = all.filter(({ pass }) => pass !== undefined)
    expect(refused.length).toBe(30 - 4 * 3)
    expect(refused.every(({ pass }) => pass?.retryAfter === 1)).toBe(true)
    of.clock.advance(1000)
    expect(of.ask().pass?.retryAfter).toBe(2)
    // Bob has a hand of his own.
    expect(of.ask(bob).pass).toBeUndefined()
  })

  it('of an administrator never waits', () => {
    const of = started()
    fill(of)
    const admin = userOf('admin', 'system:masters')
    for (let i = 0; i < 1000; i++) expect(of.ask(admin).pass?.retryAfter).toBe(0)
  })
})

describe('a quiet user', () => {
  it('is served in turn while another floods the level', async () => {
    const of = started([levelOf('small', 2, { ...QUEUES, queueLengthLimit: 500 }), levelOf('catch-all', 598)])
    const running = fill(of)
    const served: string[] = []
    const send = (user: typeof alice): void => {
      const entered = of.fairness.enter(arrivalOf(user, {}))
      if (!(entered instanceof Promise)) throw new Error('nothing is free')
      void entered.then((pass) => {
        served.push(user.name)
        running.push(pass)
      })
    }
    for (let i = 0; i < 400; i++) send(alice)
    for (let i = 0; i < 10; i++) send(bob)
    while (running.length > 0) {
      of.clock.advance(3)
      running.shift()?.leave()
      await settled()
    }
    expect(served.length).toBe(410)
    // Alice's hand has four queues, bob's has others: he gets at least one turn in five.
    expect(served.lastIndexOf('bob')).toBeLessThan(60)
  })
})

describe('a change of the objects', () => {
  it('takes effect at once', async () => {
    const of = started()
    const seats = small(of)?.limit ?? 0
    fill(of)
    const waiting = of.ask()
    of.fairness.digest([levelOf('small', 50, QUEUES), levelOf('catch-all', 550)], SCHEMAS)
    await settled()
    expect(waiting.pass?.retryAfter).toBe(0)
    expect(small(of)?.limit).toBeGreaterThan(seats)
    of.fairness.digest(LEVELS, [...SCHEMAS, schemaOf('first', 'none', 1, ['alice'])])
    // A level without a seat takes one at a time all the same.
    expect(of.ask().pass?.retryAfter).toBe(0)
    expect(of.ask().pass).toMatchObject({ retryAfter: 1, mark: { schemaUid: 'uid-of-first' } })
  })

  it('lets a level drain that is taken away', () => {
    const of = started()
    const [first, ...others] = fill(of)
    of.fairness.digest([levelOf('catch-all', 598)], SCHEMAS)
    expect(of.fairness.levels.get('small')?.isQuiescing).toBe(true)
    expect(of.ask().pass?.mark?.levelUid).not.toBe('uid-of-small')
    for (const pass of others) pass.leave()
    expect(of.fairness.levels.get('small')).toBeDefined()
    first?.leave()
    expect(of.fairness.levels.get('small')).toBeUndefined()
  })

  it('passes over what contradicts itself', () => {
    const broken = [
      levelOf('small', 2, { ...QUEUES, handSize: 99 }),
      { ...levelOf('exempt', 2), spec: { type: 'Limited', limited: {} } },
      { ...levelOf('other', 2), spec: { type: 'Exempt', exempt: {} } },
      { ...levelOf('empty', 2), spec: null },
    ]
    const { fairness } = started(broken, [
      ...SCHEMAS,
      { ...schemaOf('odd', 'exempt', 1, []), spec: { rules: 7 } },
    ])
    expect([...fairness.levels.all()].map(({ spec }) => spec.name).sort()).toEqual(['catch-all', 'exempt'])
  })
})

describe('seats', () => {
  it('are lent to who wants them, every ten seconds', () => {
    const lending = { lendablePercent: 90 }
    const of = started([levelOf('small', 10, QUEUES), levelOf('catch-all', 590, undefined, lending)])
    of.fairness.start()
    const before = small(of)?.limit ?? 0
    fill(of)
    for (let i = 0; i < 12; i++) of.ask()
    of.clock.advance(10_000)
    of.clock.advance(10_000)
    expect(small(of)?.limit).toBeGreaterThan(before)
    of.fairness.stop()
    // Those that waited have given up meanwhile.
    expect(of.clock.timers).toBe(0)
  })

  it('stay taken behind the answer of a write that many hear of', () => {
    const of = started()
    const { fairness, clock } = of
    const info = arrivalOf(alice, { verb: 'watch' }).info
    const forget = Array.from({ length: 20 }, () => fairness.watching(info, new URLSearchParams()))
    const pass = fairness.enter(arrivalOf(alice, { verb: 'create' })) as Pass
    pass.leave()
    expect([small(of)?.executing, small(of)?.seatsInUse]).toEqual([0, 1])
    clock.advance(10)
    expect(small(of)?.seatsInUse).toBe(0)
    for (const one of forget) one()
    ;(fairness.enter(arrivalOf(alice, { verb: 'create' })) as Pass).leave()
    expect(small(of)?.seatsInUse).toBe(0)
  })
})

describe('what is told', () => {
  it('of levels, queues and requests, in tables as upstream’s', async () => {
    const of = started()
    fill(of)
    of.ask(bob)
    const rows = (name: string, details = false) =>
      dump(of.fairness, name, details)?.trimEnd().split('\n') ?? []
    const [head, ...levels] = rows('dump_priority_levels')
    expect(head).toMatch(/^PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, /)
    const { executing, dispatched } = small(of) ?? {}
    expect(levels.find((row) => row.startsWith('small'))?.split(/, +/)).toEqual(
      ['small', 1, false, false, 1, executing, dispatched, 0, 0, 0].map(String),
    )
    expect(levels.every((row) => row.indexOf('0,') >= (head?.indexOf('ActiveQueues') ?? 0))).toBe(true)
    expect(rows('dump_queues').filter((row) => row.startsWith('small,')).length).toBe(16)
    const waiting = rows('dump_requests', true)
      .find((row) => row.includes('bob'))
      ?.split(/, */)
    expect(waiting?.slice(0, 2)).toEqual(['small', 'ours'])
    expect(waiting?.slice(6)).toEqual([
      '1',
      '0',
      '0s',
      '0001-01-01T00:00:00Z',
      'bob',
      'get',
      '/api/v1/x',
      '',
      '',
      'v1',
      'pods',
      '',
    ])
    expect(dump(of.fairness, 'dump_everything', false)).toBeUndefined()
  })

  it('to Prometheus, under upstream’s names', async () => {
    const of = started()
    const [first] = fill(of)
    for (let i = 0; i < 20; i++) of.ask()
    of.clock.advance(20)
    first?.leave()
    await settled()
    const lines = fairnessText(of.fairness).split('\n')
    const value = (name: string): string | undefined =>
      lines.find((line) => line.startsWith(`apiserver_flowcontrol_${name} `))?.split(' ')[1]
    const flow = '{flow_schema="ours",priority_level="small"}'
    expect(value(`current_inqueue_requests${flow}`)).toBe('11')
    expect(value(`current_executing_seats${flow}`)).toBe(String(small(of)?.seatsInUse))
    expect(value(`dispatched_requests_total${flow}`)).toBe(String(small(of)?.dispatched))
    expect(
      value('rejected_requests_total{flow_schema="ours",priority_level="small",reason="queue-full"}'),
    ).toBe('8')
    expect(value('nominal_limit_seats{priority_level="small"}')).toBe('2')
    const waited = 'request_wait_duration_seconds'
    const labels = 'flow_schema="ours",priority_level="small",execute="true"'
    expect(value(`${waited}_bucket{${labels},le="0.005"}`)).toBe(String((small(of)?.dispatched ?? 0) - 1))
    expect(value(`${waited}_bucket{${labels},le="0.02"}`)).toBe(value(`${waited}_count{${labels}}`))
    expect(value('read_vs_write_current_requests_count{phase="waiting",request_kind="readOnly"}')).toBe(
      '20000000',
    )
    for (const line of lines)
      expect(line).toMatch(/^($|# (HELP|TYPE) \S+ \S|[a-z_]+(\{[^{}]*\})? [-+\d.e]+$)/)
  })
})
