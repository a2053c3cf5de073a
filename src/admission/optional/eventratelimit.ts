// EventRateLimit: events come so often and no oftener, of everybody, a namespace, a user, or a source.
// Follows plugin/pkg/admission/eventratelimit.
import { aggregate } from '../../machinery/aggregate.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { StatusError } from '../../machinery/status.ts'
import { type AdmissionAttributes, type AdmissionPlugin, type AdmissionTarget, isFor } from '../plugin.ts'

const EVENTS = { group: '', resource: 'events' }
const VERSION = 'eventratelimit.admission.k8s.io/v1alpha1'
/** Buckets kept of each limit, as upstream has where nothing is configured. */
const BUCKETS = 4096

type KeyOf = (attributes: AdmissionAttributes) => string

const textAt = (object: Json | undefined, ...keys: string[]): string => {
  let value = object
  for (const key of keys) value = isObject(value) ? value[key] : undefined
  return typeof value === 'string' ? value : ''
}

const KEYS: Readonly<Record<string, KeyOf>> = {
  Server: () => '',
  Namespace: ({ namespace }) => namespace,
  User: ({ user }) => user.name,
  SourceAndObject: ({ object }) => {
    const of = (...keys: string[]): string => textAt(object, ...keys)
    const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion'].map((key) =>
      of('involvedObject', key),
    )
    return [of('source', 'component'), of('source', 'host'), ...involved].join('')
  },
}

interface Bucket {
  tokens: number
  at: number
}

/** One limit, with a bucket for each of its keys. */
class Limit {
  readonly type: string
  readonly #qps: number
  readonly #burst: number
  readonly #size: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(given: JsonObject, faults: string[], path: string) {
    const number = (field: string): number => (typeof given[field] === 'number' ? given[field] : 0)
    this.type = textAt(given, 'type')
    this.#qps = number('qps')
    this.#burst = number('burst')
    this.#size = number('cacheSize') || BUCKETS
    if (!Object.hasOwn(KEYS, this.type)) {
      const known = Object.keys(KEYS).map((name) => `"${name}"`)
      faults.push(`${path}.type: Unsupported value: "${this.type}": supported values: ${known.join(', ')}`)
    }
    if (this.#burst <= 0) faults.push(`${path}.burst: Invalid value: ${this.#burst}: must be positive`)
    if (this.#qps <= 0) faults.push(`${path}.qps: Invalid value: ${this.#qps}: must be positive`)
    if (this.type !== 'Server' && this.#size < 0) {
      faults.push(`${path}.cacheSize: Invalid value: ${this.#size}: must not be negative`)
    }
  }

  /** Why not; undefined where one more may come. */
  refusal(attributes: AdmissionAttributes, now: number): string | undefined {
    const key = (KEYS[this.type] as KeyOf)(attributes)
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now }
    // The one used last is forgotten last.
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#size) this.#buckets.delete(this.#buckets.keys().next().value as string)
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#qps)
    bucket.at = now
    if (bucket.tokens < 1) return `limit reached on type ${this.type} for key ${key}`
    bucket.tokens--
    return undefined
  }
}

export class EventRateLimit implements AdmissionPlugin {
  readonly name = 'EventRateLimit'
  readonly #limits: readonly Limit[]
  readonly #now: () => number

  /** Throws an Error with one line of text for a configuration that limits nothing. */
  constructor(configuration: JsonObject = {}, now: () => number = Date.now) {
    const { apiVersion, kind, limits } = configuration
    const given = Array.isArray(limits) ? limits.filter(isObject) : []
    const faults: string[] = []
    if (apiVersion !== VERSION || kind !== 'Configuration') faults.push(`no Configuration of ${VERSION}`)
    else if (given.length === 0) faults.push('limits: Invalid value: []: must not be empty')
    this.#limits = given.map((limit, i) => new Limit(limit, faults, `limits[${i}]`))
    this.#now = now
    if (faults.length > 0) throw new Error(`EventRateLimit: ${aggregate(faults)}`)
  }

  handles(target: AdmissionTarget): boolean {
    return (target.operation === 'CREATE' || target.operation === 'UPDATE') && isFor(target, EVENTS)
  }

  validate(attributes: AdmissionAttributes): void {
    if (attributes.dryRun) return
    const now = this.#now()
    const refusals = this.#limits.flatMap((limit) => limit.refusal(attributes, now) ?? [])
    if (refusals.length === 0) return
    const message = `Too many requests: ${aggregate(refusals)}`
    throw new StatusError({ code: 429, reason: 'TooManyRequests', message })
  }
}
