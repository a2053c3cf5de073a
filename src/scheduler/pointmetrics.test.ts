// What cycles and the queue count of themselves.
import { expect, it } from 'vitest'
import { ManualClock } from '../client/clock.ts'
import { Cycle } from './cycle.ts'
import { eventLabel } from './eventlabels.ts'
import { aNode, aPod, asking, clusterOf } from './fixture.ts'
import { CycleMeter, PointMetrics } from './pointmetrics.ts'
import { defaultProfile } from './profile.ts'
import { SchedulingQueue } from './queue.ts'

const PROFILE = 'default-scheduler'
/** "plugin_evaluation_total{…} 2" of those lines that have all the words, without the labels. */
const valueOf = (lines: readonly string[], name: string, ...words: readonly string[]): string | undefined =>
  lines
    .find(
      (line) => line.startsWith(`scheduler_${name}{`) && words.every((word) => line.includes(`"${word}"`)),
    )
    ?.split(' ')
    .at(-1)

it('counts each rule when it is asked, and no answers that are remembered', () => {
  const metrics = new PointMetrics()
  const meter = new CycleMeter(metrics, PROFILE)
  const cluster = clusterOf([aNode('a'), aNode('b')])
  const cycle = new Cycle({ cluster, profile: defaultProfile(), nominated: () => [], meter, random: () => 0 })
  cycle.run(asking({ cpu: '1' }))
  cycle.run(asking({ cpu: '1' }))
  const value = (...words: readonly string[]) => valueOf(metrics.lines(), 'plugin_evaluation_total', ...words)
  expect(value('PreFilter', 'NodeResourcesFit')).toBe('2')
  expect(value('Filter', 'NodeResourcesFit')).toBe('2')
  expect(value('Score', 'NodeResourcesFit')).toBe('2')
  // It has nothing to say of such pods, and no step of its own before filters.
  expect(value('Filter', 'NodePorts')).toBeUndefined()
  expect(value('PreFilter', 'NodeUnschedulable')).toBeUndefined()
})

it('times steps always, and rules in one cycle of ten', () => {
  const metrics = new PointMetrics()
  const meter = new CycleMeter(metrics, PROFILE)
  const cluster = clusterOf([aNode('a'), aNode('b')])
  const cycle = new Cycle({ cluster, profile: defaultProfile(), nominated: () => [], meter, random: () => 0 })
  for (let i = 0; i < 11; i++) cycle.run(asking({ cpu: '1' }))
  cycle.run(asking({ cpu: '100' }))
  const point = (...words: readonly string[]) =>
    valueOf(metrics.lines(), 'framework_extension_point_duration_seconds_count', PROFILE, ...words)
  expect([point('PreFilter', 'Success'), point('Filter', 'Success')]).toEqual(['12', '12'])
  expect([point('PreScore', 'Success'), point('Score', 'Success')]).toEqual(['11', '11'])
  const plugin = (...words: readonly string[]) =>
    valueOf(metrics.lines(), 'plugin_execution_duration_seconds_count', ...words)
  expect(plugin('NodeResourcesFit', 'PreFilter', 'Success')).toBe('2')
  expect(plugin('NodeResourcesFit', 'Filter', 'Success')).toBe('2')
  expect(plugin('NodePorts', 'PreFilter', 'Skip')).toBe('2')
})

it('tells what brought pods into which queue, who rejected them, and what events took', () => {
  const clock = new ManualClock(1_000_000)
  const queue = new SchedulingQueue(clock, [defaultProfile()])
  queue.start()
  const pod = asking({ cpu: '8' })
  queue.put(pod)
  const taken = queue.next()
  if (!taken) throw new Error('nothing in the queue')
  queue.failed(taken, new Set(['NodeResourcesFit']))
  const rejected = () => valueOf(queue.lines(), 'unschedulable_pods', 'NodeResourcesFit', PROFILE)
  expect(rejected()).toBe('1')
  queue.moved({ kind: 'pod-gone', pod: aPod(), nodeName: 'a' })
  clock.advance(1000)
  expect(queue.next()).toBe(taken)
  expect(rejected()).toBe('0')
  queue.failed(taken, new Set(['NodeName']))
  clock.advance(330_000)
  expect(queue.next()?.wasFlushed).toBe(true)
  queue.stop()
  const came = (...words: readonly string[]) => valueOf(queue.lines(), 'queue_incoming_pods_total', ...words)
  expect(came('active', 'UnschedulablePodAdd')).toBe('1')
  expect(came('unschedulable', 'ScheduleAttemptFailure')).toBe('2')
  expect(came('backoff', 'AssignedPodDelete')).toBe('1')
  expect(came('active', 'BackoffComplete')).toBe('1')
  expect(came('active', 'UnschedulableTimeout')).toBe('1')
  const handled = 'event_handling_duration_seconds_count'
  expect(valueOf(queue.lines(), handled, 'AssignedPodDelete')).toBe('1')
  const hint = 'queueing_hint_execution_duration_seconds_count'
  expect(valueOf(queue.lines(), hint, 'NodeResourcesFit', 'AssignedPodDelete', 'Queue')).toBe('1')
})

it('calls events what upstream calls them', () => {
  const node = aNode('a')
  const gated = aPod({ schedulingGates: [{ name: 'g' }] })
  const object = { kind: 'object', of: 'CSINode', object: { metadata: {} }, isGone: false } as const
  expect([
    eventLabel({ kind: 'node', node }),
    eventLabel({ kind: 'node', node: aNode('a', { labels: { zone: 'x' } }), before: node }),
    eventLabel({ kind: 'node', node: { ...node, spec: { unschedulable: true } }, before: node }),
    eventLabel({ kind: 'self', before: gated }, aPod()),
    eventLabel({ ...object, isNew: true }),
    eventLabel(object),
    eventLabel({ ...object, isGone: true }),
  ]).toEqual([
    'NodeAdd',
    'NodeUpdateNodeLabel',
    'NodeUpdateNodeTaint',
    'UnschedulablePodUpdatePodSchedulingGatesEliminated',
    'CSINodeAdd',
    'CSINodeUpdate',
    'CSINodeDelete',
  ])
})
