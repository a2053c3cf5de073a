// Pods' lives on a simulated node, step by step, with time that is told to pass.
import { describe, expect, it } from 'vitest'
import type { Container, Pod, PodSpec } from '../client/kinds/core.v1.gen.ts'
import { advance } from './lifecycle.ts'
import { podStatus } from './podstatus.ts'
import { type PodEvent, type PodRecord, recordOf } from './record.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const SIMULATE = 'simulate.dinghy.dev/'

const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'nginx',
  resources: {},
  ...more,
})

function aPod(
  spec: Partial<PodSpec> = {},
  said: Record<string, string> = {},
  metadata: Partial<Pod['metadata']> = {},
): Pod {
  const annotations = Object.fromEntries(Object.entries(said).map(([key, value]) => [SIMULATE + key, value]))
  return {
    metadata: { name: 'p', namespace: 'n', uid: 'u', annotations, ...metadata },
    spec: { containers: [container('app')], ...spec },
    status: {},
  }
}

/** A pod on a node, and a clock. */
class Life {
  pod: Pod
  now = START
  record: PodRecord
  readonly events: PodEvent[] = []
  wakeAt = Infinity
  isOver = false

  constructor(pod: Pod) {
    this.pod = pod
    this.record = recordOf(pod, '10.0.0.2', this.now)
    this.pass(0)
  }

  pass(seconds: number): this {
    this.now += seconds * 1000
    const { events, wakeAt, isOver } = advance(this.pod, this.record, this.now)
    this.events.push(...events)
    Object.assign(this, { wakeAt, isOver })
    return this
  }

  delete(graceSeconds: number): this {
    const metadata = {
      ...this.pod.metadata,
      deletionTimestamp: 'now',
      deletionGracePeriodSeconds: graceSeconds,
    }
    this.pod = { ...this.pod, metadata }
    return this.pass(0)
  }

  get status() {
    return podStatus(this.pod, this.record, { ip: '1.2.3.4' }, this.now)
  }

  /** "app=running ready" for each container, the phase before them. */
  get summary(): string {
    const { phase, initContainerStatuses = [], containerStatuses = [] } = this.status
    const of = [...initContainerStatuses, ...containerStatuses].map(({ name, state, ready }) => {
      const { waiting, running, terminated } = state
      const shown = waiting?.reason ?? (running ? 'running' : `ended ${terminated?.exitCode}`)
      return `${name}=${shown}${ready ? ' ready' : ''}`
    })
    return [phase, ...of].join(' ')
  }

  condition(type: string) {
    return this.status.conditions?.find((one) => one.type === type)
  }
}

describe('a pod', () => {
  it('runs at once, and tells of it', () => {
    const life = new Life(aPod())
    expect(life.summary).toBe('Running app=running ready')
    expect(life.status).toMatchObject({
      podIP: '10.0.0.2',
      hostIP: '1.2.3.4',
      startTime: '2026-01-01T00:00:00Z',
    })
    expect(life.events.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      'Pulled: Container image "nginx" already present on machine',
      'Created: Container created',
      'Started: Container started',
    ])
    expect(life.wakeAt).toBe(Infinity)
  })

  it('takes the time that it declares', () => {
    const life = new Life(aPod({}, { 'start-after': '2s', 'ready-after': '3s' }))
    expect(life.summary).toBe('Pending app=ContainerCreating')
    expect(life.wakeAt).toBe(START + 2000)
    expect(life.pass(2).summary).toBe('Running app=running')
    expect(life.condition('Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    })
    expect(life.pass(3).summary).toBe('Running app=running ready')
    expect(life.condition('Ready')).toMatchObject({
      status: 'True',
      lastTransitionTime: '2026-01-01T00:00:05Z',
    })
  })

  it('waits for its readiness probe, and for its gates', () => {
    const probed = container('app', { readinessProbe: { initialDelaySeconds: 4 } })
    const life = new Life(
      aPod({ containers: [probed], readinessGates: [{ conditionType: 'example.com/in' }] }),
    )
    expect(life.summary).toBe('Running app=running')
    expect(life.pass(4).condition('ContainersReady')).toMatchObject({ status: 'True' })
    expect(life.condition('Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' })
  })
})

describe('init containers and sidecars', () => {
  const initContainers = [container('one'), container('side', { restartPolicy: 'Always' }), container('two')]
  it('go before the others, in order', () => {
    const life = new Life(aPod({ initContainers }, { 'run-for.one': '1s', 'run-for.two': '2s' }))
    expect(life.summary).toBe(
      'Pending one=running side=PodInitializing two=PodInitializing app=PodInitializing',
    )
    expect(life.pass(1).summary).toBe(
      'Pending one=ended 0 ready side=running ready two=running app=PodInitializing',
    )
    expect(life.condition('Initialized')).toMatchObject({
      message: 'containers with incomplete status: [two]',
    })
    expect(life.pass(2).summary).toBe(
      'Running one=ended 0 ready side=running ready two=ended 0 ready app=running ready',
    )
  })
  it('end with the pod, sidecars after those that they serve', () => {
    const spec = { initContainers: [container('side', { restartPolicy: 'Always' })], restartPolicy: 'Never' }
    const life = new Life(aPod(spec, { 'run-for.app': '1s', 'stop-after.side': '2s' }))
    expect(life.pass(1).summary).toBe('Running side=running ready app=ended 0')
    expect(life.pass(2).summary).toBe('Succeeded side=ended 0 app=ended 0')
    expect(life.isOver).toBe(true)
  })
  it('that fail for good make the pod fail', () => {
    const life = new Life(
      aPod({ initContainers: [container('one')], restartPolicy: 'Never' }, { 'exit-code.one': '2' }),
    )
    expect(life.summary).toBe('Failed one=ended 2 app=PodInitializing')
    expect(life.isOver).toBe(true)
  })
})

describe('ends', () => {
  it.each([
    ['Never', '0', 'Succeeded app=ended 0'],
    ['Never', '3', 'Failed app=ended 3'],
    ['OnFailure', '0', 'Succeeded app=ended 0'],
  ])('%s with %s: %s', (restartPolicy, code, expected) => {
    const life = new Life(aPod({ restartPolicy }, { 'run-for': '5s', 'exit-code': code }))
    expect(life.pass(5).summary).toBe(expected)
    expect(life.wakeAt).toBe(Infinity)
  })

  it('of Jobs’ pods come by themselves', () => {
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j', controller: true }
    const life = new Life(aPod({ restartPolicy: 'Never' }, {}, { ownerReferences: [owner] }))
    expect(life.summary).toBe('Running app=running ready')
    expect(life.pass(1).summary).toBe('Succeeded app=ended 0')
  })

  it('come again after longer and longer waits', () => {
    const life = new Life(aPod({}, { 'exit-code': '1' }))
    const restarts = () => life.status.containerStatuses?.[0]?.restartCount
    expect(life.summary).toBe('Running app=CrashLoopBackOff')
    expect(life.status.containerStatuses?.[0]?.state.waiting?.message).toBe(
      'back-off 10s restarting failed container=app pod=p_n(u)',
    )
    const waits = [1, 2, 3, 4, 5, 6, 7].map(() => {
      const seconds = (life.wakeAt - life.now) / 1000
      life.pass(seconds)
      return seconds
    })
    expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300])
    expect(restarts()).toBe(8)
  })

  it('are over after the failures that are declared', () => {
    const life = new Life(aPod({}, { failures: '2' }))
    expect(life.pass(10).summary).toBe('Running app=running ready')
    expect(life.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      lastState: { terminated: { exitCode: 1 } },
    })
  })

  it('come by a liveness probe', () => {
    const probed = container('app', { livenessProbe: { periodSeconds: 2, failureThreshold: 2 } })
    const life = new Life(aPod({ containers: [probed] }, { 'liveness-fails-after': '4s' }))
    life.pass(6)
    expect(life.events.map(({ reason }) => reason)).toContain('Unhealthy')
    expect(life.status.containerStatuses?.[0]?.restartCount).toBe(1)
  })

  it('come by the pod’s deadline', () => {
    const life = new Life(aPod({ activeDeadlineSeconds: 5 }))
    expect(life.pass(5).status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' })
    expect(life.isOver).toBe(true)
  })
})

describe('deletion', () => {
  it.each([
    ['0s', 30, 0, 'ended 0'],
    ['10s', 30, 10, 'ended 0'],
    ['10s', 5, 5, 'ended 137'],
  ])('of one that stops after %s, with %i s of grace', (stopAfter, grace, seconds, expected) => {
    const life = new Life(aPod({}, { 'stop-after': stopAfter })).delete(grace)
    expect(life.events.at(-1)).toMatchObject({ reason: 'Killing', message: 'Stopping container app' })
    if (seconds > 0) expect(life.isOver).toBe(false)
    expect(life.pass(seconds).isOver).toBe(true)
    expect(life.summary).toContain(expected)
  })
  it('with less grace than before hurries', () => {
    const life = new Life(aPod({}, { 'stop-after': '60s' })).delete(30).pass(1)
    expect(life.isOver).toBe(false)
    expect(life.delete(1).isOver).toBe(true)
  })
})

it('a missing image is waited for', () => {
  const life = new Life(aPod({}, { image: 'missing' }))
  expect(life.summary).toBe('Pending app=ImagePullBackOff')
  life.pod = { ...life.pod, metadata: { ...life.pod.metadata, annotations: {} } }
  expect(life.pass(1).summary).toBe('Running app=running ready')
})

it('what does not parse is not said', () => {
  const life = new Life(aPod({}, { 'run-for': 'soon', 'exit-code': '-1', 'start-after': '-3s' }))
  expect(life.summary).toBe('Running app=running ready')
})

it('a node that starts again knows its pods from their status', () => {
  const life = new Life(aPod({}, { 'exit-code': '1' })).pass(10)
  const again = new Life({ ...life.pod, status: life.status })
  expect(again.summary).toBe(life.summary)
  expect(again.status.containerStatuses?.[0]?.restartCount).toBe(2)
})
