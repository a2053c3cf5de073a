// Cycles, queue and preemption by themselves, without a server and with time that is told to pass.
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../client/clock.ts'
import { Cycle, type CycleParts, enough } from './cycle.ts'
import { fitMessage, rejectedBy } from './diagnosis.ts'
import { aNode, aPod, asking, clusterOf } from './fixture.ts'
import { Heap } from './heap.ts'
import type { PodInfo } from './podinfo.ts'
import { CycleMeter, PointMetrics } from './pointmetrics.ts'
import { byBudgets, preempt } from './preemption.ts'
import { defaultProfile } from './profile.ts'
import { SchedulingQueue } from './queue.ts'

const partsOf = (
  cluster: CycleParts['cluster'],
  nominated: CycleParts['nominated'] = () => [],
): CycleParts => ({
  cluster,
  profile: defaultProfile(),
  nominated,
  meter: new CycleMeter(new PointMetrics(), 'default-scheduler'),
  random: () => 0.5,
})

it.each([
  [50, 0, 50],
  [100, 0, 100],
  [1000, 0, 420],
  [5000, 0, 500],
  [10000, 0, 500],
  [1000, 20, 200],
  [1000, 100, 1000],
])('of %i nodes at %i %% are %i enough', (nodes, percentage, expected) => {
  expect(enough(nodes, percentage)).toBe(expected)
})

it('takes from a heap in order', () => {
  const heap = new Heap<number>((a, b) => a < b)
  for (const n of [5, 3, 8, 1, 9, 2, 7]) heap.push(n)
  const taken = Array.from({ length: 8 }, () => heap.pop())
  expect(taken).toEqual([1, 2, 3, 5, 7, 8, 9, undefined])
})

describe('a cycle', () => {
  it('chooses the best node, and says why none will do', () => {
    const cluster = clusterOf([aNode('a'), aNode('b')], [[asking({ cpu: '3' }), 'a']])
    const cycle = new Cycle(partsOf(cluster))
    expect(cycle.run(asking({ cpu: '500m' }))).toMatchObject({ node: { name: 'b' } })
    const found = cycle.run(asking({ cpu: '4', memory: '9Gi' }))
    if (!('diagnosis' in found)) throw new Error('it fits nowhere')
    expect(fitMessage(found.diagnosis)).toBe(
      '0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.',
    )
    expect(rejectedBy(found.diagnosis)).toEqual(new Set(['NodeResourcesFit']))
  })
  it('keeps room for those whom others made it for', () => {
    const cluster = clusterOf([aNode('a')])
    const awaited = aPod({ priority: 10, containers: [{ name: 'c', resources: { requests: { cpu: '3' } } }] })
    const cycle = new Cycle(partsOf(cluster, () => [awaited]))
    expect(cycle.run(asking({ cpu: '2' }))).toHaveProperty('diagnosis')
    expect(cluster.nodes[0]?.pods.size).toBe(0)
    expect(cycle.run(asking({ cpu: '1' }))).toMatchObject({ node: { name: 'a' } })
  })
})

describe('preemption', () => {
  const sized = (cpu: string, priority: number, labels = {}): PodInfo =>
    aPod({ priority, containers: [{ name: 'c', resources: { requests: { cpu } } }] }, { labels })
  const run = (pod: PodInfo, placed: readonly (readonly [PodInfo, string])[]) => {
    const cluster = clusterOf([aNode('a'), aNode('b')], placed)
    const found = new Cycle(partsOf(cluster)).run(pod)
    if (!('diagnosis' in found)) throw new Error('it fits')
    return preempt(pod, found.diagnosis, partsOf(cluster))
  }
  it('takes the least important, as few as will do', () => {
    const [one, two, three] = [sized('2', 1), sized('2', 2), sized('4', 3)]
    const found = run(sized('2', 9), [
      [one, 'a'],
      [two, 'a'],
      [three, 'b'],
    ])
    expect(found).toMatchObject({ candidate: { node: { name: 'a' }, victims: [{ uid: one.uid }] } })
  })
  it('takes nobody of equal rank, nor where it would not help', () => {
    expect(
      run(sized('2', 1), [
        [sized('4', 1), 'a'],
        [sized('4', 0), 'b'],
      ]),
    ).toMatchObject({ candidate: { node: { name: 'b' } } })
    expect(
      run(sized('2', 1), [
        [sized('4', 1), 'a'],
        [sized('4', 1), 'b'],
      ]),
    ).toEqual({
      message: '0/2 nodes are available: 2 No preemption victims found for incoming pod.',
    })
    expect(run(sized('5', 1), [])).toEqual({
      message: '0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    })
  })
  it('counts what budgets allow', () => {
    const [a, b] = [sized('1', 2, { app: 'x' }), sized('1', 1, { app: 'x' })]
    const budget = {
      metadata: {},
      spec: { selector: { matchLabels: { app: 'x' } } },
      status: { disruptionsAllowed: 1 },
    }
    const { violating, others } = byBudgets([a, b], () => [budget] as never)
    expect([violating, others]).toEqual([[b], [a]])
  })
})

describe('the queue', () => {
  const queueOf = () => {
    const clock = new ManualClock(1_000_000)
    return { clock, queue: new SchedulingQueue(clock, [defaultProfile()]) }
  }
  it('hands out the important first, then who came first', () => {
    const { queue } = queueOf()
    const [low, high, later] = [aPod(), aPod({ priority: 5 }), aPod()]
    for (const pod of [low, high, later]) queue.put(pod)
    expect([queue.next()?.info, queue.next()?.info, queue.next()?.info, queue.next()]).toEqual([
      high,
      low,
      later,
      undefined,
    ])
  })
  it('tries again at once when somebody went from the node where room is made, and all were told', () => {
    const { queue, clock } = queueOf()
    const [pod, other] = [asking({ cpu: '8' }), aPod()]
    const gone = (nodeName: string) => queue.moved({ kind: 'pod-gone', pod: other, nodeName })
    queue.put(pod)
    const taken = queue.next()
    if (!taken) throw new Error('nothing in the queue')
    queue.nominate(pod, 'a')
    queue.hold(taken, new Set(['NodeResourcesFit']))
    gone('a')
    gone('b')
    clock.advance(60_000)
    expect(queue.next()).toBeUndefined()
    queue.release(taken)
    expect(queue.next()).toBe(taken)
    queue.failed(taken, new Set(['NodeResourcesFit']))
    gone('b')
    expect(queue.next()).toBeUndefined()
    gone('a')
    expect(queue.next()).toBe(taken)
  })
  it('tries again later what something else may have helped while others were told', () => {
    const { queue, clock } = queueOf()
    const pod = asking({ cpu: '8' })
    queue.put(pod)
    const taken = queue.next()
    if (!taken) throw new Error('nothing in the queue')
    queue.nominate(pod, 'a')
    queue.hold(taken, new Set(['NodeResourcesFit']))
    queue.moved({ kind: 'pod-gone', pod: aPod(), nodeName: 'b' })
    queue.release(taken)
    expect(queue.next()).toBeUndefined()
    clock.advance(1000)
    expect(queue.next()).toBe(taken)
  })
  it('tries again what may fit now, after its back-off', () => {
    const { queue, clock } = queueOf()
    const pod = asking({ cpu: '8' })
    queue.put(pod)
    const taken = queue.next()
    if (!taken) throw new Error('nothing in the queue')
    queue.failed(taken, new Set(['NodeResourcesFit']))
    queue.moved({ kind: 'node', node: aNode('small') })
    clock.advance(5000)
    expect(queue.next()).toBeUndefined()
    queue.failed(taken, new Set(['NodeResourcesFit']))
    queue.moved({
      kind: 'node',
      node: aNode('large', { status: { allocatable: { cpu: '16', memory: '8Gi', pods: '9' } } }),
    })
    expect(queue.next()).toBeUndefined()
    clock.advance(1000)
    expect(queue.next()?.info).toBe(pod)
  })
  it('tries everybody again after five minutes', () => {
    const { queue, clock } = queueOf()
    queue.start()
    queue.put(aPod())
    const taken = queue.next()
    if (taken) queue.failed(taken, new Set(['NodeName']))
    clock.advance(299_000)
    expect(queue.next()).toBeUndefined()
    clock.advance(31_000)
    expect(queue.next()).toBe(taken)
    queue.stop()
  })
  it('lets gated pods wait for their gates alone, and forgets who is gone', () => {
    const { queue } = queueOf()
    const gated = aPod({ schedulingGates: [{ name: 'g' }] })
    queue.put(gated)
    queue.moved({ kind: 'node', node: aNode('a') })
    expect(queue.next()).toBeUndefined()
    queue.put({ ...gated, pod: { ...gated.pod, spec: { ...gated.pod.spec, schedulingGates: [] } } })
    queue.drop(gated.uid)
    expect(queue.next()).toBeUndefined()
    expect(queue.size).toBe(0)
  })
})
