// One request and its answer, whatever carried it: HTTP/2, HTTP/1.1, or a call inside the process.
// The chain and everything behind it see only this. Follows net/http's Handler contract.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PeerCertificate } from '../authn/authenticator.ts'
import type { FlowMark } from '../fairness/gate.ts'
import type { ByteSink } from '../handlers/request.ts'
import type { UserInfo } from '../machinery/user.ts'

export type Headers = Record<string, string | string[] | number>

export type AnswerBody = Buffer | Iterable<Buffer> | AsyncIterable<Buffer>

export interface Exchange {
  readonly method: string
  /** Path and query as they were sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[]
  /** Of the connection. */
  readonly peer: Peer
  /** The whole body; rejects with StatusError 413 beyond `limit` bytes, 400 where it breaks off. */
  body(limit: number): Promise<Buffer>
  answer(status: number, headers: Headers, body?: AnswerBody): void
  /** Begins an answer that goes on until its sink ends. */
  stream(status: number, headers: Headers): ByteSink
  /** The same exchange as node's own request and response, for express. Only before an answer. */
  node(): { request: IncomingMessage; response: ServerResponse }
  /** Calls the listener when nothing more comes of it; absent: node()'s response tells. */
  readonly onEnd?: ((listener: () => void) => void) | undefined
  /** The connection itself, for requests that ask for another protocol; absent: it asks for none. */
  readonly takeOver?: (() => Connection) | undefined
  /** Has an answer begun? */
  readonly answered: boolean
  /** Calls back once when the client has gone, or has its answer. */
  onGone(listener: () => void): void
  /** Told with the answer, once it is known. */
  flow?: FlowMark | undefined
}

/** A connection that speaks HTTP no more. */
export interface Connection {
  readonly socket: Duplex
  /** What came behind the request already. */
  readonly head: Buffer
}

/** What is known of a connection, read once when it opens. */
export interface Peer {
  readonly address: string
  readonly certificate: PeerCertificate | undefined
  /** Who asks, where that needs no proof: from inside the process (loopback.ts). */
  readonly user?: UserInfo
}

/** How long a client may take to send a body. */
export const BODY_TIMEOUT_MS = 60_000
