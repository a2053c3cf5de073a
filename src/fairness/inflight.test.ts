import { describe, expect, it } from 'vitest'
import { isLongRunning, type Pass } from './gate.ts'
import { MaxInFlight } from './inflight.ts'
import { arrivalOf, infoOf, ManualClock, userOf } from './room.fixture.ts'

const alice = userOf('alice')

describe('plain limits', () => {
  const gate = () => new MaxInFlight({ readOnly: 2, mutating: 1 }, new ManualClock())
  const enter = (of: MaxInFlight, verb: string, user = alice): Pass => of.enter(arrivalOf(user, { verb }))

  it('count reads and writes apart, and refuse what comes on top', () => {
    const limits = gate()
    const passes = ['get', 'list', 'get', 'create', 'delete'].map((verb) => enter(limits, verb))
    expect(passes.map(({ retryAfter }) => retryAfter)).toEqual([0, 0, 1, 0, 1])
    passes[1]?.leave()
    expect(enter(limits, 'get').retryAfter).toBe(0)
    expect(enter(limits, 'get').retryAfter).toBe(1)
  })

  it('let administrators and watches pass, uncounted', () => {
    const limits = gate()
    enter(limits, 'create')
    const admin = enter(limits, 'create', userOf('admin', 'system:masters'))
    expect(admin.retryAfter).toBe(0)
    admin.leave()
    expect(enter(limits, 'create').retryAfter).toBe(1)
    for (let i = 0; i < 9; i++) expect(enter(limits, 'watch').retryAfter).toBe(0)
    expect(limits.kinds.executing.readOnly.count).toBe(0)
  })

  it('mark no answer', () => {
    expect(enter(gate(), 'get').mark).toBeUndefined()
  })

  it('of nothing are none', () => {
    const limits = new MaxInFlight({ readOnly: 0, mutating: 1 }, new ManualClock())
    for (let i = 0; i < 9; i++) expect(enter(limits, 'get').retryAfter).toBe(0)
  })
})

it.each([
  [{ verb: 'watch' }, true],
  [{ verb: 'proxy' }, true],
  [{ verb: 'get', subresource: 'log' }, true],
  [{ verb: 'create', subresource: 'exec' }, true],
  [{ verb: 'get', subresource: 'status' }, false],
  [{ verb: 'list' }, false],
  [{ isResourceRequest: false, path: '/debug/pprof/heap' }, true],
  [{ isResourceRequest: false, path: '/log', subresource: 'log' }, false],
])('knows what goes on for as long as it likes: %j %s', (info, expected) => {
  expect(isLongRunning(infoOf(info))).toBe(expected)
})
