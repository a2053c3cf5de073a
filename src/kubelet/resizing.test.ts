// Pods that are resized on a node with two cores.
import { describe, expect, it } from 'vitest'
import type { Container, Pod, ResourceRequirements } from '../client/kinds/core.v1.gen.ts'
import { byUrgency, Deferred } from './deferred.ts'
import { advance } from './lifecycle.ts'
import { podStatus } from './podstatus.ts'
import { type PodRecord, recordOf } from './record.ts'
import { resize, settle } from './resizing.ts'
import { NodeRoom } from './room.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const ALLOCATABLE = { cpu: '2', memory: '4Gi', pods: '9' }
const cpu = (amount: string): ResourceRequirements => ({ requests: { cpu: amount } })

function aPod(uid: string, resources: ResourceRequirements, more: Partial<Container> = {}): Pod {
  return {
    metadata: { name: uid, namespace: 'n', uid, generation: 1 },
    spec: { containers: [{ name: 'app', image: 'nginx', resources, ...more }] },
    status: {},
  }
}

/** One node; what happens on it at one time. */
class Place {
  readonly room = new NodeRoom()
  now = START
  readonly #records = new Map<string, PodRecord>()

  /** Says what was told. */
  sync(pod: Pod): string[] {
    const { uid = '' } = pod.metadata
    let record = this.#records.get(uid)
    if (!record) {
      this.#records.set(uid, (record = recordOf(pod, '10.0.0.2', this.now)))
      this.room.take(pod, ALLOCATABLE)
    }
    const events = resize(pod, record, { room: this.room, allocatable: ALLOCATABLE }, this.now)
    events.push(...advance(pod, record, this.now).events, ...settle(pod, record, this.now))
    return events.map(({ type, reason, message }) => `${type} ${reason} ${message}`)
  }

  status(pod: Pod) {
    const record = this.#records.get(pod.metadata.uid ?? '') as PodRecord
    const { containerStatuses, conditions = [] } = podStatus(pod, record, { ip: '1.2.3.4' }, this.now)
    const [status] = containerStatuses ?? []
    return {
      granted: status?.allocatedResources?.['cpu'],
      actual: status?.resources?.requests?.['cpu'],
      restarts: status?.restartCount,
      conditions: conditions.filter(({ type }) => type.startsWith('PodResize')),
    }
  }

  restart(pod: Pod): void {
    this.#records.set(pod.metadata.uid ?? '', recordOf(pod, '10.0.0.2', this.now))
  }
}

const asking = (pod: Pod, amount: string, generation: number): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, generation },
  spec: { containers: pod.spec.containers.map((one) => ({ ...one, resources: cpu(amount) })) },
})

const summary = (amount: string, generation: number, error = ''): string =>
  `{"containers":[{"name":"app","resources":{"requests":{"cpu":"${amount}"}}}],"generation":${generation}${error}}`

describe('a resize', () => {
  it('is granted in place where there is room', () => {
    const place = new Place()
    const pod = aPod('a', cpu('1'))
    place.sync(pod)
    expect(place.status(pod)).toEqual({ granted: '1', actual: '1', restarts: 0, conditions: [] })
    const more = asking(pod, '2', 2)
    expect(place.sync(more)).toEqual([
      `Normal ResizeStarted Pod resize started: ${summary('2', 2)}`,
      `Normal ResizeCompleted Pod resize completed: ${summary('2', 2)}`,
    ])
    expect(place.status(more)).toEqual({ granted: '2', actual: '2', restarts: 0, conditions: [] })
    expect(place.sync(more)).toEqual([])
  })

  it('waits for room, and keeps what it has until then', () => {
    const place = new Place()
    const [pod, other] = [aPod('a', cpu('1')), aPod('b', cpu('600m'))]
    place.sync(pod)
    place.sync(other)
    const more = asking(pod, '1500m', 2)
    const why = "Node didn't have enough resource: cpu, requested: 1500, used: 600, capacity: 2000"
    expect(place.sync(more)).toEqual([
      `Warning ResizeDeferred Pod resize OutOfcpu: ${summary('1500m', 2, `,"error":"${why}"`)}`,
    ])
    const pending = {
      ...{
        type: 'PodResizePending',
        status: 'True',
        reason: 'Deferred',
        message: why,
        observedGeneration: 2,
      },
      ...{ lastProbeTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' },
    }
    expect(place.status(more)).toEqual({ granted: '1', actual: '1', restarts: 0, conditions: [pending] })
    place.now += 5000
    expect(place.sync(more)).toEqual([])
    expect(place.status(more).conditions).toEqual([pending])
    // What it has is counted, not what it asks for.
    expect(place.room.take(aPod('c', cpu('400m')), ALLOCATABLE)).toBeUndefined()
    place.room.giveBack('c')
    place.room.giveBack('b')
    expect(place.sync(more).map((one) => one.split(' ')[1])).toEqual(['ResizeStarted', 'ResizeCompleted'])
    expect(place.status(more)).toEqual({
      ...{ granted: '1500m', actual: '1500m', restarts: 0 },
      conditions: [{ type: 'PodResizePending', $patch: 'delete' }],
    })
  })

  it('that is taken back is waited for no longer', () => {
    const place = new Place()
    const pod = aPod('a', cpu('1'))
    place.sync(pod)
    const more = asking(pod, '3', 2)
    place.sync(more)
    expect(place.status(more).conditions).toMatchObject([{ reason: 'Deferred' }])
    const back = asking(pod, '1', 3)
    expect(place.sync(back)).toEqual([])
    expect(place.status(back).conditions).toEqual([{ type: 'PodResizePending', $patch: 'delete' }])
  })

  it('is in progress while a container ends that must start anew for it', () => {
    const place = new Place()
    const pod = aPod('a', cpu('1'), {
      resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }],
    })
    const slow = (one: Pod): Pod => ({
      ...one,
      metadata: { ...one.metadata, annotations: { 'simulate.dinghy.dev/stop-after': '5s' } },
    })
    place.sync(slow(pod))
    const more = slow(asking(pod, '2', 2))
    expect(place.sync(more)).toEqual([
      `Normal ResizeStarted Pod resize started: ${summary('2', 2)}`,
      'Normal Killing Container app resize requires restart',
    ])
    expect(place.status(more)).toMatchObject({
      ...{ granted: '2', actual: '1', restarts: 0 },
      conditions: [{ type: 'PodResizeInProgress', status: 'True', observedGeneration: 2 }],
    })
    place.now += 5000
    expect(place.sync(more).at(-1)).toBe(`Normal ResizeCompleted Pod resize completed: ${summary('2', 2)}`)
    expect(place.status(more)).toEqual({
      ...{ granted: '2', actual: '2', restarts: 1 },
      conditions: [{ type: 'PodResizeInProgress', $patch: 'delete' }],
    })
  })

  it('is waited for by a node that starts again', () => {
    const place = new Place()
    const [pod, other] = [aPod('a', cpu('1')), aPod('b', cpu('1'))]
    place.sync(pod)
    place.sync(other)
    const more = asking(pod, '2', 2)
    place.sync(more)
    const { containerStatuses, conditions } = {
      containerStatuses: [
        {
          ...{ name: 'app', image: 'nginx', imageID: '', ready: true, restartCount: 0, lastState: {} },
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
          allocatedResources: { cpu: '1' },
          resources: cpu('1'),
        },
      ],
      conditions: place.status(more).conditions,
    }
    const known: Pod = { ...more, status: { phase: 'Running', containerStatuses, conditions } }
    place.now += 9000
    place.restart(known)
    expect(place.sync(known)).toEqual([])
    expect(place.status(known)).toEqual({ granted: '1', actual: '1', restarts: 0, conditions })
    place.room.giveBack('b')
    place.sync(known)
    expect(place.status(known)).toMatchObject({ granted: '2', actual: '2' })
  })
})

describe('those that wait for room', () => {
  const waiting = (uid: string, priority: number, qosClass: string, since: number) => ({
    pod: { ...aPod(uid, {}), spec: { containers: [], priority }, status: { qosClass } },
    since,
  })
  const all = [
    waiting('late', 0, 'Burstable', 2),
    waiting('early', 0, 'Burstable', 1),
    waiting('sure', 0, 'Guaranteed', 3),
    waiting('high', 5, 'Burstable', 4),
  ]

  it('are tried by urgency', () => {
    const names = [...all].sort(byUrgency).map(({ pod }) => pod.metadata.name)
    expect(names).toEqual(['high', 'sure', 'early', 'late'])
  })

  it('are tried when there is more room on their node', () => {
    const woken: string[] = []
    const deferred = new Deferred((key) => woken.push(key))
    for (const one of all) deferred.add('here', one)
    deferred.delete('here', all[2]?.pod as Pod)
    deferred.retry('elsewhere')
    expect(woken).toEqual([])
    deferred.retry('here')
    expect(woken).toEqual(['n/high', 'n/early', 'n/late'])
  })
})
