// Requests from inside the process: the same chain, the same authorization, and no socket. Control loops that run beside
// the API server come this way, each as its own user.
// Follows the role of the loopback client configuration in k8s.io/apiserver/pkg/server.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { FlowMark } from '../fairness/gate.ts'
import type { ByteSink } from '../handlers/request.ts'
import { requestEntityTooLarge } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { AnswerBody, Exchange, Headers, Peer } from './exchange.ts'

export interface LoopbackRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  readonly signal?: AbortSignal
}

export interface LoopbackResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  body(): Promise<Buffer>
  chunks(): AsyncIterable<Buffer>
}

/** A client's way in; see Transport in src/client/transport.ts, which it fits. */
export interface Loopback {
  send(request: LoopbackRequest): Promise<LoopbackResponse>
  close(): void
}

/** The way in for one user, who needs no credentials: only this process can hold it. */
export function loopback(handle: (exchange: Exchange) => void, user: UserInfo): Loopback {
  const open = new Set<LoopbackExchange>()
  let isClosed = false
  return {
    send(request) {
      if (isClosed) return Promise.reject(new Error('the API server has stopped'))
      if (request.signal?.aborted) return Promise.reject(new Error('the request was aborted'))
      const exchange = new LoopbackExchange(request, user)
      open.add(exchange)
      exchange.onEnd(() => open.delete(exchange))
      handle(exchange)
      return exchange.response
    },
    close() {
      isClosed = true
      for (const exchange of open) exchange.abort()
    },
  }
}

class LoopbackExchange implements Exchange {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly rawHeaders: readonly string[]
  readonly peer: Peer
  readonly response: Promise<LoopbackResponse>
  flow: FlowMark | undefined = undefined
  readonly #body: Buffer | undefined
  readonly #end: (() => void)[] = []
  #answered = false
  #isOver = false
  #stream: StreamedBody | undefined
  #resolve: (response: LoopbackResponse) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor({ method, path, headers, body, signal }: LoopbackRequest, user: UserInfo) {
    this.method = method
    this.url = path
    this.headers = { ...headers }
    this.rawHeaders = Object.entries(headers).flat()
    this.peer = { address: '127.0.0.1', certificate: undefined, user }
    this.#body = body
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (!signal) return
    const abort = (): void => this.abort()
    signal.addEventListener('abort', abort, { once: true })
    this.onEnd(() => signal.removeEventListener('abort', abort))
  }

  get answered(): boolean {
    return this.#answered
  }

  onGone(listener: () => void): void {
    this.onEnd(listener)
  }

  /** Called once, when nothing more comes. */
  onEnd(listener: () => void): void {
    if (this.#isOver) listener()
    else this.#end.push(listener)
  }

  abort(): void {
    this.#stream?.abort()
    if (!this.#answered) this.#reject(new Error('the request was aborted'))
    this.#answered = true
    this.#ended()
  }

  body(limit: number): Promise<Buffer> {
    const body = this.#body ?? Buffer.alloc(0)
    return body.length > limit
      ? Promise.reject(requestEntityTooLarge(`limit is ${limit}`))
      : Promise.resolve(body)
  }

  answer(status: number, headers: Headers, body?: AnswerBody): void {
    if (this.#answered) return
    this.#answered = true
    const whole =
      body === undefined || this.method === 'HEAD' ? Promise.resolve(Buffer.alloc(0)) : wholeOf(body)
    this.#resolve({
      status,
      headers: textsOf(headers),
      body: () => whole,
      chunks: () => once(whole),
    })
    this.#ended()
  }

  stream(status: number, headers: Headers): ByteSink {
    const stream = new StreamedBody(() => this.#ended())
    this.#stream = stream
    this.#answered = true
    this.#resolve({
      status,
      headers: textsOf(headers),
      body: async () => wholeOf(stream.chunks()),
      chunks: () => stream.chunks(),
    })
    return stream
  }

  node(): { request: IncomingMessage; response: ServerResponse } {
    const request = new IncomingMessage(new Socket())
    Object.assign(request, { method: this.method, url: this.url, headers: this.headers })
    request.push(this.#body ?? null)
    if (this.#body) request.push(null)
    return { request, response: this.#captured(request) }
  }

  /** What is written to it becomes the answer. Express gives it another prototype: what is ours is on the object itself. */
  #captured(request: IncomingMessage): ServerResponse {
    const response = new ServerResponse(request)
    const chunks: Buffer[] = []
    const take = (chunk: unknown): void => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as string))
    }
    const own = {
      write: (chunk: unknown) => {
        take(chunk)
        return true
      },
      end: (chunk?: unknown) => {
        take(chunk)
        this.answer(response.statusCode, response.getHeaders() as Headers, Buffer.concat(chunks))
        response.emit('finish')
        return response
      },
    }
    return Object.assign(response, own)
  }

  #ended(): void {
    this.#isOver = true
    for (const listener of this.#end.splice(0)) listener()
  }
}

/** Readers slower than this are behind. */
const HIGH_WATER_BYTES = 256 * 1024

/** A stream's bytes from the server's hands into the reader's. */
class StreamedBody implements ByteSink {
  #chunks: Buffer[] = []
  #bytes = 0
  #closed = false
  #aborted = false
  readonly #listeners: (() => void)[] = []
  readonly #ended: () => void
  #wake: (() => void) | undefined
  #caughtUp: (() => void)[] = []

  constructor(ended: () => void) {
    this.#ended = ended
  }

  write(chunk: Buffer): void {
    if (this.#closed) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#wake?.()
  }

  end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#wake?.()
    this.#drain()
    for (const listener of this.#listeners) listener()
    this.#ended()
  }

  abort(): void {
    this.#aborted = true
    this.#chunks = []
    this.#bytes = 0
    this.end()
    this.#wake?.()
  }

  get backlog(): number {
    return this.#bytes
  }

  get closed(): boolean {
    return this.#closed
  }

  drained(): Promise<void> | undefined {
    if (this.#bytes < HIGH_WATER_BYTES || this.#closed) return undefined
    return new Promise((resolve) => this.#caughtUp.push(resolve))
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#listeners.push(listener)
  }

  async *chunks(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const chunks = this.#chunks
        this.#chunks = []
        this.#bytes = 0
        this.#drain()
        yield* chunks
        if (this.#aborted) throw new Error('the stream was aborted')
        if (this.#chunks.length > 0) continue
        if (this.#closed) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
        this.#wake = undefined
      }
    } finally {
      // The reader wants no more.
      this.end()
    }
  }

  #drain(): void {
    for (const resolve of this.#caughtUp.splice(0)) resolve()
  }
}

const textsOf = (headers: Headers): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  )

async function wholeOf(body: AnswerBody): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body
  const chunks: Buffer[] = []
  // Copied: pieces of large answers are used again once they were taken.
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function* once(body: Promise<Buffer>): AsyncGenerator<Buffer> {
  yield await body
}
