// What budgets allow, by what they ask for and what is there.
import { describe, expect, it } from 'vitest'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { PodDisruptionBudget } from '../../client/kinds/policy.v1.gen.ts'
import { expectedOf, nextStatus } from './status.ts'

const NOW = Date.parse('2026-01-01T00:10:00Z')
const budget = (spec: object, status: object = {}): PodDisruptionBudget =>
  ({ metadata: { name: 'b', generation: 3 }, spec, status }) as never
const pods = (...names: string[]): Pod[] =>
  names.map((name) => ({
    metadata: { name },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  })) as never

describe('what is expected', () => {
  it.each([
    [{ minAvailable: 2 }, 5, 0, { pods: 5, healthy: 2 }],
    [{ minAvailable: '50%' }, 3, 5, { pods: 5, healthy: 3 }],
    [{ maxUnavailable: 1 }, 3, 5, { pods: 5, healthy: 4 }],
    [{ maxUnavailable: '30%' }, 3, 5, { pods: 5, healthy: 3 }],
    [{ maxUnavailable: 9 }, 3, 5, { pods: 5, healthy: 0 }],
    [{}, 3, 5, { pods: 0, healthy: 0 }],
  ])('of %j with %i pods and a scale of %i', (spec, count, scale, expected) => {
    expect(expectedOf(budget(spec), count, scale)).toEqual(expected)
  })
})

describe('the status', () => {
  it('allows nothing while there are no pods', () => {
    expect(nextStatus(budget({}), [], { pods: 0, healthy: 0 }, NOW).status.disruptionsAllowed).toBe(0)
  })
  it('counts pods whose eviction was let through as gone, for two minutes', () => {
    const disruptedPods = {
      a: '2026-01-01T00:09:00Z',
      b: '2026-01-01T00:07:59Z',
      gone: '2026-01-01T00:09:59Z',
    }
    const next = nextStatus(budget({}, { disruptedPods }), pods('a', 'b', 'c'), { pods: 3, healthy: 1 }, NOW)
    expect(next.status).toMatchObject({
      currentHealthy: 2,
      disruptionsAllowed: 1,
      observedGeneration: 3,
      disruptedPods: { a: '2026-01-01T00:09:00Z' },
    })
    expect(next.recheckAt).toBe(Date.parse('2026-01-01T00:11:00Z'))
    expect(next.overdue.map(({ metadata }) => metadata.name)).toEqual(['b'])
  })
})
