// HTTP/2 streams as exchanges, without node's compatibility layer: Go clients send everything over one connection.
import {
  constants,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FlowMark } from '../fairness/gate.ts'
import type { ByteSink } from '../handlers/request.ts'
import { readAll } from './body.ts'
import type { AnswerBody, Exchange, Headers, Peer } from './exchange.ts'
import { pump, StreamSink } from './sink.ts'

const { HTTP2_HEADER_STATUS } = constants

export class Http2Exchange implements Exchange {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly peer: Peer
  readonly #stream: ServerHttp2Stream
  readonly rawHeaders: string[]
  flow: FlowMark | undefined = undefined

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[], peer: Peer) {
    this.#stream = stream
    this.rawHeaders = rawHeaders
    this.method = headers[':method'] ?? 'GET'
    this.url = headers[':path'] ?? '/'
    this.headers = headers
    this.peer = peer
    stream.on('error', () => undefined)
  }

  get answered(): boolean {
    return this.#stream.headersSent || this.#stream.destroyed
  }

  onGone(listener: () => void): void {
    if (this.#stream.destroyed) listener()
    else this.#stream.once('close', listener)
  }

  body(limit: number): Promise<Buffer> {
    // On HTTP/1.1 node asks for it by itself.
    if (this.headers.expect === '100-continue' && !this.answered)
      this.#stream.additionalHeaders({ [HTTP2_HEADER_STATUS]: constants.HTTP_STATUS_CONTINUE })
    return readAll(this.#stream, limit)
  }

  answer(status: number, headers: Headers, body?: AnswerBody): void {
    const stream = this.#stream
    if (stream.destroyed || stream.headersSent) return
    headers[HTTP2_HEADER_STATUS] = status
    if (body === undefined || this.method === 'HEAD') {
      stream.respond(headers, { endStream: true })
    } else if (Buffer.isBuffer(body)) {
      headers['content-length'] = body.length
      stream.respond(headers)
      stream.end(body)
    } else {
      stream.respond(headers)
      pump(body, stream).catch(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
    }
  }

  stream(status: number, headers: Headers): ByteSink {
    const stream = this.#stream
    if (!stream.destroyed && !stream.headersSent)
      stream.respond({ [HTTP2_HEADER_STATUS]: status, ...headers })
    return new StreamSink(stream)
  }

  node(): { request: IncomingMessage; response: ServerResponse } {
    const request = new Http2ServerRequest(this.#stream, this.headers, {}, this.rawHeaders)
    const response = new Http2ServerResponse(this.#stream)
    return { request: request as unknown as IncomingMessage, response: response as unknown as ServerResponse }
  }
}
