import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../client/clock.ts'
import type { ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import { replicaStatus } from './status.ts'

const clock = new ManualClock(Date.parse('2026-01-01T00:01:00Z'))

const setOf = (conditions?: ReplicaSet['status']['conditions']): ReplicaSet => ({
  metadata: { name: 'a', generation: 2 },
  spec: {
    replicas: 2,
    minReadySeconds: 30,
    selector: {},
    template: { metadata: { labels: { app: 'a' } }, spec: { containers: [] } },
  },
  status: { replicas: 0, conditions },
})

const podOf = (labels: Record<string, string>, readySince?: string): Pod => ({
  metadata: { labels },
  spec: { containers: [] },
  status: readySince
    ? { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }] }
    : {},
})

describe('the status of a set', () => {
  it('counts labelled, ready and available pods', () => {
    const active = [
      podOf({ app: 'a' }, '2026-01-01T00:00:30Z'),
      podOf({ app: 'a' }, '2026-01-01T00:00:31Z'),
      podOf({ app: 'b' }),
    ]
    expect(replicaStatus(setOf(), { active, terminating: [] }, clock)).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 0,
      observedGeneration: 2,
      conditions: undefined,
    })
  })

  it('tells of a failure once, until it is over', () => {
    const failing = replicaStatus(setOf(), { active: [], failure: 'no quota' }, clock).conditions
    expect(failing).toEqual([
      {
        type: 'ReplicaFailure',
        status: 'True',
        lastTransitionTime: '2026-01-01T00:01:00Z',
        reason: 'FailedCreate',
        message: 'no quota',
      },
    ])
    expect(replicaStatus(setOf(failing), { active: [], failure: 'else' }, clock).conditions).toBe(failing)
    expect(replicaStatus(setOf(failing), { active: [] }, clock).conditions).toBeUndefined()
  })
})
