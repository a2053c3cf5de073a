// Events about objects: told once, counted when they come again, never so many that they are a load.
// Follows k8s.io/client-go/tools/record (event.go, events_cache.go).
import { randomInt } from 'node:crypto'
import { type Api, isNotFound } from './api.ts'
import { type Clock, timeOf } from './clock.ts'
import type { Event } from './kinds/core.v1.gen.ts'
import { type ApiObject, apiVersionOfResource, type Resource } from './resource.ts'
import { CORE_EVENTS } from './resources.ts'
import { SimilarEvents, type Told } from './similarevents.ts'

/** As upstream: one source may send this many events of a type about one object at once, then one in 5 minutes. */
const BURST = 25
const REFILL_MS = 300_000
/** As upstream's LRU of what was sent. */
const MAX_REMEMBERED = 4096
/** Events that wait to be sent; more are dropped. */
const MAX_WAITING = 1000

export type EventType = 'Normal' | 'Warning'

/** What an event is about. */
export interface About {
  readonly resource: Resource
  readonly object: ApiObject
  /** "spec.containers{app}" */
  readonly fieldPath?: string
}

export interface EventSource {
  /** "deployment-controller" */
  readonly component: string
  readonly host?: string
}

/** How many events all recorders that share it may send: so many at once, and so many a second. */
export class EventAllowance {
  readonly #clock: Clock
  readonly #burst: number
  readonly #perSecond: number
  readonly #bucket: Bucket

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock
    this.#burst = burst
    this.#perSecond = perSecond
    this.#bucket = { tokens: burst, at: clock.now() }
  }

  take(): boolean {
    const now = this.#clock.now()
    const bucket = this.#bucket
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}

interface Sent {
  readonly name: string
  readonly firstTimestamp: string
  count: number
}

interface Bucket {
  tokens: number
  at: number
}

/** Of the names of events that are told in one ms, each process begins with another. */
const FIRST_OF_A_MS = 1000
let lastStamp = 0n

/** Nanoseconds, by which upstream names events: readers who sort by seconds see those of one second as they came. */
function stampAt(ms: number): string {
  const now = BigInt(Math.floor(ms)) * 1_000_000n + BigInt(randomInt(FIRST_OF_A_MS))
  lastStamp = now > lastStamp ? now : lastStamp + 1n
  return lastStamp.toString(16)
}

export class EventRecorder {
  readonly #api: Api
  readonly #clock: Clock
  readonly #source: EventSource
  readonly #allowance: EventAllowance | undefined
  readonly #sent = new Map<string, Sent>()
  readonly #similar = new SimilarEvents()
  readonly #buckets = new Map<string, Bucket>()
  #sending: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(api: Api, clock: Clock, source: EventSource, allowance?: EventAllowance) {
    this.#api = api
    this.#clock = clock
    this.#source = source
    this.#allowance = allowance
  }

  /** The same server, as another source. */
  as(source: EventSource): EventRecorder {
    return new EventRecorder(this.#api, this.#clock, source)
  }

  /** Tells in the background; what cannot be told is lost, as upstream's are. */
  event(about: About, type: EventType, reason: string, message: string): void {
    if (this.#allowance?.take() === false) return
    const event = this.#eventOf(about, type, reason, message)
    if (!this.#allow(`${type} ${event.involvedObject.uid}`) || this.#waiting >= MAX_WAITING) return
    const told = this.#similar.told(event, this.#clock.now())
    this.#waiting++
    this.#sending = this.#sending.then(() => this.#send(told)).finally(() => this.#waiting--)
  }

  /** Resolves when all that was told is sent. */
  flushed(): Promise<void> {
    return this.#sending
  }

  #allow(key: string): boolean {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, at: now }
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS)
    bucket.at = now
    remember(this.#buckets, key, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  #eventOf({ resource, object, fieldPath }: About, type: EventType, reason: string, message: string): Event {
    const { namespace, name, uid, resourceVersion } = object.metadata
    const time = timeOf(this.#clock)
    return {
      metadata: { namespace: namespace || 'default' },
      involvedObject: {
        kind: resource.kind,
        namespace,
        name,
        uid,
        apiVersion: apiVersionOfResource(resource),
        resourceVersion,
        fieldPath,
      },
      reason,
      message,
      type,
      source: { ...this.#source },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      reportingComponent: this.#source.component,
      reportingInstance: this.#source.host ?? '',
    }
  }

  async #send(told: Told): Promise<void> {
    const { event, key } = told
    const known = this.#sent.get(key)
    try {
      if (known && (await this.#countAgain(known, told))) return
      const { name } = event.involvedObject
      const stamp = stampAt(this.#clock.now())
      const created = await this.#api.create(CORE_EVENTS, {
        ...event,
        metadata: { ...event.metadata, name: `${name}.${stamp}` },
      })
      const sent = { name: created.metadata.name ?? '', firstTimestamp: event.firstTimestamp ?? '', count: 1 }
      remember(this.#sent, key, sent)
    } catch {
      this.#sent.delete(key)
    }
  }

  /** Whether the event that was told before is still there, and counts one more now. */
  async #countAgain(known: Sent, { event, isCombined }: Told): Promise<boolean> {
    const place = { namespace: event.metadata.namespace, name: known.name }
    const latest = isCombined ? { message: event.message ?? '' } : {}
    const body = { count: known.count + 1, lastTimestamp: event.lastTimestamp ?? null, ...latest }
    try {
      await this.#api.patch(CORE_EVENTS, place, body, { type: 'strategic' })
      known.count++
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }
}

function remember<T>(cache: Map<string, T>, key: string, value: T): void {
  cache.delete(key)
  cache.set(key, value)
  if (cache.size > MAX_REMEMBERED) cache.delete(cache.keys().next().value as string)
}
