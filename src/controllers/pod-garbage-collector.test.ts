// Which pods nobody else deletes.
import { expect, it } from 'vitest'
import type { Node, Pod } from '../client/kinds/core.v1.gen.ts'
import { doomedPods } from './pod-garbage-collector.ts'

const pod = (name: string, status: object, more: { spec?: object; metadata?: object } = {}): Pod =>
  ({ metadata: { name, ...more.metadata }, spec: { nodeName: 'n', ...more.spec }, status }) as never

const node = (taints: object[], ready: string): Node =>
  ({
    metadata: { name: 'n' },
    spec: { taints },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  }) as never

const names = (pods: readonly Pod[], nodes: readonly Node[], gone: readonly string[], threshold: number) =>
  doomedPods(pods, new Map(nodes.map((one) => ['n', one])), new Set(gone), threshold).map(
    (one) => `${one.pod.metadata.name}${one.isOrphan ? ' orphan' : ''}`,
  )

const OUT = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }
const DELETED = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }

it('keeps as many finished pods as it may; evicted ones go first, then the oldest', () => {
  const at = (creationTimestamp: string) => ({ metadata: { creationTimestamp } })
  const pods = [
    pod('new', { phase: 'Succeeded' }, at('2026-01-03T00:00:00Z')),
    pod('old', { phase: 'Failed' }, at('2026-01-01T00:00:00Z')),
    pod('evicted', { phase: 'Failed', reason: 'Evicted' }, at('2026-01-04T00:00:00Z')),
    pod('running', { phase: 'Running' }),
  ]
  expect(names(pods, [], [], 1)).toEqual(['evicted', 'old'])
  expect(names(pods, [], [], 3)).toEqual([])
  expect(names(pods, [], [], 0)).toEqual([])
})

it('deletes what is deleted and has no node, or one that is out of service', () => {
  const terminating = pod('terminating', { phase: 'Running' }, DELETED)
  const unscheduled = pod('unscheduled', { phase: 'Pending' }, { ...DELETED, spec: { nodeName: '' } })
  expect(names([terminating, unscheduled], [node([], 'False')], [], 0)).toEqual(['unscheduled'])
  expect(names([terminating], [node([OUT], 'Unknown')], [], 0)).toEqual(['terminating'])
  expect(names([terminating], [node([OUT], 'True')], [], 0)).toEqual([])
})

it('deletes what is on a node that is gone', () => {
  expect(names([pod('a', { phase: 'Running' })], [], ['n'], 0)).toEqual(['a orphan'])
})
