import { describe, expect, it } from 'vitest'
import { StatusError } from '../machinery/status.ts'
import { listing, type State, step } from './reflector.ts'
import type { ApiObject } from './resource.ts'
import type { WatchEvent } from './watchevents.ts'

type Type = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'

const event = (type: Type, name: string, resourceVersion: string, end = false): WatchEvent => ({
  type,
  object: {
    metadata: {
      name,
      resourceVersion,
      ...(end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  },
})

/** Walks events; what was to be done, as words. */
function walk(
  start: State<ApiObject>,
  events: readonly WatchEvent[],
): { state: State<ApiObject>; done: string[] } {
  let state = start
  const done: string[] = []
  for (const one of events) {
    const [next, effects] = step(state, { type: 'event', event: one })
    state = next
    for (const effect of effects) {
      if (effect.do === 'replace') done.push(`replace ${[...effect.objects.keys()].join()}`)
      else if (effect.do === 'reopen') done.push(`reopen ${effect.afterMs}`)
      else done.push(`${effect.do} ${effect.object.metadata.name}`)
    }
  }
  return { state, done }
}

const gone = new StatusError({ code: 410, reason: 'Expired', message: 'too old resource version' })
const listed = [event('ADDED', 'a', '1'), event('ADDED', 'b', '2'), event('DELETED', 'b', '3')]

describe('the reflector’s machine', () => {
  it('replaces the copy when the initial events are over, and then follows', () => {
    const { state, done } = walk(listing(0), [
      ...listed,
      event('BOOKMARK', '', '3', true),
      event('MODIFIED', 'a', '4'),
      event('DELETED', 'a', '5'),
      event('BOOKMARK', '', '9'),
    ])
    expect(done).toEqual(['replace a', 'set a', 'remove a'])
    expect(state).toEqual({ phase: 'watching', version: '9', failures: 0 })
  })

  it('goes on after the last version when a watch ends', () => {
    const watching: State<ApiObject> = { phase: 'watching', version: '7', failures: 0 }
    expect(step(watching, { type: 'ended' })).toEqual([watching, [{ do: 'reopen', afterMs: 0 }]])
  })

  it('begins anew when a list breaks off', () => {
    const { state } = walk(listing(0), listed)
    expect(step(state, { type: 'ended' })).toEqual([listing(0), [{ do: 'reopen', afterMs: 0 }]])
  })

  it('lists again at once when its version is forgotten, by an answer or by an event', () => {
    const watching: State<ApiObject> = { phase: 'watching', version: '7', failures: 2 }
    const expected = [listing(0), [{ do: 'reopen', afterMs: 0 }]]
    expect(step(watching, { type: 'failed', error: gone })).toEqual(expected)
    expect(step(watching, { type: 'event', event: { type: 'ERROR', object: gone.status } })).toEqual(expected)
  })

  it('waits longer after each failure in a row, and not after a success', () => {
    let state: State<ApiObject> = { phase: 'watching', version: '7', failures: 0 }
    const waits = Array.from({ length: 7 }, () => {
      const [next, [effect]] = step(state, { type: 'failed', error: new Error('refused') })
      state = next
      return effect?.do === 'reopen' ? effect.afterMs : -1
    })
    expect(waits).toEqual([800, 1600, 3200, 6400, 12800, 25600, 30000])
    expect(walk(state, [event('ADDED', 'a', '8')]).state).toEqual({
      phase: 'watching',
      version: '8',
      failures: 0,
    })
  })
})
