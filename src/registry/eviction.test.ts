import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import { spend } from './eviction.ts'

const now = new Date('2026-01-02T03:04:05Z')
const pod = { metadata: { name: 'p' } } as KubeObject
const budget = (status: JsonObject): KubeObject =>
  ({
    metadata: { name: 'b', generation: 2 },
    spec: {},
    status: { observedGeneration: 2, ...status },
  }) as KubeObject

function refusalOf(given: KubeObject): StatusError {
  try {
    spend(given, pod, now)
  } catch (error) {
    if (error instanceof StatusError) return error
    throw error
  }
  throw new Error('it was allowed')
}

describe('an eviction', () => {
  it('takes one of the disruptions that the budget allows, and names the pod in it', () => {
    const spent = spend(budget({ disruptionsAllowed: 2, disruptedPods: { q: 'then' } }), pod, now)
    expect(spent['status']).toEqual({
      observedGeneration: 2,
      disruptionsAllowed: 1,
      disruptedPods: { q: 'then', p: '2026-01-02T03:04:05Z' },
    })
  })

  it('that takes the last one says in a condition that there is none left', () => {
    const others = [{ type: 'Other', status: 'True' }]
    const spent = spend(budget({ disruptionsAllowed: 1, conditions: others }), pod, now)
    expect(spent['status']).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [...others, { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    })
  })

  it('is put off, with the reason as a cause, where none is left', () => {
    const { code, status } = refusalOf(
      budget({ disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 2 }),
    )
    expect(code).toBe(429)
    expect(status.details?.causes).toEqual([
      {
        reason: 'DisruptionBudget',
        message: 'The disruption budget b needs 2 healthy pods and has 1 currently',
      },
    ])
  })

  it('is put off for ten seconds while nobody has looked at the budget', () => {
    const { code, status } = refusalOf(budget({ disruptionsAllowed: 1, observedGeneration: 1 }))
    expect([code, status.details?.retryAfterSeconds]).toEqual([429, 10])
  })

  it('is forbidden where the count makes no sense, or evictions pile up', () => {
    expect(refusalOf(budget({ disruptionsAllowed: -1 })).code).toBe(403)
    const many = Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`p${i}`, 'then']))
    expect(refusalOf(budget({ disruptionsAllowed: 1, disruptedPods: many })).code).toBe(403)
  })
})
