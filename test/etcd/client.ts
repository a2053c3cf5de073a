// A small client of API servers, ours or upstream's: JSON over one HTTP/2 connection, and watches line by line.
// What the tests of this folder ask with.
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import type { SecureContextOptions } from 'node:tls'
import type { JsonObject } from '../../src/machinery/json.ts'
import { isObject } from '../../src/machinery/json.ts'

/** Nothing asked here takes this long, on the slowest machine. */
const PATIENCE_MS = 90_000

export interface Answer {
  readonly status: number
  readonly body: JsonObject
  readonly text: string
}

export interface WatchEvent {
  readonly type: string
  readonly object: JsonObject
}

export interface ServerAccess extends SecureContextOptions {
  readonly url: string
  readonly token?: string
}

export class Client {
  readonly #session: ClientHttp2Session
  readonly #headers: Readonly<Record<string, string>>

  /** Without a `ca` the server's certificate is not checked: upstream's is of its own making. */
  constructor({ url, token, ...tls }: ServerAccess) {
    this.#session = connect(url, { ...tls, rejectUnauthorized: tls.ca !== undefined })
    this.#session.on('error', () => undefined)
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  close(): void {
    this.#session.destroy()
  }

  get(path: string): Promise<Answer> {
    return this.ask('GET', path)
  }
  post(path: string, body: JsonObject): Promise<Answer> {
    return this.ask('POST', path, body)
  }
  put(path: string, body: JsonObject): Promise<Answer> {
    return this.ask('PUT', path, body)
  }
  patch(path: string, body: JsonObject): Promise<Answer> {
    return this.ask('PATCH', path, body, 'application/merge-patch+json')
  }
  delete(path: string, body?: JsonObject): Promise<Answer> {
    return this.ask('DELETE', path, body)
  }

  /** One request; whatever the status is. */
  async ask(method: string, path: string, body?: JsonObject, type = 'application/json'): Promise<Answer> {
    const stream = this.#open(method, path, body === undefined ? undefined : type)
    stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error(`no answer to ${method} ${path}`)))
    let status = 0
    stream.on('response', (headers) => (status = Number(headers[':status'])))
    stream.end(body === undefined ? undefined : JSON.stringify(body))
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    return { status, text, body: parsed(text) }
  }

  /** A watch; resolves when the server has begun to answer. */
  watch(path: string): Promise<Watch> {
    const stream = this.#open('GET', path)
    stream.end()
    return new Promise((resolve, reject) => {
      stream.once('error', reject)
      stream.once('response', (headers) => resolve(new Watch(stream, Number(headers[':status']))))
    })
  }

  #open(method: string, path: string, type?: string): ClientHttp2Stream {
    const body = type === undefined ? {} : { 'content-type': type }
    return this.#session.request({
      ':method': method,
      ':path': path,
      accept: 'application/json',
      ...body,
      ...this.#headers,
    })
  }
}

/** Remembers what a watch says, and resolves a wait as soon as that is enough. */
export class Watch {
  readonly status: number
  readonly events: WatchEvent[] = []
  /** The server ended it, or the connection broke. */
  ended = false
  readonly #stream: ClientHttp2Stream
  #rest = ''
  #wake: (() => void) | undefined

  constructor(stream: ClientHttp2Stream, status: number) {
    this.#stream = stream
    this.status = status
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => this.#take(text))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      this.ended = true
      this.#wake?.()
    })
  }

  async until(enough: (watch: Watch) => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!enough(this)) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`the watch was not told in time: ${JSON.stringify(this.story())}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** `TYPE name@resourceVersion` of each event that is no bookmark. */
  story(): string[] {
    return this.events
      .filter(({ type }) => type !== 'BOOKMARK')
      .map(({ type, object }) => `${type} ${nameOf(object)}@${versionOf(object)}`)
  }

  close(): void {
    this.#stream.close()
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.events.push(JSON.parse(line) as WatchEvent)
    this.#wake?.()
  }
}

/** Asks until the answer is as wanted. Rejects with what it was last, after some seconds. */
export async function eventually<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (Date.now() > deadline) throw new Error(`not so in time: ${JSON.stringify(answer).slice(0, 500)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export const metadataOf = (object: JsonObject): JsonObject =>
  isObject(object['metadata']) ? object['metadata'] : {}
export const nameOf = (object: JsonObject): string => String(metadataOf(object)['name'] ?? '')
export const versionOf = (object: JsonObject): string => String(metadataOf(object)['resourceVersion'] ?? '')

function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return {}
  }
}
