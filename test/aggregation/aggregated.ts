// An API server with an extension server registered, for tests: requests as a user or with credentials, and waiting.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { type ApiServerOptions, DEFAULTS } from '../../src/cmd/options.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import type { UserInfo } from '../../src/machinery/user.ts'
import { MACHINE_ADDRESS } from '../machine.ts'
import { ExtensionServer, GROUP, VERSION } from './extensionserver.ts'

export const NAME = `${VERSION}.${GROUP}`
export const APISERVICES = '/apis/apiregistration.k8s.io/v1/apiservices'
export const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const NAMESPACE = 'ext'
/** Where extension servers listen. */
export const ADDRESS = MACHINE_ADDRESS ?? ''
/** Endpoints must have an address, and a machine without a network has none. */
export const isReachable = MACHINE_ADDRESS !== undefined

export interface Answered {
  readonly code: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly body: JsonObject
}

export class Aggregated {
  server!: ApiServer
  extension!: ExtensionServer

  readonly #options: Partial<ApiServerOptions>

  constructor(options: Partial<ApiServerOptions> = {}) {
    this.#options = options
  }

  /** The API server alone: the extension server goes on. */
  async restart(): Promise<void> {
    await this.server.stop()
    await this.#startServer()
  }

  async #startServer(): Promise<void> {
    this.server = await startApiServer({ ...DEFAULTS, port: 0, logLevel: 'error', ...this.#options })
  }

  async start(): Promise<void> {
    await this.#startServer()
    await this.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } })
    const { data } = (await this.send('GET', AUTHENTICATION)).body as { data: Record<string, string> }
    this.extension = await ExtensionServer.start(
      ADDRESS,
      `things.${NAMESPACE}.svc`,
      data['requestheader-client-ca-file'] ?? '',
    )
  }

  async stop(): Promise<void> {
    await this.extension.stop()
    await this.server.stop()
  }

  async send(
    method: string,
    path: string,
    object?: JsonObject,
    { user = ADMIN, headers = {} }: { user?: UserInfo; headers?: Record<string, string> } = {},
  ): Promise<Answered> {
    const way = this.server.loopback(user)
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const answer = await way.send({
      method,
      path,
      headers: { ...(object ? { 'content-type': contentType } : {}), ...headers },
      ...(object ? { body: Buffer.from(JSON.stringify(object)) } : {}),
    })
    const text = (await answer.body()).toString()
    return { code: answer.status, headers: answer.headers, text, body: parsed(text) }
  }

  /** The Service and what is behind it. */
  async serve(port = this.extension.port): Promise<void> {
    const metadata = { name: 'things', namespace: NAMESPACE }
    await this.send('POST', `/api/v1/namespaces/${NAMESPACE}/services`, {
      metadata,
      spec: { ports: [{ name: 'https', port: 443 }] },
    })
    await this.slice(port)
  }

  async slice(port: number): Promise<void> {
    const metadata = { name: 'things', labels: { 'kubernetes.io/service-name': 'things' } }
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`
    await this.send('DELETE', `${slices}/things`)
    await this.send('POST', slices, {
      metadata,
      addressType: 'IPv4',
      endpoints: [{ addresses: [ADDRESS] }],
      ports: [{ name: 'https', port }],
    })
  }

  async register(spec: JsonObject = { caBundle: this.extension.caBundle }): Promise<Answered> {
    return this.send('POST', APISERVICES, {
      metadata: { name: NAME },
      spec: {
        group: GROUP,
        version: VERSION,
        groupPriorityMinimum: 2000,
        versionPriority: 10,
        service: { namespace: NAMESPACE, name: 'things' },
        ...spec,
      },
    })
  }

  /** Away with it all. */
  async clear(): Promise<void> {
    await this.send('DELETE', `${APISERVICES}/${NAME}`)
    await this.send('DELETE', `/api/v1/namespaces/${NAMESPACE}/services/things`)
    await this.send('DELETE', `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/things`)
    this.extension.behave = () => false
    this.extension.isOld = false
  }

  /** A request to be upgraded, by the administrator's certificate, and what comes until it is `enough`. */
  say(path: string, text: string, enough: RegExp): Promise<string> {
    const { port, identity } = this.server
    const { adminCert: cert, adminKey: key, caCert: ca } = identity
    return new Promise((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['http/1.1'] })
      let heard = ''
      socket.setEncoding('latin1')
      socket.on('data', (chunk: string) => {
        heard += chunk
        if (heard.includes('welcome') && text !== '' && !heard.includes(text)) socket.write(text)
        if (enough.test(heard)) socket.destroy()
      })
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(heard))
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n`)
    })
  }

  /** The condition Available, as "STATUS REASON: MESSAGE". */
  async condition(): Promise<string> {
    const { body } = await this.send('GET', `${APISERVICES}/${NAME}`)
    const { conditions = [] } = (body['status'] ?? {}) as { conditions?: Record<string, string>[] }
    const [one] = conditions
    return one ? `${one['status']} ${one['reason']}: ${one['message']}` : ''
  }
}

const AUTHENTICATION = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'

function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return {}
  }
}

/** What `look` answers as soon as it is `wanted`; what it answered last after too long a time. */
export async function eventually<T>(
  look: () => Promise<T>,
  wanted: (seen: T) => boolean,
  withinMs = 90_000,
): Promise<T> {
  const until = Date.now() + withinMs
  for (;;) {
    const seen = await look()
    if (wanted(seen) || Date.now() > until) return seen
    await sleep(10)
  }
}
