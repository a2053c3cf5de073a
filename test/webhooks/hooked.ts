// An API server and a webhook server for tests, and requests in a namespace that webhooks are asked about.
import { Api } from '../../src/client/api.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { allow, type Behave, HookServer } from './hookserver.ts'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
export const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1'
export const NAMESPACE = 'hooked'
export const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`

export const map = (name: string): JsonObject => ({ metadata: { name }, data: { a: 'b' } })

export interface Answered {
  readonly code: number
  readonly warning: string | string[] | undefined
  readonly body: JsonObject
}

/** Not started yet; its functions may be taken off it. */
export class Hooked {
  hooks!: HookServer
  api!: Api
  #server!: ApiServer
  #loop!: ReturnType<ApiServer['loopback']>

  async start(): Promise<void> {
    this.#server = await startApiServer({ ...DEFAULTS, port: 0 })
    this.hooks = await HookServer.start(['127.0.0.1', 'hook.hooked.svc'])
    this.#loop = this.#server.loopback(ADMIN)
    this.api = new Api(this.#loop, 'test/1')
    await this.send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } })
    // No controller makes it here, and pods need it.
    await this.send('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, {
      metadata: { name: 'default' },
    })
  }

  async stop(): Promise<void> {
    await this.hooks.stop()
    await this.#server.stop()
  }

  /** Without webhooks again. */
  async reset(): Promise<void> {
    for (const kind of ['validating', 'mutating']) {
      await this.send('DELETE', `${CONFIGURATIONS}/${kind}webhookconfigurations/test`)
    }
    this.hooks.behave = allow()
  }

  readonly configure = async (kind: 'validating' | 'mutating', ...webhooks: JsonObject[]): Promise<void> => {
    const object = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: kind === 'validating' ? 'ValidatingWebhookConfiguration' : 'MutatingWebhookConfiguration',
      metadata: { name: 'test' },
      webhooks,
    }
    const { code, body } = await this.send('POST', `${CONFIGURATIONS}/${kind}webhookconfigurations`, object)
    if (code !== 201) throw new Error(JSON.stringify(body))
    this.hooks.reviews.length = 0
  }

  /** Creates a map that is not stored, while the webhook behaves like this. */
  readonly dryRun = (behave: Behave): Promise<Answered> => {
    this.hooks.behave = behave
    return this.send('POST', `${MAPS}?dryRun=All`, map('dry'))
  }

  /** The values that the store has below a prefix. */
  readonly stored = async (prefix: string): Promise<JsonObject[]> => {
    const list = await this.#server.storage.list({ prefix })
    return 'items' in list ? list.items.map(({ value }) => JSON.parse(value.toString()) as JsonObject) : []
  }

  /** The events of a watch, one by one. */
  async *watch(path: string): AsyncGenerator<JsonObject> {
    const response = await this.#loop.send({ method: 'GET', path, headers: {} })
    let rest = ''
    for await (const chunk of response.chunks()) {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line) as JsonObject
    }
  }

  readonly send = async (
    method: string,
    path: string,
    body?: JsonObject,
    type = 'application/json',
  ): Promise<Answered> => {
    const response = await this.#loop.send({
      method,
      path,
      headers: { 'content-type': type },
      ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
    })
    const text = (await response.body()).toString()
    return {
      code: response.status,
      warning: response.headers['warning'],
      body: JSON.parse(text) as JsonObject,
    }
  }
}
