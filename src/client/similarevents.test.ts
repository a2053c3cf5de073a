// When events become one: by their number, their kind and their time.
import { expect, it } from 'vitest'
import type { Event } from './kinds/core.v1.gen.ts'
import { SimilarEvents } from './similarevents.ts'

const about = (message: string, more: Partial<Event> = {}): Event => ({
  ...{ metadata: {}, involvedObject: { uid: 'u' }, reason: 'Created', type: 'Normal', message },
  ...{ source: { component: 'c' }, reportingComponent: 'c', reportingInstance: '' },
  ...more,
})

it('the tenth of one kind is told with those before it, in its own words', () => {
  const similar = new SimilarEvents()
  const tell = (i: number, now = 0) => similar.told(about(`pod ${i}`), now)
  const first = Array.from({ length: 9 }, (_, i) => tell(i))
  expect(first.every(({ isCombined }) => !isCombined)).toBe(true)
  expect(new Set(first.map(({ key }) => key)).size).toBe(9)
  const [tenth, next] = [tell(9), tell(10)]
  expect([tenth, next].map(({ event }) => event.message)).toEqual([
    '(combined from similar events): pod 9',
    '(combined from similar events): pod 10',
  ])
  expect(tenth.key).toBe(next.key)
  expect(tenth.event.reportingComponent).toBe('')
  expect(tell(11, 600_001).isCombined).toBe(false)
})

it('others and the same again are not counted with them', () => {
  const similar = new SimilarEvents()
  for (let i = 0; i < 9; i++) similar.told(about(`pod ${i}`), 0)
  expect(similar.told(about('pod 3'), 0)).toMatchObject({ isCombined: false, event: { message: 'pod 3' } })
  expect(similar.told(about('else', { reason: 'Deleted' }), 0).isCombined).toBe(false)
  expect(similar.told(about('else', { involvedObject: { uid: 'other' } }), 0).isCombined).toBe(false)
})
