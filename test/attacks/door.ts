// The front door as an attacker sees it: a connection, on which one request goes at a time, of any method, path, token
// and headers.
import { type ClientHttp2Session, connect } from 'node:http2'
import type { SecureContextOptions } from 'node:tls'
import type { JsonObject } from '../../src/machinery/json.ts'

export interface Knock {
  readonly method: string
  /** Sent as it is. */
  readonly path: string
  /** Absent: anonymous. */
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: JsonObject
  readonly type?: string
}

export interface Heard {
  readonly status: number
  readonly text: string
}

/** Nothing asked here takes this long, on the slowest machine. */
const PATIENCE_MS = 90_000

/** How often a request is sent anew that the server has not looked at: it ends connections of who it does not know. */
const ATTEMPTS = 3

export class Door {
  readonly #open: () => ClientHttp2Session
  #session: ClientHttp2Session

  /** Without a `ca` the server's certificate is not checked. */
  constructor(url: string, tls: SecureContextOptions = {}) {
    this.#open = () => {
      const session = connect(url, { ...tls, rejectUnauthorized: tls.ca !== undefined })
      session.on('error', () => undefined)
      // No more requests on it; those that are under way are answered.
      session.on('goaway', () => session.close())
      return session
    }
    this.#session = this.#open()
  }

  close(): void {
    this.#session.destroy()
  }

  async knock(knock: Knock): Promise<Heard> {
    for (let attempt = 1; ; attempt++) {
      if (this.#session.closed || this.#session.destroyed) this.#session = this.#open()
      try {
        return await this.#ask(knock)
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        const unseen = code === 'ERR_HTTP2_GOAWAY_SESSION' || /REFUSED_STREAM|GOAWAY|CANCEL/.test(message)
        if (!unseen || attempt === ATTEMPTS) throw error
      }
    }
  }

  async #ask({ method, path, token, headers = {}, body, type = 'application/json' }: Knock): Promise<Heard> {
    const asked = {
      ':method': method,
      ':path': path,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    }
    // Node ends a DELETE by itself otherwise, whatever its body.
    const stream = this.#session.request(asked, { endStream: body === undefined })
    stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error(`no answer to ${method} ${path}`)))
    let status = 0
    stream.on('response', (answered) => (status = Number(answered[':status'])))
    if (body !== undefined) stream.end(JSON.stringify(body))
    const chunks: Buffer[] = []
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer)
      // A watch that was let in goes on for ever: enough is known.
      if (status === 200 && /[?&]watch=|\/watch\//.test(path)) stream.close()
    }
    if (status === 0) throw new Error('REFUSED_STREAM: no answer')
    return { status, text: Buffer.concat(chunks).toString() }
  }
}
