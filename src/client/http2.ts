// The API server over its socket: every request a stream of one HTTP/2 connection, which is made again when it breaks.
// Follows k8s.io/client-go/transport and net/http's HTTP/2 transport.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { ClientRequest, ClientResponse, Transport } from './transport.ts'

export interface Http2Options {
  /** "https://host:port" */
  readonly server: string
  /** PEM; absent: the machine's CAs. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Bearer token, asked for at each request: files of tokens are renewed. */
  token?(): string | undefined
  readonly insecureSkipTlsVerify?: boolean
  readonly tlsServerName?: string
}

/** A connection that is silent this long is asked for a sign of life, as Go's HTTP/2 transport asks. */
const PING_INTERVAL_MS = 30_000
/** One that gives none within this is broken. */
const PING_TIMEOUT_MS = 15_000
/** Watches of large collections come faster than they are read; the default of 64 KiB would stop them at each turn. */
const WINDOW_BYTES = 4 * 1024 * 1024

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_STATUS, NGHTTP2_CANCEL } = constants

export class Http2Transport implements Transport {
  readonly #options: Http2Options
  #session: ClientHttp2Session | undefined

  constructor(options: Http2Options) {
    this.#options = options
  }

  send(request: ClientRequest): Promise<ClientResponse> {
    const { signal } = request
    if (signal?.aborted) return Promise.reject(new Error('the request was aborted'))
    return new Promise((resolve, reject) => {
      const stream = this.#open(request)
      const abort = (): void => stream.close(NGHTTP2_CANCEL)
      signal?.addEventListener('abort', abort, { once: true })
      stream.once('close', () => {
        signal?.removeEventListener('abort', abort)
        reject(new Error('the connection to the API server broke'))
      })
      stream.on('error', reject)
      stream.once('response', ({ [HTTP2_HEADER_STATUS]: status, ...headers }) => {
        resolve({
          status: Number(status),
          headers,
          body: () => wholeOf(stream),
          chunks: () => stream as AsyncIterable<Buffer>,
        })
      })
      // Node ends a DELETE by itself where it is not told that there is a body.
      if (request.body) stream.end(request.body)
    })
  }

  close(): void {
    this.#session?.destroy()
  }

  #open({ method, path, headers, body }: ClientRequest): ClientHttp2Stream {
    const token = this.#options.token?.()
    const sent = {
      [HTTP2_HEADER_METHOD]: method,
      [HTTP2_HEADER_PATH]: path,
      ...headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    return this.#connected().request(sent, { endStream: body === undefined })
  }

  #connected(): ClientHttp2Session {
    const known = this.#session
    if (known && !known.closed && !known.destroyed) return known
    const { server, insecureSkipTlsVerify, tlsServerName, ca, cert, key } = this.#options
    const session = connect(server, {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      rejectUnauthorized: !insecureSkipTlsVerify,
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    })
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES))
    // Each of its streams hears of it and tells its caller.
    session.on('error', () => undefined)
    keepAlive(session)
    this.#session = session
    return session
  }
}

/** Without this, a peer that vanished would leave its watches open for ever. */
function keepAlive(session: ClientHttp2Session): void {
  const beat = setInterval(() => {
    if (session.destroyed || session.connecting) return
    const dead = setTimeout(() => session.destroy(), PING_TIMEOUT_MS).unref()
    session.ping(() => clearTimeout(dead))
  }, PING_INTERVAL_MS).unref()
  session.once('close', () => clearInterval(beat))
}

async function wholeOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
