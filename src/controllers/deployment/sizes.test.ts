import { describe, expect, it } from 'vitest'
import type { Deployment, ReplicaSet } from '../../client/kinds/apps.v1.gen.ts'
import { ManualClock } from '../../client/clock.ts'
import { DESIRED, lastRevision, MAX_REPLICAS, newSetAnnotations } from './revisions.ts'
import { maxSurge, maxUnavailable, newSetSize, scaledSizes, shrunkOldSets, wasScaled } from './sizes.ts'
import { nextProgressCheck, pauseChange, rolloutStatus } from './status.ts'

const template = { metadata: {}, spec: { containers: [] } }

const deploymentOf = (
  replicas: number,
  surge: number | string,
  unavailable: number | string,
): Deployment => ({
  metadata: { name: 'd', generation: 1 },
  spec: {
    replicas,
    selector: {},
    template,
    progressDeadlineSeconds: 60,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
  },
  status: {},
})

const setOf = (name: string, replicas: number, available = replicas, annotations = {}): ReplicaSet => ({
  metadata: { name, annotations, creationTimestamp: `2026-01-01T00:00:0${name.length}Z` },
  spec: { replicas, selector: {}, template },
  status: { replicas, availableReplicas: available, readyReplicas: available },
})

describe('bounds of a rolling update', () => {
  it.each([
    [2, '0%', '1%', [0, 1]],
    [1, '1%', '25%', [1, 0]],
    [10, '25%', '25%', [3, 2]],
    [0, '25%', '25%', [0, 0]],
    [3, 0, 5, [0, 3]],
  ])('%i replicas, surge %s, unavailable %s', (replicas, surge, unavailable, bounds) => {
    const deployment = deploymentOf(replicas, surge, unavailable)
    expect([maxSurge(deployment), maxUnavailable(deployment)]).toEqual(bounds)
  })
})

describe('sizes in a rollout', () => {
  it.each([
    [2, [10], 0, 2],
    [2, [8], 2, 4],
    [2, [12], 0, 0],
    [0, [3], 5, 7],
    [20, [2], 1, 10],
  ])('of 10 with surge %i beside %j: the new set grows from %i to %i', (surge, others, current, wanted) => {
    const sets = [...others.map((size) => setOf('o', size)), setOf('n', current)]
    expect(newSetSize(deploymentOf(10, surge, 0), sets, current)).toBe(wanted)
  })

  const sizes = (all: readonly { set: ReplicaSet; replicas: number }[]): unknown =>
    all.map(({ set, replicas }) => [set.metadata.name, replicas])

  it('takes away what is not available first, then what may be unavailable, oldest first', () => {
    const deployment = deploymentOf(10, 3, 2)
    expect(sizes(shrunkOldSets(deployment, setOf('n', 5, 0), [setOf('a', 8, 8)]))).toEqual([])
    expect(sizes(shrunkOldSets(deployment, setOf('n', 5, 5), [setOf('a', 4, 1), setOf('bb', 4, 4)]))).toEqual(
      [
        ['a', 0],
        ['bb', 3],
      ],
    )
    expect(sizes(shrunkOldSets(deployment, setOf('n', 0, 0), [setOf('a', 10, 10)]))).toEqual([['a', 8]])
  })

  it('scales the only set, empties the old ones, or scales all by their shares', () => {
    const marks = (desired: number, max: number) => ({ [DESIRED]: `${desired}`, [MAX_REPLICAS]: `${max}` })
    const grown = deploymentOf(20, 0, 2)
    expect(sizes(scaledSizes(grown, undefined, [setOf('a', 10)]).sizes)).toEqual([['a', 20]])
    const full = setOf('n', 20, 20, marks(20, 20))
    expect(sizes(scaledSizes(grown, full, [setOf('a', 1)]).sizes)).toEqual([['a', 0]])
    const shares = [setOf('a', 8, 8, marks(10, 10))]
    expect(sizes(scaledSizes(grown, setOf('n', 2, 2, marks(10, 10)), shares).sizes)).toEqual([
      ['a', 16],
      ['n', 4],
    ])
    const three = [setOf('a', 3, 3, marks(9, 9)), setOf('bb', 3, 3, marks(9, 9))]
    expect(sizes(scaledSizes(deploymentOf(10, 0, 2), setOf('nnn', 3, 3, marks(9, 9)), three).sizes)).toEqual([
      ['nnn', 4],
      ['bb', 3],
      ['a', 3],
    ])
    expect(wasScaled(grown, shares)).toBe(true)
    expect(wasScaled(deploymentOf(10, 0, 0), shares)).toBe(false)
  })
})

describe('revisions', () => {
  it('are written with those before, and copied annotations', () => {
    const deployment = deploymentOf(1, 0, 0)
    deployment.metadata.annotations = { a: 'b', 'deployment.kubernetes.io/revision': '9' }
    const set = setOf('a', 1, 1, { 'deployment.kubernetes.io/revision': '2' })
    expect(newSetAnnotations(deployment, set, 4n)).toEqual({
      a: 'b',
      'deployment.kubernetes.io/revision': '4',
      'deployment.kubernetes.io/revision-history': '2',
    })
    expect(newSetAnnotations(deployment, set, 1n)).toEqual({
      a: 'b',
      'deployment.kubernetes.io/revision': '2',
    })
    const revisions = ['3', '7', '5'].map((revision) =>
      setOf('a', 0, 0, { 'deployment.kubernetes.io/revision': revision }),
    )
    expect(lastRevision(revisions)).toBe(5n)
  })
})

describe('progress', () => {
  const START = Date.parse('2026-01-01T00:00:00Z')

  it('is told while there is some, and when it is over', () => {
    const clock = new ManualClock(START)
    const deployment = deploymentOf(2, 0, 1)
    const sets = { newSet: setOf('n', 2, 1), oldSets: [] }
    deployment.status = rolloutStatus(deployment, sets, clock)
    const progress = (): unknown => {
      const { status, reason, message } =
        deployment.status.conditions?.find(({ type }) => type === 'Progressing') ?? {}
      return [status, reason, message]
    }
    expect(progress()).toEqual(['True', 'ReplicaSetUpdated', 'ReplicaSet "n" is progressing.'])
    expect(nextProgressCheck(deployment, deployment.status, START)).toBe(61_000)
    clock.advance(60_000)
    deployment.status = rolloutStatus(deployment, sets, clock)
    expect(progress()).toEqual(['True', 'ReplicaSetUpdated', 'ReplicaSet "n" is progressing.'])
    clock.advance(1)
    deployment.status = rolloutStatus(deployment, sets, clock)
    expect(progress()).toEqual([
      'False',
      'ProgressDeadlineExceeded',
      'ReplicaSet "n" has timed out progressing.',
    ])
    deployment.spec.paused = true
    expect(pauseChange(deployment)).toBeUndefined()
    deployment.status = rolloutStatus(deployment, { newSet: setOf('n', 2, 2), oldSets: [] }, clock)
    expect(progress()).toEqual([
      'True',
      'NewReplicaSetAvailable',
      'ReplicaSet "n" has successfully progressed.',
    ])
    expect(nextProgressCheck(deployment, deployment.status, START)).toBeUndefined()
  })
})
