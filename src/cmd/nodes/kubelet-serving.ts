// The ports of simulated nodes that are a process of their own: each node has one, all share one certificate, one memory of
// who may ask, and what answers. Follows k8s.io/kubernetes/pkg/kubelet/server (server.go, auth.go).
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { KubeletReply, KubeletRequest } from '../../kubelet/endpoints.ts'
import type { LogReader } from '../../kubelet/logreader.ts'
import { StatusError } from '../../machinery/status.ts'
import type { UserInfo } from '../../machinery/user.ts'
import type { Delegated } from '../parts/delegated.ts'
import { StartError } from '../options.ts'

export interface KubeletServingOptions {
  /** PEM. */
  readonly cert: string
  readonly key: string
  /** CAs of callers' certificates, PEM; undefined: certificates say nothing. */
  readonly clientCa: string | undefined
  /** The address to listen on. */
  readonly address: string
  readonly authority: Delegated
  /** Whoever is known may ask for everything. */
  readonly allowsAll: boolean
  /** undefined: the node is gone. Throws as kubeletReply does. */
  answer(node: string, request: KubeletRequest): KubeletReply | undefined
}

/** A caller that takes nothing while a log goes on may be behind by this much, then it is cut off. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024
const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
/** What the rights to some paths are called, and what is asked where these are not had. */
const RIGHTS: readonly (readonly [path: string, subresources: readonly string[]])[] = [
  ['/pods', ['pods', 'proxy']],
  ['/runningpods', ['pods', 'proxy']],
  ['/healthz', ['healthz', 'proxy']],
  ['/configz', ['configz', 'proxy']],
  ['/stats', ['stats']],
  ['/metrics', ['metrics']],
  ['/logs', ['log']],
  ['/checkpoint', ['checkpoint']],
]

export class KubeletServing {
  readonly #options: KubeletServingOptions
  /** Speaks TLS and HTTP on the connections of all nodes. */
  readonly #https: HttpsServer
  readonly #servers: Server[] = []
  /** Whose port it is. */
  readonly #nodes = new Map<number, string>()

  constructor(options: KubeletServingOptions) {
    this.#options = options
    const { cert, key, clientCa } = options
    const asking =
      clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: false, ca: clientCa }
    this.#https = createHttpsServer({ cert, key, ...asking }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => refuse(response, error))
    })
  }

  /** Opens a port for the node; 0 picks a free one. Resolves with it. Rejects with StartError where it is taken. */
  open(node: string, port: number): Promise<number> {
    const { address } = this.#options
    const server = createServer((socket: Socket) => void this.#https.emit('connection', socket))
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new StartError(`cannot listen on ${address}:${port}: ${error.code ?? error.message}`, error)),
      )
      server.listen(port, address, () => {
        const opened = (server.address() as AddressInfo).port
        this.#nodes.set(opened, node)
        resolve(opened)
      })
    })
  }

  close(): void {
    for (const server of this.#servers) server.close()
    this.#https.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const node = this.#nodes.get(request.socket.localPort ?? 0) ?? ''
    const url = new URL(request.url ?? '/', 'https://kubelet')
    const user = await this.#options.authority.caller(request).catch(() => undefined)
    if (!user) return respond(response, 401, 'Unauthorized')
    const verb = VERBS[request.method ?? ''] ?? ''
    if (!this.#options.allowsAll) {
      const refusal = await this.#refusal(user, { node, verb, path: url.pathname })
      if (refusal) return respond(response, refusal.code, refusal.message)
    }
    const reply = this.#options.answer(node, { verb, path: url.pathname, query: url.searchParams })
    if (!reply) return respond(response, 404, '404 page not found\n')
    const { contentType, body } = reply
    response.writeHead(200, { 'content-type': contentType })
    if (typeof body === 'string') response.end(body)
    else if (body.follows) follow(body, response)
    else response.end(body.now())
  }

  async #refusal(
    { name, ...user }: UserInfo,
    { node, verb, path }: { readonly node: string; readonly verb: string; readonly path: string },
  ): Promise<{ readonly code: number; readonly message: string } | undefined> {
    const subresources = RIGHTS.find(([prefix]) => isUnder(path, prefix))?.[1] ?? ['proxy']
    for (const subresource of subresources) {
      const about = `user=${name}, verb=${verb}, resource=nodes`
      try {
        const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: node }
        if (await this.#options.authority.allows({ name, ...user }, { resourceAttributes })) return undefined
      } catch {
        return { code: 500, message: `Authorization error (${about}, subresource=${subresource})` }
      }
    }
    const about = `user=${name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}]`
    return { code: 403, message: `Forbidden (${about})\n` }
  }
}

const isUnder = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`)

function follow(log: LogReader, response: ServerResponse): void {
  response.flushHeaders()
  const stop = log.follow({
    write: (text) => {
      if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy()
      else response.write(text)
    },
    end: () => response.end(),
  })
  response.once('close', stop)
}

/** A kubelet's refusals are plain text. */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy()
  if (error instanceof StatusError) respond(response, error.code, error.status.message ?? '')
  else respond(response, 500, 'Internal Server Error')
}

function respond(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}
