// HTTP/1.1 requests as exchanges.
import { type IncomingHttpHeaders, type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FlowMark } from '../fairness/gate.ts'
import type { ByteSink } from '../handlers/request.ts'
import { readAll } from './body.ts'
import type { AnswerBody, Connection, Exchange, Headers, Peer } from './exchange.ts'
import { originForm } from './frontdoor.ts'
import { pump, StreamSink } from './sink.ts'

export class Http1Exchange implements Exchange {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly peer: Peer
  flow: FlowMark | undefined = undefined
  readonly #request: IncomingMessage
  readonly #response: ServerResponse

  constructor(request: IncomingMessage, response: ServerResponse, peer: Peer) {
    this.#request = request
    this.#response = response
    this.method = request.method ?? 'GET'
    this.url = originForm(request.url ?? '/')
    this.headers = request.headers
    this.rawHeaders = request.rawHeaders
    this.peer = peer
    response.on('error', () => undefined)
  }

  get answered(): boolean {
    return this.#response.headersSent || this.#response.destroyed
  }

  onGone(listener: () => void): void {
    if (this.#response.destroyed) listener()
    else this.#response.once('close', listener)
  }

  body(limit: number): Promise<Buffer> {
    return readAll(this.#request, limit)
  }

  answer(status: number, headers: Headers, body?: AnswerBody): void {
    const response = this.#response
    if (response.destroyed || response.headersSent) return
    if (Buffer.isBuffer(body)) headers['content-length'] = body.length
    response.writeHead(status, headers)
    if (body === undefined || this.method === 'HEAD') response.end()
    else if (Buffer.isBuffer(body)) response.end(body)
    else pump(body, response).catch(() => response.destroy())
  }

  stream(status: number, headers: Headers): ByteSink {
    this.#response.writeHead(status, headers)
    this.#response.flushHeaders()
    return new StreamSink(this.#response)
  }

  node(): { request: IncomingMessage; response: ServerResponse } {
    return { request: this.#request, response: this.#response }
  }
}

/** A request for another protocol. Where nobody takes its connection over, it is answered like others, and is the last. */
export class UpgradeExchange extends Http1Exchange {
  readonly takeOver: () => Connection

  constructor(
    request: IncomingMessage,
    { socket, head }: Connection & { readonly socket: Socket },
    peer: Peer,
  ) {
    const response = new ServerResponse(request)
    super(request, response, peer)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => {
      response.detachSocket(socket)
      socket.destroySoon()
    })
    socket.on('error', () => undefined)
    this.takeOver = () => {
      response.detachSocket(socket)
      return { socket, head }
    }
  }
}
