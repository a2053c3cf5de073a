import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../client/clock.ts'
import type { DaemonSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Node, Pod, PodSpec, Taint } from '../../client/kinds/core.v1.gen.ts'
import { FailureBackoff } from './backoff.ts'
import { fitOf, HASH_LABEL, nodeOf, podFor } from './daemonpods.ts'
import { byNode, missingAndSurplus, type Seen, statusOf, updateStep } from './plan.ts'

const setOf = (rollingUpdate: object = {}, template: Partial<PodSpec> = {}): DaemonSet => ({
  metadata: { name: 'd', namespace: 'x', uid: 'd', generation: 3 },
  spec: {
    selector: {},
    template: { metadata: { labels: { app: 'd' } }, spec: { containers: [], ...template } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate },
  },
  status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
})

const nodeNamed = (name: string, taints: Taint[] = [], labels = {}): Node => ({
  metadata: { name, labels },
  spec: { taints },
  status: {} as Node['status'],
})

/** "old!": an old pod that is not ready. */
let age = 100
function podOn(node: string, shape: string, phase = 'Running'): Pod {
  const status = shape.endsWith('!') ? 'False' : 'True'
  return {
    metadata: {
      name: `${node}-${shape}`,
      labels: { [HASH_LABEL]: shape.replace('!', '') },
      creationTimestamp: `2026-01-01T00:00:${age++}Z`,
    },
    spec: { containers: [], nodeName: node },
    status: { phase, conditions: [{ type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  }
}

const seenOf = (set: DaemonSet, nodes: Node[], pods: Pod[]): Seen => ({
  set,
  nodes,
  pods: byNode(pods),
  hash: 'new',
  now: Date.parse('2026-01-01T01:00:00Z'),
  fit: fitOf(set),
})

const told = ({ create, end }: { create: string[]; end: Pod[] }): unknown => [
  create,
  end.map(({ metadata }) => metadata.name),
]
const nodes = ['a', 'b', 'c'].map((name) => nodeNamed(name))

describe('where a daemon runs', () => {
  const taint = (effect: string, key = 'k'): Taint => ({ key, effect })
  const linux = { nodeSelector: { os: 'linux' } }
  it.each<[string, Partial<PodSpec>, Node, boolean, boolean]>([
    ['anywhere', {}, nodeNamed('a'), true, true],
    ['not where a taint is new', {}, nodeNamed('a', [taint('NoSchedule')]), false, true],
    ['not where a taint ends pods', {}, nodeNamed('a', [taint('NoExecute')]), false, false],
    ['where only others are not preferred', {}, nodeNamed('a', [taint('PreferNoSchedule')]), true, true],
    [
      'on nodes in trouble',
      {},
      nodeNamed('a', [taint('NoExecute', 'node.kubernetes.io/unreachable')]),
      true,
      true,
    ],
    [
      'on cordoned nodes',
      {},
      nodeNamed('a', [taint('NoSchedule', 'node.kubernetes.io/unschedulable')]),
      true,
      true,
    ],
    ['where it selects', linux, nodeNamed('a', [], { os: 'linux' }), true, true],
    ['not elsewhere', linux, nodeNamed('a'), false, false],
    ['on the one node that it names', { nodeName: 'b' }, nodeNamed('a'), false, false],
    [
      'where it bears the taint',
      { tolerations: [{ key: 'k', operator: 'Exists' }] },
      nodeNamed('a', [taint('NoExecute')]),
      true,
      true,
    ],
  ])('%s', (...[, template, node, runs, stays]) => {
    expect(fitOf(setOf({}, template))(node)).toEqual({ runs, stays })
  })

  it('is told by the pod itself, until it is bound', () => {
    const pod = podFor(setOf(), 'b', 'h')
    expect(nodeOf(pod)).toBe('b')
    expect(pod.metadata.labels).toEqual({ app: 'd', [HASH_LABEL]: 'h' })
    expect(pod.spec.tolerations).toHaveLength(6)
  })
})

describe('what is missing and what is too much', () => {
  it.each<[string, Seen, string[], string[]]>([
    ['a node without a pod', seenOf(setOf(), nodes, [podOn('a', 'new'), podOn('b', 'old')]), ['c'], []],
    [
      'a second pod',
      seenOf(setOf(), [nodes[0] as Node], [podOn('a', 'old'), podOn('a', 'new')]),
      [],
      ['a-new'],
    ],
    [
      'a node that it is not for',
      seenOf(setOf({}, { nodeName: 'b' }), [nodes[0] as Node], [podOn('a', 'new')]),
      [],
      ['a-new'],
    ],
    [
      'a surge, while the new one is not ready',
      seenOf(setOf({ maxSurge: 1 }), [nodes[0] as Node], [podOn('a', 'old'), podOn('a', 'new!')]),
      [],
      [],
    ],
    [
      'a surge that is over',
      seenOf(setOf({ maxSurge: 1 }), [nodes[0] as Node], [podOn('a', 'old'), podOn('a', 'new')]),
      [],
      ['a-old'],
    ],
  ])('%s', (...[, seen, create, end]) => {
    expect(told(missingAndSurplus(seen))).toEqual([create, end])
  })

  it('is a pod that is over, and one for a node that is gone', () => {
    const gone = { ...podOn('gone', 'new'), spec: podFor(setOf(), 'gone', 'new').spec }
    const changes = missingAndSurplus(seenOf(setOf(), nodes.slice(0, 1), [podOn('a', 'new', 'Failed'), gone]))
    expect(changes.over.map(({ metadata }) => metadata.name)).toEqual(['a-new'])
    expect(told(changes)).toEqual([[], ['gone-new']])
  })
})

describe('an update', () => {
  const on = (...shapes: readonly string[]): Pod[] =>
    shapes.map((shape, index) => podOn(['a', 'b', 'c'][index] as string, shape))
  it.each<[string, object, Pod[], string[], string[]]>([
    ['replaces one after the other', { maxUnavailable: 1 }, on('old', 'old', 'old'), [], ['a-old']],
    ['waits for the new one', { maxUnavailable: 1 }, on('new!', 'old', 'old'), [], []],
    ['replaces what is broken in any case', { maxUnavailable: 1 }, on('new!', 'old!', 'old'), [], ['b-old!']],
    ['takes a share', { maxUnavailable: '50%' }, on('old', 'old', 'old'), [], ['a-old', 'b-old']],
    ['waits for nodes without a pod', { maxUnavailable: 1 }, on('new', 'old'), [], []],
    ['makes new ones first', { maxSurge: 2, maxUnavailable: 0 }, on('old', 'old', 'old'), ['a', 'b'], []],
    [
      'makes new ones beside broken ones',
      { maxSurge: 1, maxUnavailable: 0 },
      on('old!', 'old', 'new'),
      ['a', 'b'],
      [],
    ],
    [
      'ends old ones whose successors are there',
      { maxSurge: 1, maxUnavailable: 0 },
      [...on('old', 'old', 'old'), podOn('a', 'new')],
      ['b'],
      ['a-old'],
    ],
  ])('%s', (...[, bounds, pods, create, end]) => {
    expect(told(updateStep(seenOf(setOf(bounds), nodes, pods)))).toEqual([create, end])
  })
})

it('says how it is', () => {
  const set = setOf({}, { nodeSelector: { a: '1' } })
  const some = [nodeNamed('a', [], { a: '1' }), nodeNamed('b', [], { a: '1' }), nodeNamed('c')]
  const seen = seenOf(set, some, [podOn('a', 'old'), podOn('c', 'new')])
  expect(statusOf(seen, 0, true)).toEqual({
    desiredNumberScheduled: 2,
    currentNumberScheduled: 1,
    numberMisscheduled: 1,
    numberReady: 1,
    numberAvailable: 1,
    numberUnavailable: 1,
    updatedNumberScheduled: undefined,
    observedGeneration: 3,
  })
  expect(statusOf(seen, 1, false)).toMatchObject({ collisionCount: 1, observedGeneration: undefined })
})

it('waits longer after each failure on a node', () => {
  const clock = new ManualClock()
  const backoff = new FailureBackoff(clock)
  expect([backoff.failed('a'), backoff.failed('a'), backoff.failed('b')]).toEqual([0, 1000, 0])
  clock.advance(1000)
  expect([backoff.failed('a'), backoff.failed('a')]).toEqual([0, 2000])
  clock.advance(60 * 60_000)
  expect([backoff.failed('a'), backoff.failed('a')]).toEqual([0, 1000])
})
