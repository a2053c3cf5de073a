// How many events a recorder sends about one object.
import { expect, it } from 'vitest'
import type { Api } from './api.ts'
import { ManualClock } from './clock.ts'
import type { Event } from './kinds/core.v1.gen.ts'
import { EventRecorder } from './recorder.ts'
import { PODS } from './resources.ts'

const about = { resource: PODS, object: { metadata: { name: 'p', namespace: 'n', uid: 'u' } } }

it('25 of each type, those that are counted again among them', async () => {
  const told: { message: string | undefined; count: number }[] = []
  const api = {
    create: (_: unknown, { metadata, message }: Event) => {
      told.push({ message, count: 1 })
      return Promise.resolve({ metadata })
    },
    patch: (_: unknown, _place: unknown, { count }: { count: number }) => {
      Object.assign(told.at(-1) ?? {}, { count })
      return Promise.resolve({})
    },
  } as unknown as Api
  const recorder = new EventRecorder(api, new ManualClock(), { component: 'c' })
  for (let i = 0; i < 30; i++) recorder.event(about, 'Normal', 'Step', 'again')
  for (let i = 0; i < 2; i++) recorder.event(about, 'Warning', 'Step', 'of the other type')
  await recorder.flushed()
  expect(told).toEqual([
    { message: 'again', count: 25 },
    { message: 'of the other type', count: 2 },
  ])
})

it('names events so that those of one moment stand as they came', async () => {
  const names: string[] = []
  const api = {
    create: (_: unknown, { metadata }: Event) => {
      names.push(metadata.name ?? '')
      return Promise.resolve({ metadata })
    },
  } as unknown as Api
  const recorder = new EventRecorder(api, new ManualClock(Date.UTC(2026, 0, 1)), { component: 'c' })
  for (const reason of ['Pulled', 'Created', 'Started']) recorder.event(about, 'Normal', reason, reason)
  await recorder.flushed()
  expect(names).toHaveLength(3)
  expect(names).toEqual([...new Set(names)].sort())
})
