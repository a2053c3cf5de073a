// How a client's requests reach an API server: over a socket (http2.ts), or inside the process (the server's loopback).
// Follows the role of http.RoundTripper in k8s.io/client-go/transport.

export interface ClientRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Ends the request, or a stream that goes on. */
  readonly signal?: AbortSignal
}

export interface ClientResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The whole body. Either this or `chunks`, once. */
  body(): Promise<Buffer>
  /** The body as it comes; rejects where the connection breaks. */
  chunks(): AsyncIterable<Buffer>
}

export interface Transport {
  /** Rejects where no answer comes: the server is gone, or the request was aborted. */
  send(request: ClientRequest): Promise<ClientResponse>
  close(): void
}
