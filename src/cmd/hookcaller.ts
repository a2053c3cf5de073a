// How webhooks are asked, whatever they are for: HTTP/1.1 on kept connections, answers bounded, redirects refused.
// Follows k8s.io/apiserver/pkg/util/webhook/client.go and k8s.io/client-go/rest.
import { Agent as PlainAgent, request as plain } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent, request as secure } from 'node:https'
import { HookFailure } from '../machinery/askagain.ts'
import { formatDuration } from '../machinery/duration.ts'
import type { JsonObject } from '../machinery/json.ts'
import { type HookCaller, type HookTarget, HookTargetError } from '../machinery/webhook.ts'
import { answerOf, MAX_ANSWER_BYTES, type Reply } from './hookanswer.ts'
import { connectionFault } from './gofaults.ts'
import type { Address, ServiceResolver } from './serviceresolver.ts'

/** Connections to one webhook that wait for the next question: as many as Go's transport keeps for a host of client-go's. */
const MAX_IDLE_CONNECTIONS = 25
/** A connection that was idle for longer may be dead without our knowing. */
const IDLE_MS = 90_000
/** As many as upstream keeps clients of. */
const MAX_AGENTS = 200

/** How one webhook that a kubeconfig names is reached: see webhookfile.ts. */
export interface HookClient {
  /** What it is shown. */
  readonly headers: Readonly<Record<string, string>>
  readonly tls: {
    readonly cert?: string
    readonly key?: string
    readonly ca?: string
    readonly servername?: string
    readonly rejectUnauthorized?: boolean
  }
}

/** Where the request goes. */
interface Destination {
  /** Without the query, as errors show it. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly hostname: string
  readonly path: string
  readonly isSecure: boolean
  readonly connectTo: () => Promise<Address>
}

export class HttpsHookCaller implements HookCaller {
  readonly #resolve: ServiceResolver
  readonly #client: HookClient | undefined
  readonly #agents = new Map<string, Agent>()
  readonly #plain = new PlainAgent({ keepAlive: true, maxFreeSockets: MAX_IDLE_CONNECTIONS })

  constructor(resolve: ServiceResolver, client?: HookClient) {
    this.#resolve = resolve
    this.#client = client
  }

  async call(target: HookTarget, body: Buffer, timeoutSeconds: number): Promise<JsonObject> {
    return answerOf(await this.post(target, body, timeoutSeconds))
  }

  /** As `call`, but resolves with any reply; a HookFailure says that nobody answered. */
  async post(target: HookTarget, body: Buffer, timeoutSeconds: number): Promise<Reply> {
    const destination = this.#destination(target)
    const agent = destination.isSecure ? this.#agent(destination, target.caBundle ?? '') : undefined
    const path = `${destination.path}?timeout=${goSeconds(timeoutSeconds)}`
    const deadline = performance.now() + timeoutSeconds * 1000
    try {
      const address = await destination.connectTo()
      const sent = { destination, agent, path, address, body, timeoutMs: deadline - performance.now() }
      return await this.#send(sent)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      // Go's client says by which of its bounds it gave up.
      const late = error.isLate && this.#client ? LATE : ''
      const why = `Post ${JSON.stringify(destination.url + path)}: ${error.message}${late}`
      throw new HookFailure(why, error.isReset)
    }
  }

  /** Ends what is idle. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#plain.destroy()
  }

  #destination({ url, service }: HookTarget): Destination {
    if (service) {
      const { namespace, name, path = '', port = 443 } = service
      const hostname = `${name}.${namespace}.svc`
      const host = `${hostname}:${port}`
      const connectTo = (): Promise<Address> =>
        this.#resolve(namespace, name, port).catch((error: Error) => {
          throw new TransportError(error.message)
        })
      return { url: `https://${host}`, host, port, hostname, path: cleaned(path), isSecure: true, connectTo }
    }
    if (!url) throw new HookTargetError('webhook configuration must have either service or URL')
    return byUrl(url)
  }

  #agent({ hostname, host }: Destination, caBundle: string): Agent {
    const key = `${host} ${caBundle}`
    let agent = this.#agents.get(key)
    if (agent) return agent
    const tls = this.#client?.tls ?? {}
    const own = caBundle === '' ? '' : pemOf(caBundle)
    const ca = [tls.ca ?? '', own].filter((pem) => pem !== '').join('\n')
    agent = new Agent({
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_CONNECTIONS,
      timeout: IDLE_MS,
      servername: tls.servername ?? (/^[\d.]+$|:/.test(hostname) ? '' : hostname),
      ...(tls.rejectUnauthorized === false ? { rejectUnauthorized: false } : {}),
      // A bundle may hold no root, as Go has it.
      ...(ca === '' ? {} : { ca, allowPartialTrustChain: true }),
      ...(tls.cert && tls.key ? { cert: tls.cert, key: tls.key } : {}),
    })
    if (this.#agents.size >= MAX_AGENTS) this.#forgetOldest()
    this.#agents.set(key, agent)
    return agent
  }

  #forgetOldest(): void {
    const [oldest] = this.#agents
    if (!oldest) return
    oldest[1].destroy()
    this.#agents.delete(oldest[0])
  }

  #send({ destination, agent, path, address, body, timeoutMs }: Sending): Promise<Reply> {
    const { hostname, host } = destination
    const options = {
      method: 'POST',
      path,
      host: address.host,
      port: address.port,
      agent: agent ?? this.#plain,
      headers: {
        host,
        accept: 'application/json, */*',
        'content-type': 'application/json',
        'user-agent': 'kube-apiserver-admission',
        'content-length': body.length,
        ...this.#client?.headers,
      },
    }
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(
          new TransportError(connectionFault(error, { ...address, hostname }), { isReset: isReset(error) }),
        )
      const sent = destination.isSecure ? secure(options) : plain(options)
      const timer = setTimeout(
        () => {
          reject(new TransportError('context deadline exceeded', { isLate: true }))
          sent.destroy()
        },
        Math.max(0, timeoutMs),
      )
      sent.on('close', () => clearTimeout(timer))
      sent.on('error', fail)
      sent.on('response', (response) => receive(response, resolve, reject))
      sent.end(body)
    })
  }
}

interface Sending {
  readonly destination: Destination
  readonly agent: Agent | undefined
  readonly path: string
  readonly address: Address
  readonly body: Buffer
  readonly timeoutMs: number
}

const NANOSECONDS = 1_000_000_000

const goSeconds = (seconds: number): string => formatDuration(BigInt(Math.round(seconds * NANOSECONDS)))

/** Nobody answered; said behind what was asked. */
class TransportError extends Error {
  readonly isLate: boolean
  /** The connection broke: another may hold. */
  readonly isReset: boolean
  constructor(message: string, { isLate = false, isReset = false } = {}) {
    super(message)
    this.isLate = isLate
    this.isReset = isReset
  }
}

const LATE = ' (Client.Timeout exceeded while awaiting headers)'

const isReset = ({ code, message }: NodeJS.ErrnoException): boolean =>
  (code === 'ECONNRESET' && message !== 'socket hang up') || code === 'ECONNABORTED' || code === 'EPIPE'

const CUT_SHORT = 'unexpected error when reading response body. Please retry. Original error: unexpected EOF'

function receive(
  response: IncomingMessage,
  resolve: (reply: Reply) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  response.on('error', () => reject(new Error(CUT_SHORT)))
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size <= MAX_ANSWER_BYTES) return
    reject(new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`))
    response.destroy()
  })
  response.on('end', () =>
    resolve({
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      retryAfter: response.headers['retry-after'],
      body: Buffer.concat(chunks),
    }),
  )
}

/** As Go's client has it: no empty steps, no slash at the end. */
const cleaned = (path: string): string =>
  `/${path
    .split('/')
    .filter((step) => step !== '')
    .join('/')}`

function byUrl(text: string): Destination {
  if (!URL.canParse(text))
    throw new HookTargetError(`Unparsable URL: parse ${JSON.stringify(text)}: invalid URL`)
  const { protocol, hostname: given, port: written, host, pathname } = new URL(text)
  const hostname = given.replace(/^\[|\]$/g, '')
  const isSecure = protocol === 'https:'
  const port = Number(written || (isSecure ? 443 : 80))
  const path = cleaned(pathname)
  const address = { host: hostname, port }
  // As it is written: a default port that was named is said.
  const named = /^[a-z]+:\/\/([^/?#]*)/i.exec(text)?.[1] ?? host
  const url = `${protocol}//${named}`
  return { url, host: named, port, hostname, path, isSecure, connectTo: () => Promise.resolve(address) }
}

const PEM = /-----BEGIN CERTIFICATE-----/

function pemOf(caBundle: string): string {
  const pem = Buffer.from(caBundle, 'base64').toString()
  if (PEM.test(pem)) return pem
  throw new HookTargetError('unable to load root certificates: unable to parse bytes as PEM block')
}
