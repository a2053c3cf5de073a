// A plain API client over one HTTP/2 connection, for tests that look at single answers. No retries, no informers.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import type { Access } from './server.ts'

export interface Reply {
  readonly status: number
  /** The body's JSON; undefined where it is none. */
  readonly json: JsonObject
}

export interface WatchEvent {
  readonly type: string
  readonly object: JsonObject
}

export interface Watching {
  /** Resolves when the watch has ended, whoever ended it. */
  readonly ended: Promise<void>
  close(): void
}

export class ApiClient {
  readonly #session: ClientHttp2Session
  readonly #headers: Readonly<Record<string, string>>

  /** `headers` go with every request. Without certificate and key the client is nobody. */
  constructor({ host, port, ca, cert, key }: Access, headers: Readonly<Record<string, string>> = {}) {
    this.#headers = headers
    const own = cert === '' ? {} : { cert, key }
    this.#session = connect(`https://${host}:${port}`, { ca, ...own })
    this.#session.on('error', () => undefined)
  }

  /** Sends a request; rejects when the connection breaks before the whole answer was there. */
  send(method: string, path: string, body?: Json, contentType = 'application/json'): Promise<Reply> {
    if (body === undefined) return this.sendBytes(method, path)
    return this.sendBytes(method, path, Buffer.from(JSON.stringify(body)), { 'content-type': contentType })
  }

  sendBytes(
    method: string,
    path: string,
    body?: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const stream = this.#open({ ':method': method, ':path': path, ...headers }, body === undefined)
      const chunks: Buffer[] = []
      let status = 0
      let whole = false
      stream.on('response', (got) => (status = Number(got[':status'])))
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.on('end', () => (whole = stream.rstCode === constants.NGHTTP2_NO_ERROR))
      stream.on('error', () => undefined)
      stream.on('close', () => {
        const text = Buffer.concat(chunks).toString()
        if (!whole || status === 0) return reject(new Error(`${method} ${path}: no answer`))
        resolve({ status, json: text.startsWith('{') ? (JSON.parse(text) as JsonObject) : {} })
      })
      if (!body) return
      if (headers['expect'] === '100-continue') stream.once('continue', () => stream.end(body))
      else stream.end(body)
    })
  }

  /** Reads a watch until it ends; half a line at a broken end is dropped. */
  watch(path: string, heard: (event: WatchEvent) => void): Watching {
    const stream = this.#open({ ':path': path }, true)
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) heard(JSON.parse(line) as WatchEvent)
    })
    stream.on('error', () => undefined)
    const ended = new Promise<void>((resolve) => stream.on('close', () => resolve()))
    return { ended, close: () => stream.close(constants.NGHTTP2_CANCEL) }
  }

  #open(headers: Record<string, string>, endStream: boolean): ClientHttp2Stream {
    return this.#session.request({ ...this.#headers, ...headers }, { endStream })
  }

  close(): void {
    this.#session.destroy()
  }
}
