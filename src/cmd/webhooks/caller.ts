// How webhooks are asked, whatever they are for: HTTP/1.1 on kept connections, answers bounded, redirects refused.
// Follows k8s.io/apiserver/pkg/util/webhook/client.go and k8s.io/client-go/rest.
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls'
import { HookFailure } from '../../machinery/askagain.ts'
import { formatDuration } from '../../machinery/duration.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { type HookCaller, type HookTarget, HookTargetError } from '../../machinery/webhook.ts'
import { answerOf, type Reply } from './answer.ts'
import { TransportError, Wires } from './wire.ts'
import type { Address, ServiceResolver } from '../extension/serviceresolver.ts'

/** As many as upstream keeps clients of. */
const MAX_WIRES = 200

/** How a webhook is reached by who asks as a kubeconfig says: see webhookfile.ts. */
export interface HookClient {
  /** What it is shown, now: tokens in files change. */
  headers(): Readonly<Record<string, string>>
  /** Go's client has a bound of its own, and says so where that is what ends a question. */
  readonly isBounded?: boolean
  readonly tls: {
    readonly cert?: string
    readonly key?: string
    readonly ca?: string
    readonly servername?: string
    readonly rejectUnauthorized?: boolean
  }
}

/** Who asks the webhook at a host and port. Throws HookTargetError where that cannot be said. */
export type HookClients = (host: string) => HookClient

/** Nobody in particular. */
const ANONYMOUS: HookClient = { headers: () => ({}), tls: {} }

/** Where the request goes. */
interface Destination {
  /** Without the query, as errors show it. */
  readonly url: string
  readonly host: string
  readonly hostname: string
  readonly path: string
  readonly isSecure: boolean
  readonly connectTo: () => Address | Promise<Address>
}

/** A webhook as it is asked, worked out once for each that is configured. */
interface Route {
  readonly destination: Destination
  readonly client: HookClient
  readonly wires: Wires
  /** What stands before and after the length of the body. */
  readonly head: (timeout: string, length: number) => string
}

export class HttpsHookCaller implements HookCaller {
  readonly #resolve: ServiceResolver
  readonly #clientOf: HookClients
  readonly #wires = new Map<string, Wires>()
  readonly #routes = new WeakMap<HookTarget, Route>()

  constructor(resolve: ServiceResolver, clientOf: HookClients = () => ANONYMOUS) {
    this.#resolve = resolve
    this.#clientOf = clientOf
  }

  async call(target: HookTarget, body: Buffer, timeoutSeconds: number): Promise<JsonObject> {
    return await answerOf(await this.post(target, body, timeoutSeconds))
  }

  /** As `call`, but resolves with any reply; a HookFailure says that nobody answered. */
  async post(target: HookTarget, body: Buffer, timeoutSeconds: number): Promise<Reply> {
    const { destination, client, wires, head } = this.#route(target)
    const timeout = goSeconds(timeoutSeconds)
    const request = Buffer.concat([Buffer.from(head(timeout, body.length), 'latin1'), body])
    const timeoutMs = timeoutSeconds * 1000
    try {
      const address = destination.connectTo()
      if (!(address instanceof Promise)) return await wires.ask(address, request, timeoutMs)
      const deadline = performance.now() + timeoutMs
      const resolved = await address
      return await wires.ask(resolved, request, Math.max(0, deadline - performance.now()))
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      const late = error.isLate && client.isBounded ? LATE : ''
      const asked = `${destination.url}${destination.path}?timeout=${timeout}`
      const why = `Post ${JSON.stringify(asked)}: ${error.message}${late}`
      throw new HookFailure(why, error.isReset)
    }
  }

  /** Ends what is idle. */
  close(): void {
    for (const wires of this.#wires.values()) wires.close()
  }

  #route(target: HookTarget): Route {
    const known = this.#routes.get(target)
    if (known && !known.wires.isClosed) return known
    const destination = this.#destination(target)
    const { host, hostname } = destination
    const client = this.#clientOf(host === hostname || host.endsWith(']') ? `${host}:443` : host)
    const wires = this.#wiresTo(destination, client, target.caBundle ?? '')
    const route = { destination, client, wires, head: headOf(destination, client) }
    this.#routes.set(target, route)
    return route
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
      return { url: `https://${host}`, host, hostname, path: cleaned(path), isSecure: true, connectTo }
    }
    if (!url) throw new HookTargetError('webhook configuration must have either service or URL')
    return byUrl(url)
  }

  #wiresTo({ hostname, host, isSecure }: Destination, { tls }: HookClient, caBundle: string): Wires {
    const key = `${isSecure} ${host} ${caBundle}`
    const known = this.#wires.get(key)
    if (known) return known
    const wires = new Wires({ hostname, tls: isSecure ? tlsOf(tls, hostname, caBundle) : undefined })
    if (this.#wires.size >= MAX_WIRES) this.#forgetOldest()
    this.#wires.set(key, wires)
    return wires
  }

  #forgetOldest(): void {
    const [oldest] = this.#wires
    if (!oldest) return
    oldest[1].close()
    this.#wires.delete(oldest[0])
  }
}

function tlsOf(tls: HookClient['tls'], hostname: string, caBundle: string): ConnectionOptions {
  const own = caBundle === '' ? '' : pemOf(caBundle)
  const ca = [tls.ca ?? '', own].filter((pem) => pem !== '').join('\n')
  return {
    ALPNProtocols: ['http/1.1'],
    servername: tls.servername ?? (/^[\d.]+$|:/.test(hostname) ? '' : hostname),
    ...(tls.rejectUnauthorized === false ? { rejectUnauthorized: false } : {}),
    secureContext: contextOf({
      // A bundle may hold no root, as Go has it.
      ...(ca === '' ? {} : { ca, allowPartialTrustChain: true }),
      ...(tls.cert && tls.key ? { cert: tls.cert, key: tls.key } : {}),
    }),
  }
}

function contextOf(options: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(options)
  } catch (error) {
    throw new HookTargetError(`unable to load root certificates: ${(error as Error).message}`)
  }
}

/** Bytes that would end a line of the head. */
const UNPRINTABLE = /[^\x20-\x7e]/

/** What a path has in percents. */
const UNWRITTEN = /[^\x21-\x7e]|[?#]/gu

function headOf({ host, path }: Destination, client: HookClient): Route['head'] {
  const target = path.replace(UNWRITTEN, encodeURIComponent)
  const fixed = linesOf({
    Host: host,
    'User-Agent': 'kube-apiserver-admission',
    Accept: 'application/json, */*',
    'Content-Type': 'application/json',
  })
  return (timeout, length) => {
    const lines = `${fixed}${linesOf(client.headers())}Content-Length: ${length}\r\n`
    return `POST ${target}?timeout=${timeout} HTTP/1.1\r\n${lines}\r\n`
  }
}

function linesOf(fields: Readonly<Record<string, string>>): string {
  const entries = Object.entries(fields)
  if (entries.some(([name, value]) => UNPRINTABLE.test(name + value))) {
    throw new HookTargetError('net/http: invalid header field value')
  }
  return entries.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

const NANOSECONDS = 1_000_000_000

const goSeconds = (seconds: number): string => formatDuration(BigInt(Math.round(seconds * NANOSECONDS)))

const LATE = ' (Client.Timeout exceeded while awaiting headers)'

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
  return { url, host: named, hostname, path, isSecure, connectTo: () => address }
}

const PEM = /-----BEGIN CERTIFICATE-----/

function pemOf(caBundle: string): string {
  const pem = Buffer.from(caBundle, 'base64').toString()
  if (PEM.test(pem)) return pem
  throw new HookTargetError('unable to load root certificates: unable to parse bytes as PEM block')
}
