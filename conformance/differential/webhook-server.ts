// The webhooks of webhooks.ts: servers of one certificate and of worse ones, that keep what they are asked and answer as
// they are told to.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createPlain, type Server } from 'node:net'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'
import { allow, type Behave, type Review } from '../../test/webhooks/hookserver.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const HEADERS = ['content-type', 'accept', 'user-agent', 'content-length', 'authorization', 'referer']

interface Identity {
  readonly key: string
  readonly cert: string
}

async function identity(hosts: readonly string[], fromDays: number, toDays: number): Promise<Identity> {
  const key = makePrivateKey()
  const said = {
    subject: { commonName: 'webhook', organizations: [] },
    isCa: false,
    usages: ['server'] as const,
  }
  const [notBefore, notAfter] = [fromDays, toDays].map((days) => new Date(Date.now() + days * DAY_MS)) as [
    Date,
    Date,
  ]
  return { key, cert: await makeCertificate({ ...said, hosts, notBefore, notAfter }, readPrivateKey(key)) }
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )

const bundle = ({ cert }: Identity): string => Buffer.from(cert).toString('base64')

/** What leads nowhere: the faults of TLS, and of what is not reached. */
const nowhere = (port: number): JsonObject[] => [
  { url: 'https://127.0.0.1:1/x' },
  { url: 'https://none.invalid/x' },
  { url: `http://127.0.0.1:${port}/x` },
  { service: { name: 'none', namespace: 'default' } },
  { service: { name: 'kubernetes', namespace: 'default', port: 81 } },
]

export class Webhooks {
  /** What was asked since it was looked at last. */
  asked: JsonObject[] = []
  readonly behaviours = new Map<string, Behave>()
  readonly #servers: Server[] = []
  #port = 0
  #bundle = ''
  #bad: JsonObject[] = []

  static async start(): Promise<Webhooks> {
    const hooks = new Webhooks()
    const good = await identity(['127.0.0.1'], -1, 1)
    hooks.#port = await hooks.#serve(good)
    hooks.#bundle = bundle(good)
    const other = await identity(['other.example.com', '10.0.0.1'], -1, 1)
    for (const worse of [
      await identity(['127.0.0.1'], -3, -2),
      await identity(['127.0.0.1'], 2, 3),
      other,
      await identity(['other.example.com'], -1, 1),
      await identity([], -1, 1),
    ]) {
      const port = await hooks.#serve(worse)
      hooks.#bad.push({ url: `https://127.0.0.1:${port}/x`, caBundle: bundle(worse) })
      hooks.#bad.push({ url: `https://localhost:${port}/x`, caBundle: bundle(worse) })
    }
    hooks.#bad.push({ url: hooks.#url('/x') }, { url: hooks.#url('/x'), caBundle: bundle(other) })
    await hooks.#oddServers(good)
    hooks.#bad.push(...nowhere(hooks.#port))
    return hooks
  }

  /** Where a webhook is. */
  at(path: string): JsonObject {
    return { url: this.#url(path), caBundle: this.#bundle }
  }

  /** Where none is, or none that is to be trusted. */
  get bad(): readonly JsonObject[] {
    return this.#bad
  }

  /** What has been asked, by path. */
  take(): Json[] {
    const asked = this.asked
    this.asked = []
    return asked.sort((a, b) => (String(a['path']) < String(b['path']) ? -1 : 1))
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close()
      if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections()
    }
  }

  #url = (path: string): string => `https://127.0.0.1:${this.#port}${path}`

  #serve(who: Identity): Promise<number> {
    const server = createServer({ ...who, keepAliveTimeout: DAY_MS }, (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => this.#answer(request, response, Buffer.concat(chunks).toString()))
    })
    this.#servers.push(server)
    return listen(server)
  }

  /** Servers that talk otherwise: HTTP/2 alone, without TLS, not at all. */
  async #oddServers(good: Identity): Promise<void> {
    const modern = createSecureServer({ ...good, allowHTTP1: false }, (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { apiVersion, request: asked } = JSON.parse(Buffer.concat(chunks).toString()) as Review
        const answer = { apiVersion, kind: 'AdmissionReview', response: { uid: asked.uid, allowed: true } }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(answer))
      })
    })
    const plain = createPlain((socket) =>
      socket.on('error', () => {}).on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    )
    const shut = createPlain((socket) => socket.on('error', () => {}).on('data', () => socket.end()))
    for (const server of [modern, plain, shut]) {
      this.#servers.push(server)
      this.#bad.push({ url: `https://127.0.0.1:${await listen(server)}/x`, caBundle: bundle(good) })
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse, text: string): void {
    const { method = '', url = '' } = request
    const path = url.replace(/\?.*/, '')
    const headers = Object.fromEntries(HEADERS.map((name) => [name, request.headers[name] ?? null]))
    // Identities and times in it have the same length on both sides, versions not.
    delete headers['content-length']
    const review = text === '' ? null : (JSON.parse(text) as Review)
    this.asked.push({ path: url, method, headers, review })
    const hop = /^\/hop\/([0-9]+)$/.exec(path)?.[1]
    if (hop !== undefined && Number(hop) > 0) {
      response.writeHead(method === 'GET' ? 302 : 307, { location: `/hop/${Number(hop) - 1}` })
      return void response.end()
    }
    const asked = review ?? {
      apiVersion: 'admission.k8s.io/v1',
      kind: '',
      request: { uid: '', object: null, oldObject: null },
    }
    const behave = this.behaviours.get(path) ?? allow()
    behave(asked, response, path)
  }
}
