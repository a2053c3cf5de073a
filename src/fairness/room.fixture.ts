// What this room's tests share: a clock that stands until it is told to go on, requests, objects.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Clock } from './clock.ts'
import type { Arrival } from './gate.ts'

export class ManualClock implements Clock {
  #now = 1_000_000
  #timers: { readonly at: number; readonly call: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  get timers(): number {
    return this.#timers.length
  }

  /** Lets `ms` pass; timers fire in their order. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((one) => one !== due)
      this.#now = due.at
      due.call()
    }
    this.#now = end
  }
}

export const infoOf = (more: Partial<RequestInfo>): RequestInfo => ({
  isResourceRequest: true,
  path: '/api/v1/x',
  verb: 'get',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: '',
  name: '',
  ...more,
})

export const userOf = (name: string, ...groups: string[]): UserInfo => ({
  name,
  groups: [...groups, 'system:authenticated'],
})

export const arrivalOf = (
  user: UserInfo,
  info: Partial<RequestInfo>,
  more: Partial<Arrival> = {},
): Arrival => ({
  info: infoOf(info),
  user,
  query: new URLSearchParams(),
  allottedMs: 60_000,
  onGone: () => undefined,
  ...more,
})

/** A level of so many seats' shares, with these queues; none: what finds no seat is refused. */
export function levelOf(
  name: string,
  shares: number,
  queuing?: JsonObject,
  more: JsonObject = {},
): KubeObject {
  const limitResponse = queuing ? { type: 'Queue', queuing } : { type: 'Reject' }
  const limited = { nominalConcurrencyShares: shares, lendablePercent: 0, limitResponse, ...more }
  return object('PriorityLevelConfiguration', name, { type: 'Limited', limited })
}

/** A schema for these users, whatever they ask. */
export function schemaOf(
  name: string,
  level: string,
  precedence: number,
  users: readonly string[],
): KubeObject {
  const everything = {
    resourceRules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true },
    ],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  }
  const subjects = users.map((user) => ({ kind: 'User', user: { name: user } }))
  return object('FlowSchema', name, {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: precedence,
    distinguisherMethod: { type: 'ByUser' },
    rules: [{ subjects, ...everything }],
  })
}

const object = (kind: string, name: string, spec: JsonObject): KubeObject => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind,
  metadata: { name, uid: `uid-of-${name}` },
  spec,
})
