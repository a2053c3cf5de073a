// Taints by conditions, and labels that follow others.
import { expect, it } from 'vitest'
import type { Node, Taint } from '../../client/kinds/core.v1.gen.ts'
import { changedTaints, labelChange, noExecuteChange, noScheduleChange } from './taints.ts'

const node = (conditions: [string, string][], taints: Taint[] = [], unschedulable = false): Node =>
  ({
    metadata: { name: 'a' },
    spec: { taints, unschedulable },
    status: { conditions: conditions.map(([type, status]) => ({ type, status })) },
  }) as Node
const noSchedule = (name: string): Taint => ({ key: `node.kubernetes.io/${name}`, effect: 'NoSchedule' })
const OTHER: Taint = { key: 'example.com/mine', effect: 'NoSchedule' }

it.each<[string, Node, Taint[], Taint[]]>([
  [
    'ready, and tainted since it came',
    node([['Ready', 'True']], [noSchedule('not-ready')]),
    [],
    [noSchedule('not-ready')],
  ],
  ['not ready', node([['Ready', 'False']]), [noSchedule('not-ready')], []],
  [
    'not ready any more heard of',
    node([['Ready', 'Unknown']], [noSchedule('not-ready')]),
    [noSchedule('unreachable')],
    [noSchedule('not-ready')],
  ],
  ['without conditions', node([], [noSchedule('not-ready')]), [], [noSchedule('not-ready')]],
  [
    'under pressure',
    node([
      ['MemoryPressure', 'True'],
      ['DiskPressure', 'True'],
      ['PIDPressure', 'True'],
      ['NetworkUnavailable', 'True'],
    ]),
    ['memory-pressure', 'disk-pressure', 'pid-pressure', 'network-unavailable'].map(noSchedule),
    [],
  ],
  ['cordoned', node([], [OTHER], true), [noSchedule('unschedulable')], []],
  ['cordoned and tainted', node([], [noSchedule('unschedulable')], true), [], []],
  [
    'with taints of others and of other effects',
    node([], [OTHER, { ...noSchedule('not-ready'), effect: 'NoExecute' }]),
    [],
    [],
  ],
])('%s', (_what, one, add, remove) => {
  expect(noScheduleChange(one)).toEqual({ add, remove })
})

it('changes taints, and keeps those that nobody asked about', () => {
  const change = { add: [noSchedule('unreachable')], remove: [noSchedule('not-ready')] }
  expect(changedTaints([noSchedule('not-ready'), OTHER], change, 'T')).toEqual([
    OTHER,
    { ...noSchedule('unreachable'), timeAdded: 'T' },
  ])
  expect(changedTaints([noSchedule('unreachable')], change, 'T')).toBe(undefined)
  expect(changedTaints(undefined, { add: [], remove: [OTHER] }, 'T')).toBe(undefined)
})

it('has one taint NoExecute in place of the other', () => {
  const [notReady, unreachable] = ['not-ready', 'unreachable'].map((name) => ({
    ...noSchedule(name),
    effect: 'NoExecute',
  }))
  expect(noExecuteChange('False')).toEqual({ add: [notReady], remove: [unreachable] })
  expect(noExecuteChange('Unknown')).toEqual({ add: [unreachable], remove: [notReady] })
  expect(noExecuteChange('True')).toBe(undefined)
})

it.each([
  [{ 'kubernetes.io/os': 'linux' }, { 'beta.kubernetes.io/os': 'linux' }],
  [{ 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'plan9' }, { 'beta.kubernetes.io/os': 'linux' }],
  [{ 'kubernetes.io/arch': 'arm64', 'beta.kubernetes.io/arch': 'arm64' }, undefined],
  [{ 'beta.kubernetes.io/arch': 'arm64' }, undefined],
])('labels of %j want %j', (labels, change) => {
  expect(labelChange({ name: 'a', labels })).toEqual(change)
})
