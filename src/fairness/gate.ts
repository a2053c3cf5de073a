// The door behind which requests are worked on: who may pass at once, who waits, who is sent away.
// Two kinds stand behind it: priority and fairness (fairness.ts), and plain limits (inflight.ts).
// Follows k8s.io/apiserver/pkg/server/filters (priority-and-fairness.go, maxinflight.go, longrunning.go).
import type { RequestInfo } from '../machinery/attributes.ts'
import type { UserInfo } from '../machinery/user.ts'

/** Which schema and level took a request: their UIDs go with its answer. */
export interface FlowMark {
  readonly schemaUid: string
  readonly levelUid: string
}

export interface Arrival {
  readonly info: RequestInfo
  readonly user: UserInfo
  readonly query: URLSearchParams
  /** How long the request may take in all, in ms; 0: a watch, which has no end of its own. */
  readonly allottedMs: number
  /** Calls back once when nobody waits for the answer any more. Asked only of requests that must wait. */
  onGone(listener: () => void): void
}

/** A request that has come to the door. */
export interface Pass {
  readonly mark: FlowMark | undefined
  /** 0: it may go on. Else it is refused, and may come back after so many seconds. */
  readonly retryAfter: number
  /** The request is answered (of a watch: it has begun). Only of those that went on, and once. */
  leave(): void
}

export interface Gate {
  enter(arrival: Arrival): Pass | Promise<Pass>
  /** Counts a watch that has been let in; answers how to forget it. */
  watching(info: RequestInfo, query: URLSearchParams): () => void
}

export const TOO_MANY = 'Too many requests, please try again later.'

const LONG_VERBS: ReadonlySet<string> = new Set(['watch', 'proxy'])
const LONG_SUBRESOURCES: ReadonlySet<string> = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])
const PROFILES = '/debug/pprof/'

/** Requests that go on for as long as the client likes. */
export function isLongRunning({ verb, isResourceRequest, subresource, path }: RequestInfo): boolean {
  if (LONG_VERBS.has(verb)) return true
  return isResourceRequest ? LONG_SUBRESOURCES.has(subresource) : path.startsWith(PROFILES)
}
