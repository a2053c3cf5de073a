import { expect, it } from 'vitest'
import { infoOf } from './room.fixture.ts'
import { WatchTracker } from './watches.ts'

const watch = (more: object) => infoOf({ verb: 'watch', resource: 'configmaps', ...more })
const write = (more: object) => infoOf({ verb: 'update', resource: 'configmaps', ...more })

it('counts those who hear of a write: of the resource, the namespace, the object', () => {
  const tracker = new WatchTracker()
  tracker.register(watch({}), null)
  tracker.register(watch({ namespace: 'a' }), null)
  const forget = tracker.register(watch({ namespace: 'a', name: 'x' }), 'metadata.name=x')
  tracker.register(watch({ namespace: '__proto__' }), null)
  tracker.register(watch({ group: 'apps' }), null)
  expect(tracker.interested(write({ namespace: 'a', name: 'x' }))).toBe(3)
  expect(tracker.interested(write({ namespace: 'a', name: 'y' }))).toBe(2)
  expect(tracker.interested(write({ namespace: 'b', name: 'x' }))).toBe(1)
  expect(tracker.interested(write({ namespace: '__proto__' }))).toBe(2)
  forget()
  forget()
  expect(tracker.interested(write({ namespace: 'a', name: 'x' }))).toBe(2)
  expect(tracker.interested(write({ resource: 'secrets' }))).toBe(0)
})

it('leaves out watches of the pods of one node', () => {
  const tracker = new WatchTracker()
  tracker.register(watch({ resource: 'pods' }), 'spec.nodeName=n1')
  expect(tracker.interested(write({ resource: 'pods' }))).toBe(0)
  tracker.register(watch({ resource: 'pods' }), 'spec.nodeName=')
  tracker.register(watch({ resource: 'pods' }), 'spec.nodeName!=n1')
  tracker.register(watch({ resource: 'pods' }), null)
  expect(tracker.interested(write({ resource: 'pods' }))).toBe(3)
})
