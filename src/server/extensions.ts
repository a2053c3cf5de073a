// Servers that answer for some paths in our place, once we know who asks and that it may. What stands behind is
// src/aggregator. Follows the role of kube-aggregator's proxy handlers in front of the API server's own.
import type { UserInfo } from '../machinery/user.ts'
import type { Exchange, Headers } from './exchange.ts'

/** A request that is passed on. */
export interface Proxied {
  readonly exchange: Exchange
  readonly user: UserInfo
  /** Of every answer. */
  readonly baseHeaders: Headers
  /** undefined: it may take as long as it will. */
  readonly allottedMs: number | undefined
}

export interface ExtensionServer {
  /**
   * Resolves with the status of the answer when it is out, or has begun where it goes on without end. Rejects with a
   * StatusError, 504, where it is not there in time.
   */
  serve(request: Proxied): Promise<number>
}

export interface Extensions {
  /** Who answers for this path; undefined: we do. */
  of(path: string): ExtensionServer | undefined
}
