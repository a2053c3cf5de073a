// The way to one extension server: its address from the Service, TLS by what the APIService says, kept connections.
// Follows k8s.io/client-go/transport and BuildTransportConfig in k8s.io/kube-aggregator/pkg/controllers/status/remote.
//
// DEVIATION: upstream talks HTTP/2 to servers that offer it; here every one is asked over HTTP/1.1.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { Duplex, Readable } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import type { ApiService, ServiceReference } from '../machinery/apiregistration.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Reach {
  /** Where a service's port is reached. Rejects where it leads nowhere, in upstream's words. */
  resolve(service: ServiceReference): Promise<Address>
  /** Our certificate as a proxy, PEM; undefined: we have none. */
  credentials(): Promise<{ readonly cert: string; readonly key: string } | undefined>
  /** Go's words for an error of node's. */
  fault(error: Error, peer: Address & { readonly hostname: string }): string
}

export type OutgoingHeaders = Record<string, string | string[]>

export interface Asked {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: OutgoingHeaders
}

export interface Outgoing extends Asked {
  readonly body?: Readable | undefined
  readonly signal: AbortSignal
}

export interface Upgraded {
  readonly response: IncomingMessage
  /** The connection from now on; undefined: it was not upgraded. */
  readonly connection: { readonly socket: Duplex; readonly head: Buffer } | undefined
}

/** Nobody is behind the service. */
export class Unresolved extends Error {}
/** The server could not be talked to; the message is Go's. */
export class Unreachable extends Error {}

/** Connections that wait for the next request: as many as Go's transport keeps for a host of client-go's. */
const MAX_IDLE_CONNECTIONS = 25
/** A connection that was idle for longer may be dead without our knowing. */
const IDLE_MS = 90_000
/** How long a server may take to let itself be talked to in another protocol, as Go's dialers wait. */
const DIAL_MS = 30_000
/** As many as our own clients may send us. */
const MAX_HEADER_BYTES = 1024 * 1024

export class ServiceTransport {
  /** Why no request can be sent: the CA bundle is none. */
  readonly fault: string | undefined
  readonly #service: ServiceReference
  readonly #reach: Reach
  readonly #tls: ConnectionOptions & { readonly servername: string }
  #agent: Promise<Agent> | undefined

  constructor(service: ServiceReference, api: ApiService, reach: Reach) {
    this.#service = service
    this.#reach = reach
    const bundle = Buffer.from(api.caBundle, 'base64').toString('latin1')
    const isBundle = bundle === '' || bundle.includes('-----BEGIN CERTIFICATE-----')
    this.fault = isBundle ? undefined : 'unable to load root certificates: unable to parse bytes as PEM block'
    this.#tls = {
      servername: this.#hostname,
      rejectUnauthorized: !api.insecureSkipTlsVerify,
      // A bundle may hold no root, as Go has it.
      ...(bundle === '' ? {} : { ca: bundle, allowPartialTrustChain: true }),
    }
  }

  get #hostname(): string {
    return `${this.#service.name}.${this.#service.namespace}.svc`
  }

  /** Rejects with Unresolved. */
  async address(): Promise<Address> {
    try {
      return await this.#reach.resolve(this.#service)
    } catch (error) {
      throw new Unresolved(error instanceof Error ? error.message : String(error))
    }
  }

  /** The head of the answer, whatever it says. Rejects with Unreachable, or with the signal's reason. */
  async send(outgoing: Outgoing, address: Address): Promise<IncomingMessage> {
    const agent = await (this.#agent ??= this.#makeAgent())
    return this.#ask(outgoing, address, agent)
  }

  /** The same for a request that wants another protocol, on a connection of its own. */
  async upgrade({ method, path, headers }: Asked, address: Address): Promise<Upgraded> {
    const tls = { ...this.#tls, ...(await this.#reach.credentials()) }
    const timeout = DIAL_MS
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(this.#unreachable(error, address))
      try {
        const sent = httpsRequest({ ...address, ...tls, method, path, headers, timeout, agent: false })
        sent.on('upgrade', (response, socket, head) => {
          socket.setTimeout(0)
          resolve({ response, connection: { socket, head } })
        })
        sent.on('response', (response) => resolve({ response, connection: undefined }))
        sent.on('timeout', () => sent.destroy(new Error('i/o timeout')))
        sent.on('error', fail)
        sent.end()
      } catch (error) {
        fail(error)
      }
    })
  }

  close(): void {
    void this.#agent?.then(
      (agent) => agent.destroy(),
      () => undefined,
    )
  }

  async #makeAgent(): Promise<Agent> {
    const credentials = await this.#reach.credentials()
    return new Agent({
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_CONNECTIONS,
      timeout: IDLE_MS,
      ...this.#tls,
      ...credentials,
    })
  }

  #ask(outgoing: Outgoing, address: Address, agent: Agent): Promise<IncomingMessage> {
    const { body, ...asked } = outgoing
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(this.#unreachable(error, address, outgoing.signal))
      let sent: ClientRequest
      try {
        sent = httpsRequest({ ...address, ...asked, agent, maxHeaderSize: MAX_HEADER_BYTES })
      } catch (error) {
        // Headers or a path that cannot be written.
        return fail(error)
      }
      sent.on('response', resolve)
      // The agent's bound on idle connections is none on answers.
      sent.setTimeout(0)
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed a kept connection just as it was taken: what is no more than a question is asked again.
        const isStale = sent.reusedSocket && !body && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '')
        if (isStale && !outgoing.signal.aborted) resolve(this.#ask(outgoing, address, agent))
        else fail(error)
      })
      if (!body) return void sent.end()
      body.pipe(sent)
      body.once('error', () => sent.destroy())
    })
  }

  #unreachable(error: unknown, address: Address, signal?: AbortSignal): Error {
    if (signal?.aborted && signal.reason instanceof Error) return signal.reason
    const cause = error instanceof Error ? error : new Error(String(error))
    return new Unreachable(this.#reach.fault(cause, { ...address, hostname: this.#hostname }))
  }
}
