// Replicas out of metrics: tolerances, pods that start, pods without metrics, targets of every kind.
import { describe, expect, it } from 'vitest'
import {
  averageOf,
  groupPods,
  replicasForPods,
  replicasForShare,
  replicasForValue,
  utilizationOf,
} from './calculator.ts'
import type { PodMetric } from './metrics.ts'
import { requestsOf } from './requests.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const time = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1000).toISOString()
const readiness = { now: NOW, cpuInitializationMs: 120_000, readinessDelayMs: 10_000 }
const tolerances = { down: 0.1, up: 0.1 }

interface PodState {
  readonly ready?: string
  readonly changed?: number
  readonly started?: number
  readonly phase?: string
  readonly deleted?: boolean
}
const pod = (name: string, { ready = 'True', changed = 3000, started = 3000, ...more }: PodState = {}) =>
  ({
    metadata: { name, ...(more.deleted ? { deletionTimestamp: time(1) } : {}) },
    spec: { containers: [{ name: 'a', resources: { requests: { cpu: '1' } } }] },
    status: {
      phase: more.phase ?? 'Running',
      startTime: time(started),
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: time(changed) }],
    },
  }) as never
const metric = (value: number, secondsAgo = 0): PodMetric => ({
  value,
  at: NOW - secondsAgo * 1000,
  windowMs: 60_000,
})

describe('pods', () => {
  const group = (state: PodState, one: PodMetric | undefined = metric(1), resource = 'cpu') => {
    const { ready, unready, missing, ignored } = groupPods(
      [pod('a', state)],
      new Map(one ? [['a', one]] : []),
      resource,
      readiness,
    )
    return ready
      ? 'ready'
      : unready.length
        ? 'unready'
        : missing.length
          ? 'missing'
          : ignored.length
            ? 'ignored'
            : ''
  }
  it.each([
    ['at work', group({}), 'ready'],
    ['without a metric', groupPods([pod('a')], new Map(), 'cpu', readiness).missing[0], 'a'],
    ['pending', group({ phase: 'Pending' }), 'unready'],
    ['failed', group({ phase: 'Failed' }), 'ignored'],
    ['on the way out', group({ deleted: true }), 'ignored'],
    ['starting, not ready', group({ started: 60, changed: 30, ready: 'False' }), 'unready'],
    [
      'starting, measured before it was ready',
      group({ started: 100, changed: 70 }, metric(1, 15)),
      'unready',
    ],
    ['starting, ready for a whole window', group({ started: 100, changed: 70 }, metric(1, 5)), 'ready'],
    ['never ready', group({ started: 600, changed: 595, ready: 'False' }), 'unready'],
    ['no more ready', group({ started: 600, changed: 60, ready: 'False' }), 'ready'],
    [
      'never ready, and memory is asked',
      group({ started: 600, changed: 595, ready: 'False' }, metric(1), 'memory'),
      'ready',
    ],
  ])('%s', (_what, found, wanted) => {
    expect(found).toBe(wanted)
  })
})

describe('utilization of CPU', () => {
  const replicas = (states: readonly PodState[], values: readonly (number | undefined)[], percent = 100) => {
    const pods = states.map((state, at) => pod(`p${at}`, state))
    const found = values.flatMap((value, at) =>
      value === undefined ? [] : [[`p${at}`, metric(value)] as const],
    )
    const requests = requestsOf(pods, 'cpu', undefined)
    const result = replicasForPods({
      ...{ current: pods.length, pods, metrics: new Map(found), resource: 'cpu', tolerances, readiness },
      measure: utilizationOf(requests, percent),
      assumed: (name) => ((requests.get(name) ?? 0) * Math.max(100, percent)) / 100,
    })
    return [result.replicas, result.usage.utilization]
  }
  const unready: PodState = { ready: 'False', started: 60, changed: 60 }
  it.each([
    ['up', replicas([{}, {}, {}], [300, 500, 700], 30), [5, 50]],
    ['within tolerance', replicas([{}, {}, {}], [1020, 1040, 1010]), [3, 102]],
    ['down', replicas([{}, {}, {}, {}, {}], [100, 300, 500, 250, 250], 50), [3, 28]],
    ['up, a pod that starts counts as idle', replicas([unready, {}, {}], [undefined, 500, 700], 30), [4, 60]],
    [
      'up, but not with all that start',
      replicas([{}, unready, unready], [400, undefined, undefined], 30),
      [3, 40],
    ],
    [
      'up, a pod without a metric counts as idle',
      replicas([{}, {}, {}, {}], [undefined, 500, 700, 600], 30),
      [6, 60],
    ],
    [
      'down, one without a metric counts as full',
      replicas([{}, {}, {}, {}, {}], [undefined, 100, 100, 100, 100], 50),
      [3, 10],
    ],
    ['with no change where guesses turn the direction', replicas([{}, {}], [undefined, 1000], 300), [2, 100]],
    ['ignores failed pods', replicas([{}, {}, { phase: 'Failed' }], [600, 600, 9000], 30), [4, 60]],
  ])('%s', (_what, found, wanted) => {
    expect(found).toEqual(wanted)
  })
  it('tells why there is none', () => {
    expect(() => replicas([], [])).toThrow('no pods returned by selector while calculating replica count')
    expect(() => replicas([unready], [500])).toThrow(
      'did not receive metrics for targeted pods (pods might be unready)',
    )
  })
})

it('an average value', () => {
  const pods = [pod('p0'), pod('p1'), pod('p2')]
  const metrics = new Map([
    ['p0', metric(20_000)],
    ['p1', metric(10_000)],
    ['p2', metric(30_000)],
  ] as const)
  const input = { current: 3, pods, metrics, resource: '', tolerances, readiness }
  const { replicas, usage } = replicasForPods({ ...input, measure: averageOf(15_000), assumed: () => 15_000 })
  expect([replicas, usage.average]).toEqual([4, 20_000])
})

it.each([
  [
    'up',
    replicasForValue(20_000, 15_000, { current: 3, pods: [pod('a'), pod('b'), pod('c')], tolerances }),
    4,
  ],
  ['the same', replicasForValue(15_500, 15_000, { current: 3, pods: [pod('a')], tolerances }), 3],
  [
    'only pods that are ready count',
    replicasForValue(30_000, 15_000, {
      current: 3,
      pods: [pod('a'), pod('b', { ready: 'False' })],
      tolerances,
    }),
    2,
  ],
  ['from zero', replicasForValue(20_000, 15_000, { current: 0, pods: [], tolerances }), 2],
])('a value: %s', (_what, found, wanted) => {
  expect(found).toBe(wanted)
})

it.each([
  ['up', replicasForShare(8600, 2000, 3, tolerances), { replicas: 5, average: 2867 }],
  ['the same', replicasForShare(6100, 2000, 3, tolerances), { replicas: 3, average: 2034 }],
])('a share: %s', (_what, found, wanted) => {
  expect(found).toEqual(wanted)
})

describe('requests', () => {
  const of = (spec: object, container?: string, resource = 'cpu') =>
    requestsOf([{ metadata: { name: 'p' }, spec, status: {} } as never], resource, container).get('p')
  const one = { name: 'a', resources: { requests: { cpu: '100m' } } }
  const two = { name: 'b', resources: { requests: { cpu: '200m' } } }
  const sidecar = { ...one, name: 's', restartPolicy: 'Always' }
  it.each([
    ['of all containers', of({ containers: [one, two] }), 300],
    ['of sidecars, not of what runs before', of({ containers: [one], initContainers: [two, sidecar] }), 200],
    ['of one container', of({ containers: [one, two] }, 'b'), 200],
    [
      'of the pod as a whole',
      of({ containers: [{ name: 'a' }], resources: { requests: { cpu: '2' } } }),
      2000,
    ],
    [
      'of the pod, with its overhead',
      of({ containers: [one], resources: { requests: { cpu: '2' } }, overhead: { cpu: '1' } }),
      3000,
    ],
    [
      'of the pod where it names another resource',
      of({ containers: [one], resources: { requests: { memory: '1Gi' } } }),
      100,
    ],
  ])('%s', (_what, found, wanted) => {
    expect(found).toBe(wanted)
  })
  it('tells which are missing', () => {
    expect(() => of({ containers: [one, { name: 'c' }] })).toThrow(
      'missing request for cpu in container c of Pod p',
    )
    expect(() => of({ containers: [one] }, 'z')).toThrow('container z not found in Pod p')
    expect(() => of({ containers: [{ name: 'a' }], resources: { requests: { memory: '1' } } })).toThrow(
      'missing pod-level request for cpu in Pod p',
    )
  })
})
