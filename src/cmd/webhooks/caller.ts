// How webhooks are asked, whatever they are for: HTTP/1.1 on kept connections, answers bounded, redirects followed.
// Follows k8s.io/apiserver/pkg/util/webhook/client.go and k8s.io/client-go/rest.
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls'
import { HookFailure } from '../../machinery/askagain.ts'
import { formatDuration } from '../../machinery/duration.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { type HookCaller, type HookTarget, HookTargetError } from '../../machinery/webhook.ts'
import { answerOf, type Reply } from './answer.ts'
import {
  byUrl,
  cleaned,
  type Destination,
  headOf,
  linesOf,
  redirected,
  RedirectError,
  type Step,
  urlOf,
} from './destination.ts'
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

/** A webhook as it is asked, worked out once for each that is configured. */
interface Route {
  readonly destination: Destination
  readonly client: HookClient
  readonly wires: Wires
  readonly trust: Trust
}

/** Whose certificates are taken, and for which name; undefined: the host's. */
interface Trust {
  readonly caBundle: string
  readonly servername: string | undefined
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
    const route = this.#route(target)
    const query = `timeout=${goSeconds(timeoutSeconds)}`
    const steps: Step[] = [{ method: 'POST', destination: route.destination, query, hasBody: true }]
    const deadline = performance.now() + timeoutSeconds * 1000
    for (;;) {
      const step = steps.at(-1) as Step
      try {
        const reply = await this.#ask(route, step, body, deadline)
        const next = redirected(steps, reply)
        if (!next) return reply
        steps.push(next)
      } catch (error) {
        throw failureOf(error, step, route.client)
      }
    }
  }

  async #ask(
    { destination, wires, client, trust }: Route,
    step: Step,
    body: Buffer,
    deadline: number,
  ): Promise<Reply> {
    const address = step.destination.connectTo()
    const resolved = address instanceof Promise ? await address : address
    const { isSecure, host } = step.destination
    const isThere = host === destination.host && isSecure === destination.isSecure
    // DEVIATION: who we are is shown to the webhook alone, and to nobody that it sends us on to.
    const who = isThere ? linesOf(client.headers()) : ''
    const head = Buffer.from(headOf(step, body.length, who), 'latin1')
    const request = step.hasBody ? Buffer.concat([head, body]) : head
    const through = isThere ? wires : this.#wiresTo(step.destination, client, trust)
    return await through.ask(resolved, request, Math.max(0, deadline - performance.now()))
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
    const trust = { caBundle: target.caBundle ?? '', servername: target.service && hostname }
    const route = { destination, client, wires: this.#wiresTo(destination, client, trust), trust }
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

  #wiresTo({ hostname: own, host, isSecure }: Destination, { tls }: HookClient, trust: Trust): Wires {
    const { caBundle, servername: hostname = own } = trust
    const key = `${isSecure} ${host} ${hostname} ${caBundle}`
    const known = this.#wires.get(key)
    if (known && !known.isClosed) return known
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

const NANOSECONDS = 1_000_000_000

const goSeconds = (seconds: number): string => formatDuration(BigInt(Math.round(seconds * NANOSECONDS)))

const LATE = ' (Client.Timeout exceeded while awaiting headers)'

/** What is said of a request that was not answered; other errors as they are. */
function failureOf(error: unknown, step: Step, { isBounded }: HookClient): unknown {
  const post = (url: string, why: string): string => `Post ${JSON.stringify(url)}: ${why}`
  if (error instanceof RedirectError) return new HookFailure(post(error.url, error.message), false)
  if (!(error instanceof TransportError)) return error
  const late = error.isLate && isBounded ? LATE : ''
  return new HookFailure(post(urlOf(step), error.message + late), error.isReset)
}

const PEM = /-----BEGIN CERTIFICATE-----/

function pemOf(caBundle: string): string {
  const pem = Buffer.from(caBundle, 'base64').toString()
  if (PEM.test(pem)) return pem
  throw new HookTargetError('unable to load root certificates: unable to parse bytes as PEM block')
}
