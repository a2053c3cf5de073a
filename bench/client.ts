// A small client of our own: one HTTP/2 connection, as Go's clients use it. It measures where upstream's client is not
// at hand, and it drives single phases whose CPU time is looked at.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Server } from './servers.ts'

const { HTTP2_HEADER_STATUS } = constants

/** The first one in an event is that of its object. */
const VERSION = /"resourceVersion":"(\d+)"/

export interface Reply {
  readonly status: number
  readonly bytes: number
  readonly body: string
}

export interface Call {
  readonly method: string
  readonly path: string
  readonly type?: string
  readonly body?: string
  /** Keep the answer's text; else only its length. */
  readonly keep?: boolean
  /** What to take; JSON where it is left out. */
  readonly accept?: string
}

interface Head {
  readonly method: string
  readonly path: string
  readonly type: string | undefined
  /** Take packed answers, as Go's clients do. */
  readonly gzip: boolean
  readonly accept?: string | undefined
}

export class Client {
  readonly #session: ClientHttp2Session
  readonly #authorization: Record<string, string>

  constructor(server: Server) {
    const { credentials } = server
    const tls = 'token' in credentials ? {} : credentials
    this.#authorization = 'token' in credentials ? { authorization: `Bearer ${credentials.token}` } : {}
    this.#session = connect(`https://127.0.0.1:${server.port}`, { ...tls, rejectUnauthorized: false })
    this.#session.on('error', () => undefined)
    this.#session.setMaxListeners(0)
  }

  /** Sends one request; rejects for answers that are no success. */
  call({ method, path, type, body, keep = false, accept }: Call): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const stream = this.#open({
        method,
        path,
        type: type ?? (body && 'application/json'),
        gzip: !keep,
        accept,
      })
      let [status, bytes] = [0, 0]
      const kept: Buffer[] = []
      stream.on('response', (headers) => (status = Number(headers[HTTP2_HEADER_STATUS])))
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (keep || status >= 400) kept.push(chunk)
      })
      stream.on('error', reject)
      stream.on('close', () => reject(new Error(`${method} ${path}: the connection closed`)))
      stream.on('end', () => {
        const text = Buffer.concat(kept).toString()
        if (status < 300) resolve({ status, bytes, body: text })
        else reject(new Error(`${method} ${path}: ${status} ${text}`))
      })
      stream.end(body)
    })
  }

  /**
   * Opens a watch that lasts as long as the client; `line` sees each event's text. Resolves when the server has
   * answered. A server may close watchers that it finds slow: then the watch goes on after the last event.
   */
  watch(path: string, line: (text: string) => void, after = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      const version = after === '' ? '' : `&resourceVersion=${after}`
      const stream = this.#open({ method: 'GET', path: path + version, type: undefined, gzip: false })
      let rest = ''
      let last = after
      stream.on('error', reject)
      stream.on('response', () => resolve())
      stream.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString()).split('\n')
        rest = lines.pop() ?? ''
        for (const text of lines) line(text)
        last = VERSION.exec(lines.at(-1) ?? '')?.[1] ?? last
      })
      stream.on('close', () => {
        if (!this.#session.destroyed && !this.#session.closed) this.watch(path, line, last).catch(reject)
      })
      stream.end()
    })
  }

  #open({ method, path, type, gzip, accept = 'application/json' }: Head): ClientHttp2Stream {
    return this.#session.request(
      {
        ':method': method,
        ':path': path,
        accept,
        'user-agent': 'dinghy-bench/1 (linux/amd64)',
        ...(gzip ? { 'accept-encoding': 'gzip' } : {}),
        ...(type === undefined ? {} : { 'content-type': type }),
        ...this.#authorization,
      },
      { endStream: false },
    )
  }

  close(): void {
    this.#session.destroy()
  }
}

/** Runs `work` for 0…count-1, `concurrency` at a time; resolves to how many were done a second. */
export async function parallel(
  count: number,
  concurrency: number,
  work: (i: number) => Promise<unknown>,
): Promise<number> {
  const startedAt = performance.now()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker))
  return count / ((performance.now() - startedAt) / 1000)
}
