// Who is silent: by status, by lease, by our own clock.
import { expect, it } from 'vitest'
import { ManualClock, microTimeOf, timeOf } from '../../client/clock.ts'
import type { Lease } from '../../client/kinds/coordination.v1.gen.ts'
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { judge } from './health.ts'

const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'))
const patience = { clock, graceMs: 50_000, startupMs: 60_000 }
const created = timeOf(clock)
const withReady = (status: string): Node =>
  ({
    metadata: { name: 'a', creationTimestamp: created },
    spec: {},
    status: {
      conditions: [
        {
          type: 'Ready',
          status,
          reason: 'KubeletReady',
          lastHeartbeatTime: timeOf(clock),
          lastTransitionTime: created,
        },
        { type: 'NetworkUnavailable', status: 'False' },
      ],
    },
  }) as Node
const leaseNow = (): Lease => ({ metadata: { name: 'a' }, spec: { renewTime: microTimeOf(clock) } })

it('a node that renews its lease is heard of; one that stops becomes Unknown', () => {
  const node = withReady('True')
  let lease = leaseNow()
  let judged = judge(node, undefined, lease, patience)
  expect(judged).toMatchObject({ observed: 'True', current: 'True' })
  for (let i = 0; i < 5; i++) {
    clock.advance(40_000)
    lease = leaseNow()
    judged = judge(node, judged.health, lease, patience)
    expect(judged.conditions).toBe(undefined)
  }
  clock.advance(50_000)
  judged = judge(node, judged.health, lease, patience)
  expect(judged.current).toBe('True')
  clock.advance(1)
  judged = judge(node, judged.health, lease, patience)
  expect(judged).toMatchObject({ observed: 'True', current: 'Unknown' })
  const stopped = {
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
    lastTransitionTime: timeOf(clock),
  }
  const never = {
    status: 'Unknown',
    reason: 'NodeStatusNeverUpdated',
    message: 'Kubelet never posted node status.',
  }
  expect(judged.conditions).toMatchObject([
    { type: 'Ready', ...stopped },
    { type: 'NetworkUnavailable', status: 'False' },
    { type: 'MemoryPressure', ...never, lastHeartbeatTime: created },
    { type: 'DiskPressure', ...never },
    { type: 'PIDPressure', ...never },
  ])
})

it('a node that is Unknown is not written again, and a status that is newer makes it well', () => {
  const unknown = withReady('Unknown')
  const { health } = judge(unknown, undefined, undefined, patience)
  clock.advance(100_000)
  expect(judge(unknown, health, undefined, patience)).toMatchObject({
    observed: 'Unknown',
    current: 'Unknown',
  })
  expect(judge(unknown, health, undefined, patience).conditions).toBe(undefined)
  const judged = judge(withReady('True'), health, undefined, patience)
  expect(judged).toMatchObject({ current: 'True', health: { probedAt: clock.now() } })
})

it('one that never told anything has longer, from when it was made', () => {
  const fresh = { metadata: { name: 'a', creationTimestamp: timeOf(clock) }, spec: {}, status: {} } as Node
  clock.advance(59_000)
  const judged = judge(fresh, undefined, undefined, patience)
  expect(judged).toMatchObject({ observed: 'Unknown', current: undefined })
  clock.advance(2000)
  const late = judge(fresh, judged.health, undefined, patience)
  expect(late.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
    'Ready NodeStatusNeverUpdated',
    'MemoryPressure NodeStatusNeverUpdated',
    'DiskPressure NodeStatusNeverUpdated',
    'PIDPressure NodeStatusNeverUpdated',
  ])
})
