// Events that differ in their words alone: from the tenth on they are told as one, which has the latest words.
// Follows EventAggregator of k8s.io/client-go/tools/record (events_cache.go).
import type { Event } from './kinds/core.v1.gen.ts'

/** As upstream: so many different messages make a group, which ends when nothing was added to it for so long. */
const GROUP_SIZE = 10
const GROUP_MS = 600_000
/** As upstream's LRU of groups. */
const MAX_GROUPS = 4096

export interface Told {
  readonly event: Event
  /** Events of one key are one, which is counted. */
  readonly key: string
  readonly isCombined: boolean
}

interface Group {
  readonly messages: Set<string>
  at: number
}

export class SimilarEvents {
  readonly #groups = new Map<string, Group>()

  /** What is told in the event's place. `now` in ms. */
  told(event: Event, now: number): Told {
    const { involvedObject, type, reason, message = '', source } = event
    const { uid, fieldPath } = involvedObject
    const groupKey = JSON.stringify([uid, type, reason, source?.component, source?.host])
    const group = this.#groupOf(groupKey, now)
    group.messages.add(message)
    if (group.messages.size < GROUP_SIZE) {
      const key = JSON.stringify([groupKey, fieldPath, message])
      return { event, key, isCombined: false }
    }
    // It never grows beyond: one makes room for the next.
    for (const one of group.messages) {
      group.messages.delete(one)
      break
    }
    const combined = {
      ...event,
      message: `(combined from similar events): ${message}`,
      // As upstream's have it.
      reportingComponent: '',
    }
    return { event: combined, key: groupKey, isCombined: true }
  }

  #groupOf(key: string, now: number): Group {
    const known = this.#groups.get(key)
    const group = known && now - known.at <= GROUP_MS ? known : { messages: new Set<string>(), at: now }
    group.at = now
    this.#groups.delete(key)
    this.#groups.set(key, group)
    if (this.#groups.size > MAX_GROUPS) this.#groups.delete(this.#groups.keys().next().value as string)
    return group
  }
}
