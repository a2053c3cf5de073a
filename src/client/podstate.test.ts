import { describe, expect, it } from 'vitest'
import type { Pod } from './kinds/core.v1.gen.ts'
import { isPodActive, isPodAvailable, nextAvailability, rankForDeletion } from './podstate.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const at = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1000).toISOString()

interface Shape {
  name: string
  node?: string
  phase?: string
  readyFor?: number
  age?: number
  restarts?: number
  cost?: string
}

function podOf({
  name,
  node = 'n1',
  phase = 'Running',
  readyFor,
  age = 100,
  restarts = 0,
  cost,
}: Shape): Pod {
  const annotations = cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost }
  const ready = readyFor === undefined ? 'False' : 'True'
  return {
    metadata: { name, uid: name, creationTimestamp: at(age), annotations },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: at(readyFor ?? 0) }],
      containerStatuses: [
        { name: 'c', state: {}, lastState: {}, ready: true, restartCount: restarts, image: '', imageID: '' },
      ],
    },
  }
}

describe('pods to part with first', () => {
  it.each<[string, Shape, Shape]>([
    ['not assigned', { name: 'z', node: '' }, { name: 'a' }],
    ['pending', { name: 'z', phase: 'Pending' }, { name: 'a' }],
    ['not ready', { name: 'z' }, { name: 'a', readyFor: 10 }],
    ['cheap', { name: 'z', readyFor: 10, cost: '-5' }, { name: 'a', readyFor: 10 }],
    ['of no valid cost', { name: 'z', readyFor: 10, cost: '+5' }, { name: 'a', readyFor: 10, cost: '1' }],
    ['crowded', { name: 'z', node: 'full', readyFor: 50 }, { name: 'a', readyFor: 1 }],
    ['ready for a short time', { name: 'z', readyFor: 10 }, { name: 'a', readyFor: 1000 }],
    ['ready as long, by uid', { name: 'a', readyFor: 11 }, { name: 'b', readyFor: 10 }],
    ['restarted', { name: 'z', restarts: 3 }, { name: 'a', restarts: 2 }],
    ['young', { name: 'z', age: 10 }, { name: 'a', age: 1000 }],
  ])('%s', (_name, first, second) => {
    const neighbours = (node: string): number => (node === 'full' ? 3 : 1)
    const names = (pods: Pod[]): unknown => rankForDeletion(pods, neighbours, NOW).map((p) => p.metadata.name)
    expect(names([podOf(first), podOf(second)])).toEqual([first.name, second.name])
    expect(names([podOf(second), podOf(first)])).toEqual([first.name, second.name])
  })
})

describe('availability', () => {
  it('begins when a pod has been ready for long enough', () => {
    const pod = podOf({ name: 'a', readyFor: 10 })
    expect([0, 10, 11].map((seconds) => isPodAvailable(pod, seconds, NOW))).toEqual([true, true, false])
    expect(isPodAvailable(podOf({ name: 'b' }), 0, NOW)).toBe(false)
    expect(nextAvailability([pod, podOf({ name: 'c', readyFor: 2 })], 15, NOW)).toBe(5000)
    expect(nextAvailability([pod], 10, NOW)).toBeUndefined()
  })

  it('is for pods that go on', () => {
    expect(isPodActive(podOf({ name: 'a' }))).toBe(true)
    expect(isPodActive(podOf({ name: 'a', phase: 'Failed' }))).toBe(false)
  })
})
