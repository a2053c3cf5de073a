// A request for a resource, and its answer, without a socket: what the verbs take and give.
// The server fills it in; a loopback transport does the same in one process.
import type { RequestInfo } from '../machinery/attributes.ts'
import { timedOut } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'

export interface Body {
  /** The Content-Type without parameters, lower case; "" where the client says nothing. */
  readonly mediaType: string
  readonly bytes: Buffer
}

/** What the Accept header asks for, already checked against what the resource can give. */
export interface Accept {
  readonly encoding: 'json' | 'yaml' | 'protobuf'
  /** A transformation of meta.k8s.io: Table, PartialObjectMetadata, PartialObjectMetadataList. */
  readonly as: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | undefined
  /** v1 or v1beta1 of meta.k8s.io; "" without a transformation. */
  readonly asVersion: string
  readonly pretty: boolean
}

export interface ApiRequest {
  readonly info: RequestInfo
  readonly user: UserInfo
  readonly query: URLSearchParams
  readonly userAgent: string
  readonly accept: Accept
  /** Read once, bounded by the server. */
  body(): Promise<Body>
  /** Adds a Warning header to the answer. */
  warn(message: string): void
  /** Whether the client was answered already, since its time is over: what is not stored by then must not be. */
  isOver?(): boolean
  /** Adds to what the audit log says of the request; absent where it says nothing. */
  annotate?(key: string, value: string): void
  /** So much of its time went by at servers that had to be asked. */
  waited?(ms: number): void
}

/** Throws where nobody waits for the request any more. */
export function stillAsked(request: ApiRequest): void {
  if (request.isOver?.()) throw timedOut('request did not complete within the allotted timeout')
}

/** Where a streaming answer writes. */
export interface ByteSink {
  write(chunk: Buffer): void
  end(): void
  /** Ends it at once; what the client has not taken is dropped. */
  abort(): void
  /** Bytes written but not yet taken by the client's connection. */
  readonly backlog: number
  readonly closed: boolean
  /** undefined while the client keeps up; else resolves when it has caught up, or has gone. */
  drained(): Promise<void> | undefined
  /** Called once when the client has gone or the server ends the answer. */
  onClose(listener: () => void): void
}

export interface WholeAnswer {
  readonly status: number
  /** undefined: there is no body to speak of. */
  readonly contentType: string | undefined
  readonly body: Buffer | Iterable<Buffer>
  readonly headers?: Readonly<Record<string, string>>
}

export interface StreamAnswer {
  readonly status: number
  readonly contentType: string
  readonly stream: (sink: ByteSink) => void
  /** Calls back once when a watch has sent what it begins with; absent: it begins with nothing. */
  readonly begun?: (listener: () => void) => void
}

export type Answer = WholeAnswer | StreamAnswer
