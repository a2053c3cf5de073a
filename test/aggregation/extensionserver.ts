// An extension API server for tests: a group of its own with discovery, a list, a watch and an upgrade, behind TLS. It
// lets in whom a front proxy names that shows a certificate of the CA that it was given, as upstream's servers do.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { JsonObject } from '../../src/machinery/json.ts'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'

export const GROUP = 'things.example.com'
export const VERSION = 'v1alpha1'
export const THINGS = `/apis/${GROUP}/${VERSION}/namespaces/default/things`

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
  /** Common name of the client's certificate, where a CA of ours has signed it. */
  readonly proxy: string | undefined
  readonly body: string
}

const DAY_MS = 24 * 60 * 60 * 1000
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const KIND = { group: GROUP, version: VERSION, kind: 'Thing' }
const RESOURCE = {
  resource: 'things',
  responseKind: KIND,
  scope: 'Namespaced',
  singularResource: 'thing',
  verbs: ['create', 'get', 'list', 'watch'],
  shortNames: ['th'],
  subresources: [{ subresource: 'echo', responseKind: KIND, verbs: ['get'] }],
}
const RESOURCE_LIST = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${GROUP}/${VERSION}`,
  resources: [
    {
      name: 'things',
      singularName: 'thing',
      namespaced: true,
      ...KIND,
      verbs: RESOURCE.verbs,
      shortNames: ['th'],
    },
    { name: 'things/echo', singularName: '', namespaced: true, ...KIND, verbs: ['get'] },
  ],
}

export class ExtensionServer {
  readonly received: Received[] = []
  /** Answers instead, where it says true. */
  behave: (request: IncomingMessage, response: ServerResponse) => boolean = () => false
  /** Servers before 1.26 know lists of resources only. */
  isOld = false
  readonly caBundle: string
  readonly #server: Server
  readonly #watches = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, caBundle: string) {
    this.#server = server
    this.caBundle = caBundle
  }

  /** Listens on `address`. Its certificate is for `host`; `proxyCa` signs those of proxies. */
  static async start(address: string, host: string, proxyCa: string): Promise<ExtensionServer> {
    const key = makePrivateKey()
    const cert = await makeCertificate(
      {
        subject: { commonName: 'things', organizations: [] },
        isCa: false,
        usages: ['server'],
        hosts: [host],
        notBefore: new Date(Date.now() - DAY_MS),
        notAfter: new Date(Date.now() + DAY_MS),
      },
      readPrivateKey(key),
    )
    const server = createServer({ key, cert, ca: proxyCa, requestCert: true, rejectUnauthorized: false })
    const extension = new ExtensionServer(server, Buffer.from(cert).toString('base64'))
    server.on('connection', (socket: Socket) => {
      extension.#sockets.add(socket)
      socket.once('close', () => extension.#sockets.delete(socket))
    })
    server.on('request', (request, response) => extension.#receive(request, response))
    server.on('upgrade', (request, socket: Socket) => extension.#upgrade(request, socket))
    await new Promise<void>((resolve) => server.listen(0, address, resolve))
    return extension
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Open watches. */
  get watches(): number {
    return this.#watches.size
  }

  /** An event for all who watch. */
  tell(type: string, name: string): void {
    const event = { type, object: thing(name) }
    for (const watch of this.#watches) watch.write(`${JSON.stringify(event)}\n`)
  }

  /** Cuts them off, as a crash would. */
  breakWatches(): void {
    for (const watch of this.#watches) watch.destroy()
  }

  /** The last request below this path. */
  last(path: string): Received | undefined {
    return this.received.findLast(({ url }) => url.startsWith(path))
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      this.#note(request, Buffer.concat(chunks).toString())
      if (this.behave(request, response)) return
      this.#answer(request, response, Buffer.concat(chunks).toString())
    })
  }

  #note(request: IncomingMessage, body: string): void {
    const socket = request.socket as TLSSocket
    const { subject } = socket.getPeerCertificate()
    const { method = '', url = '', headers, rawHeaders } = request
    const proxy = socket.authorized ? String(subject.CN) : undefined
    this.received.push({ method, url, headers, rawHeaders, proxy, body })
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { proxy } = this.received.at(-1) ?? {}
    if (proxy !== 'front-proxy-client') return json(response, 401, { kind: 'Status', code: 401 })
    const [path = '', query = ''] = (request.url ?? '').split('?')
    if (path === '/apis' && !this.isOld) return this.#discovery(request, response)
    if (path === `/apis/${GROUP}/${VERSION}`) return json(response, 200, RESOURCE_LIST)
    if (path === '/openapi/v3') return json(response, 200, openApiIndex())
    if (path === `/openapi/v3/apis/${GROUP}/${VERSION}`) return json(response, 200, openApiV3())
    if (path === '/openapi/v2') return json(response, 200, openApiV2())
    if (path !== THINGS) return json(response, 404, { kind: 'Status', code: 404, message: 'no such thing' })
    if (request.method === 'POST') return json(response, 201, JSON.parse(body) as JsonObject)
    if (!new URLSearchParams(query).has('watch')) return json(response, 200, thingList())
    response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
    response.flushHeaders()
    this.#watches.add(response)
    response.once('close', () => this.#watches.delete(response))
  }

  #discovery(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers['if-none-match'] === '"1"') return void response.writeHead(304).end()
    const versions = [{ version: VERSION, resources: [RESOURCE], freshness: 'Current' }]
    response.setHeader('etag', '"1"')
    response.setHeader('content-type', AGGREGATED)
    const list = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {} }
    response.end(JSON.stringify({ ...list, items: [{ metadata: { name: GROUP }, versions }] }))
  }

  /** Says everything back. */
  #upgrade(request: IncomingMessage, socket: Socket): void {
    this.#note(request, '')
    if (!request.url?.includes('/echo')) {
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\nnone')
      return
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\nwelcome ')
    socket.pipe(socket)
  }
}

function json(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const thing = (name: string): JsonObject => ({
  apiVersion: `${GROUP}/${VERSION}`,
  kind: 'Thing',
  metadata: { name, namespace: 'default' },
})

const thingList = (): JsonObject => ({
  apiVersion: `${GROUP}/${VERSION}`,
  kind: 'ThingList',
  metadata: { resourceVersion: '1' },
  items: [thing('a'), thing('b')],
})

const DEFINITION = 'com.example.things.v1alpha1.Thing'
/** Other servers have one of the same name, and ours is another. */
const COMMON = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

const openApiIndex = (): JsonObject => ({
  paths: {
    [`apis/${GROUP}/${VERSION}`]: { serverRelativeURL: `/openapi/v3/apis/${GROUP}/${VERSION}?hash=1` },
    version: { serverRelativeURL: '/openapi/v3/version?hash=2' },
  },
})

const openApiV3 = (): JsonObject => ({
  openapi: '3.0.0',
  info: { title: 'things', version: '1' },
  paths: { [`${THINGS}/{name}`]: {} },
})

const operation = {
  responses: { 200: { description: 'OK', schema: { $ref: `#/definitions/${DEFINITION}` } } },
}

const openApiV2 = (): JsonObject => ({
  swagger: '2.0',
  info: { title: 'things', version: '1' },
  paths: {
    [`/apis/${GROUP}/${VERSION}/namespaces/{namespace}/things/{name}`]: { get: operation },
    '/version/': { get: { responses: { 200: { description: 'OK', schema: { type: 'string' } } } } },
  },
  definitions: {
    [DEFINITION]: {
      type: 'object',
      properties: { metadata: { $ref: `#/definitions/${COMMON}` } },
      'x-kubernetes-group-version-kind': [KIND],
    },
    [COMMON]: { type: 'object', description: 'another one', properties: { name: { type: 'string' } } },
    'com.example.unused': { type: 'string' },
  },
})
