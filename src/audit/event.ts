// One request as the audit log tells it, stage by stage. Follows k8s.io/apiserver/pkg/apis/audit/v1 and pkg/audit/request.go.
import type { JsonObject } from '../machinery/json.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Audited, Level, Recording, Stage } from './policy.ts'

/** What is known when a request comes. */
export interface Received {
  readonly id: string
  /** Path and query as they were sent. */
  readonly uri: string
  readonly sourceIps: readonly string[]
  readonly userAgent: string
  /** Of `performance.now()`. */
  readonly at: number
  readonly attributes: Audited
}

/** metadata.name and so on of the object in a request's body, where the URL does not say them. */
export interface Named {
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
}

const MAX_USER_AGENT = 1024
const PREFIX = '{"kind":"Event","apiVersion":"audit.k8s.io/v1",'

export class AuditEvent {
  readonly recording: Recording
  readonly received: Received
  readonly annotations = new Map<string, string>()
  impersonated: UserInfo | undefined
  /** The verb by which that was allowed, where what is done had to be allowed too. */
  constraint: string | undefined
  named: Named | undefined
  /** Of the answer: a Status without its type, or the code alone. */
  responseStatus: JsonObject | undefined
  /** JSON texts; undefined below their levels. */
  requestObject: string | undefined
  responseObject: string | undefined

  constructor(recording: Recording, received: Received) {
    this.recording = recording
    this.received = received
  }

  get level(): Level {
    return this.recording.level
  }

  /** The event as JSON, in upstream's order; `at` of `performance.now()`. Cut: without what was sent and answered. */
  json(stage: Stage, at: number, isCut = false): string {
    const { id, uri, sourceIps, userAgent, attributes } = this.received
    const head = JSON.stringify({
      level: this.level,
      auditID: id,
      stage,
      requestURI: uri,
      verb: attributes.verb,
      user: userOf(attributes.user),
      impersonatedUser: this.impersonated && userOf(this.impersonated),
      authenticationMetadata: this.constraint && { impersonationConstraint: this.constraint },
      sourceIPs: sourceIps,
      userAgent: shownAgent(userAgent),
      objectRef: attributes.isResourceRequest ? referenceOf(attributes, this.named) : undefined,
      responseStatus: this.responseStatus && { metadata: {}, ...this.responseStatus },
    })
    const remarks = isCut ? [...this.annotations, TRUNCATED] : [...this.annotations]
    const annotations = remarks.sort(([a], [b]) => (a < b ? -1 : 1))
    const tail = JSON.stringify({
      requestReceivedTimestamp: microTime(this.received.at),
      stageTimestamp: microTime(at),
      annotations: annotations.length > 0 ? Object.fromEntries(annotations) : undefined,
    })
    const objects = isCut
      ? ''
      : (this.requestObject === undefined ? '' : `"requestObject":${this.requestObject},`) +
        (this.responseObject === undefined ? '' : `"responseObject":${this.responseObject},`)
    return escaped(`${PREFIX}${head.slice(1, -1)},${objects}${tail.slice(1)}`)
  }
}

export const shownAgent = (userAgent: string): string =>
  userAgent.length > MAX_USER_AGENT ? `${userAgent.slice(0, MAX_USER_AGENT)}...TRUNCATED` : userAgent

const TRUNCATED = ['audit.k8s.io/truncated', 'true'] as const

/** As Go's encoder writes JSON: safe inside HTML. These characters stand in strings only. */
const escaped = (json: string): string =>
  json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

function userOf(user: UserInfo | undefined): JsonObject {
  if (!user) return {}
  const { name, uid, groups, extra = {} } = user
  const pairs = Object.entries(extra).map(([key, values]): [string, string[]] => [key, [...values]])
  return {
    ...(name ? { username: name } : {}),
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups: [...groups] } : {}),
    ...(pairs.length > 0 ? { extra: Object.fromEntries(pairs) } : {}),
  }
}

function referenceOf(attributes: Audited, named: Named = {}): JsonObject {
  const { resource, namespace, name, group, version, subresource } = attributes
  const given = {
    resource,
    namespace: namespace || named.namespace,
    name: name || named.name,
    uid: named.uid,
    apiGroup: group,
    apiVersion: version,
    resourceVersion: named.resourceVersion,
    subresource,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== ''))
}

/** RFC 3339 with microseconds. */
export function microTime(at: number): string {
  const micros = Math.floor((performance.timeOrigin + at) * 1000)
  const time = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)
  return `${time}${String(micros % 1000).padStart(3, '0')}Z`
}
