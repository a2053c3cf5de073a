// Limits, rates and what was asked for of late.
import { describe, expect, it } from 'vitest'
import { type History, historyFrom, noteChange, settle } from './behavior.ts'

const NOW = 10_000_000
const fresh = (): History => ({ recommendations: [], up: [], down: [] })
const wish = (current: number, desired: number, more: object = {}) => ({
  ...{ current, desired, min: 1, max: 100, behavior: undefined, downWindowMs: 300_000, now: NOW },
  ...more,
})
const told = (current: number, desired: number, more: object = {}, history = fresh()) => {
  const { replicas, stabilized, limited } = settle(wish(current, desired, more), history)
  return [replicas, stabilized[0], limited.by, limited.why[0]]
}

describe('without rules', () => {
  it.each([
    ['up', told(3, 5), [5, 'ReadyForNewScale', false, 'DesiredWithinRange']],
    ['at most twice as many', told(10, 50), [20, 'ReadyForNewScale', true, 'ScaleUpLimit']],
    ['of few at most four', told(1, 50), [4, 'ReadyForNewScale', true, 'ScaleUpLimit']],
    ['not above the maximum', told(5, 9, { max: 6 }), [6, 'ReadyForNewScale', true, 'TooManyReplicas']],
    ['not below the minimum', told(5, 1, { min: 2 }), [2, 'ReadyForNewScale', true, 'TooFewReplicas']],
  ])('%s', (_what, found, wanted) => {
    expect(found).toEqual(wanted)
  })

  it('goes down only when nothing higher was asked for within the window', () => {
    const history = historyFrom(10, NOW - 299_000)
    expect(told(10, 5, {}, history)).toEqual([10, 'ScaleDownStabilized', false, 'DesiredWithinRange'])
    expect(told(10, 5, { now: NOW + 2000 }, history)).toEqual([
      5,
      'ReadyForNewScale',
      false,
      'DesiredWithinRange',
    ])
    expect(history.recommendations).toHaveLength(2)
  })
})

describe('with rules', () => {
  const policy = (type: string, value: number, periodSeconds = 60) => ({ type, value, periodSeconds })
  const rules = (more: object) => ({
    selectPolicy: 'Max',
    stabilizationWindowSeconds: 0,
    policies: [],
    ...more,
  })
  const behavior = (up: object, down: object = {}) => ({ scaleUp: rules(up), scaleDown: rules(down) })
  const up = (more: object) => ({ behavior: behavior(more) })
  const down = (more: object) => ({ behavior: behavior({}, more) })
  it.each([
    ['up by so many pods', told(10, 50, up({ policies: [policy('Pods', 4)] })), [14, 'ScaleUpLimit']],
    [
      'up by a share, rounded up',
      told(5, 50, up({ policies: [policy('Percent', 10)] })),
      [6, 'ScaleUpLimit'],
    ],
    [
      'by the larger of two',
      told(10, 50, up({ policies: [policy('Pods', 4), policy('Percent', 100)] })),
      [20, 'ScaleUpLimit'],
    ],
    [
      'by the smaller of two',
      told(10, 50, up({ selectPolicy: 'Min', policies: [policy('Pods', 4), policy('Percent', 100)] })),
      [14, 'ScaleUpLimit'],
    ],
    [
      'never up',
      told(10, 50, up({ selectPolicy: 'Disabled', policies: [policy('Pods', 4)] })),
      [10, 'ScaleUpLimit'],
    ],
    [
      'not above the maximum',
      told(10, 50, { ...up({ policies: [policy('Pods', 40)] }), max: 12 }),
      [12, 'TooManyReplicas'],
    ],
    ['down by so many pods', told(10, 1, down({ policies: [policy('Pods', 4)] })), [6, 'ScaleDownLimit']],
    ['down by a share', told(10, 1, down({ policies: [policy('Percent', 25)] })), [7, 'ScaleDownLimit']],
    [
      'down by the smaller of two',
      told(10, 1, down({ selectPolicy: 'Min', policies: [policy('Pods', 4), policy('Percent', 10)] })),
      [9, 'ScaleDownLimit'],
    ],
    [
      'not below the minimum',
      told(10, 1, { ...down({ policies: [policy('Percent', 100)] }), min: 3 }),
      [3, 'TooFewReplicas'],
    ],
    ['within all of it', told(10, 12, up({ policies: [policy('Pods', 4)] })), [12, 'DesiredWithinRange']],
  ])('%s', (_what, [replicas, , , reason], wanted) => {
    expect([replicas, reason]).toEqual(wanted)
  })

  it('counts what was changed within the period', () => {
    const history = fresh()
    const { behavior: one } = up({ policies: [policy('Pods', 4)] })
    noteChange(history, one, { from: 10, to: 13, now: NOW - 30_000 })
    expect(told(13, 50, { behavior: one }, history)[0]).toBe(14)
    expect(told(13, 50, { behavior: one, now: NOW + 31_000 }, history)[0]).toBe(17)
    noteChange(history, one, { from: 13, to: 14, now: NOW + 31_000 })
    expect(history.up).toEqual([{ by: 1, at: NOW + 31_000 }])
    noteChange(history, undefined, { from: 1, to: 2, now: NOW })
    expect(history.up).toHaveLength(1)
  })

  it('holds back in both directions for as long as their windows are', () => {
    const one = behavior(
      { stabilizationWindowSeconds: 60, policies: [policy('Pods', 50)] },
      { stabilizationWindowSeconds: 600, policies: [policy('Pods', 50)] },
    )
    const history = historyFrom(10, NOW - 30_000)
    expect(told(10, 20, { behavior: one }, history).slice(0, 2)).toEqual([10, 'ScaleUpStabilized'])
    expect(told(10, 20, { behavior: one, now: NOW + 31_000 }, history).slice(0, 2)).toEqual([
      20,
      'ReadyForNewScale',
    ])
    expect(told(20, 5, { behavior: one, now: NOW + 60_000 }, history).slice(0, 2)).toEqual([
      20,
      'ScaleDownStabilized',
    ])
  })
})
