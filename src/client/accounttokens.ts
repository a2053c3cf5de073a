// Requests as a service account, with tokens that are asked for when they are needed and renewed before their end.
// Follows k8s.io/controller-manager/pkg/clientbuilder (client_builder_dynamic.go).
import type { Api } from './api.ts'
import { isAlreadyExists, isNotFound } from './api.ts'
import type { Clock } from './clock.ts'
import { SERVICE_ACCOUNTS } from './resources.ts'
import type { ClientRequest, ClientResponse, Transport } from './transport.ts'

/** As upstream asks: an hour, renewed when a fifth of it is left. */
const LIFETIME_SECONDS = 3600
const RENEW_AT = 0.8

export interface AccountOptions {
  /** May make service accounts in the namespace, and tokens for them. */
  readonly api: Api
  /** The way to the server without anybody's credentials. */
  readonly transport: Transport
  readonly clock: Clock
  readonly namespace: string
  readonly name: string
}

/** The transport whose every request is the account's. The account is made where it is missing. */
export class AccountTransport implements Transport {
  readonly #options: AccountOptions
  #token: Promise<string> | undefined
  #renewAt = 0

  constructor(options: AccountOptions) {
    this.#options = options
  }

  async send(request: ClientRequest): Promise<ClientResponse> {
    const { transport } = this.#options
    const send = async (): Promise<ClientResponse> => {
      const headers = { ...request.headers, authorization: `Bearer ${await this.#current()}` }
      return transport.send({ ...request, headers })
    }
    const response = await send()
    if (response.status !== 401) return response
    // The account was made anew, or the server's keys were: the next token is good.
    await response.body()
    this.#token = undefined
    return send()
  }

  close(): void {
    this.#options.transport.close()
  }

  #current(): Promise<string> {
    const now = this.#options.clock.now()
    if (this.#token && now < this.#renewAt) return this.#token
    this.#renewAt = now + LIFETIME_SECONDS * 1000 * RENEW_AT
    const token = this.#ask()
    this.#token = token
    token.catch(() => {
      if (this.#token === token) this.#token = undefined
    })
    return token
  }

  async #ask(): Promise<string> {
    const { api, namespace, name } = this.#options
    const ask = async (): Promise<string> => {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: SPEC }
      const answer = await api.post(SERVICE_ACCOUNTS, { namespace, name, subresource: 'token' }, body)
      return (answer['status'] as { token: string }).token
    }
    try {
      return await ask()
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    await api.create(SERVICE_ACCOUNTS, { metadata: { namespace, name } }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
    return ask()
  }
}

const SPEC = { audiences: [], expirationSeconds: LIFETIME_SECONDS }
