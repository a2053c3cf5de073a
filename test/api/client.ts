// A bare client for the tests of the API: HTTP/2 and HTTP/1.1 with the admin's certificate, no library in between.
import { connect, type ClientHttp2Session } from 'node:http2'
import { Agent, request as http1 } from 'node:https'
import type { Cluster } from '../../src/cmd/cluster.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  /** The body as JSON; undefined where it is none. */
  readonly body: ReturnType<typeof JSON.parse>
}

export interface Ask {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Stream {
  /** Resolves with the next event; rejects when the stream has ended. */
  next(): Promise<{ type: string; object: Reply['body'] }>
  close(): void
}

const reply = (status: number, headers: Reply['headers'], bytes: Buffer): Reply => {
  let body: unknown
  try {
    body = JSON.parse(bytes.toString())
  } catch {
    body = undefined
  }
  return { status, headers, bytes, body }
}

const bytesOf = (body: unknown): Buffer | undefined =>
  body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))

export class ApiClient {
  readonly #cluster: Cluster
  readonly #session: ClientHttp2Session
  readonly #agent: Agent

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    const tls = { ca: cluster.caCert, cert: cluster.clientCert, key: cluster.clientKey }
    this.#session = connect(cluster.url, tls)
    this.#agent = new Agent({ ...tls, keepAlive: true })
  }

  close(): void {
    this.#session.destroy()
    this.#agent.destroy()
  }

  /** By HTTP/2. */
  ask(method: string, path: string, { body, headers = {} }: Ask = {}): Promise<Reply> {
    const bytes = bytesOf(body)
    const type = bytes && !headers['content-type'] ? { 'content-type': 'application/json' } : {}
    const stream = this.#session.request({ ':method': method, ':path': path, ...type, ...headers }, { endStream: !bytes })
    if (bytes) stream.end(bytes)
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let received: Reply['headers'] = {}
      stream.on('response', (given) => (received = given as Reply['headers']))
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('end', () => resolve(reply(Number(received[':status']), received, Buffer.concat(chunks))))
    })
  }

  /** By HTTP/1.1. */
  ask1(method: string, path: string, { body, headers = {} }: Ask = {}): Promise<Reply> {
    const bytes = bytesOf(body)
    return new Promise((resolve, reject) => {
      const sent = http1(this.#cluster.url + path, { method, agent: this.#agent, headers }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve(reply(answer.statusCode ?? 0, answer.headers, Buffer.concat(chunks))))
      })
      sent.on('error', reject)
      sent.end(bytes)
    })
  }

  /** A watch by HTTP/2; resolves when its headers are there. */
  watch(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Stream> {
    const stream = this.#session.request({ ':path': path, ...headers })
    const events = new Lines()
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => events.push(text))
    stream.on('close', () => events.end())
    stream.on('error', () => events.end())
    return new Promise((resolve) => {
      stream.on('response', () => resolve({ next: () => events.next(), close: () => stream.close() }))
    })
  }
}

/** Lines of JSON as they come. */
class Lines {
  #rest = ''
  readonly #ready: { type: string; object: Reply['body'] }[] = []
  readonly #waiting: ((take: () => { type: string; object: Reply['body'] }) => void)[] = []
  #ended = false

  push(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string; object: Reply['body'] }
      const taker = this.#waiting.shift()
      if (taker) taker(() => event)
      else this.#ready.push(event)
    }
  }

  end(): void {
    this.#ended = true
    for (const taker of this.#waiting.splice(0)) taker(ended)
  }

  next(): Promise<{ type: string; object: Reply['body'] }> {
    const event = this.#ready.shift()
    if (event) return Promise.resolve(event)
    if (this.#ended) return Promise.reject(new Error('the watch has ended'))
    return new Promise((resolve, reject) => {
      this.#waiting.push((take) => {
        try {
          resolve(take())
        } catch (error) {
          reject(error as Error)
        }
      })
    })
  }
}

const ended = (): never => {
  throw new Error('the watch has ended')
}

/** A fresh namespace for one test. */
export async function namespaceFor(client: ApiClient): Promise<string> {
  const made = await client.ask('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: 't-' } },
  })
  return made.body.metadata.name as string
}

export const configMap = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(labels ? { labels } : {}) },
  data,
})
