// One request passed on to an extension server, and its answer passed back, both as they flow.
// Follows k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go and k8s.io/apimachinery/pkg/util/proxy.
import type { IncomingMessage } from 'node:http'
import type { ByteSink } from '../handlers/request.ts'
import { timedOut } from '../machinery/status.ts'
import type { Exchange } from '../server/exchange.ts'
import { answered, identityHeaders, passedOn, type ProxyHeaders } from './headers.ts'
import type { Proxied } from '../server/extensions.ts'
import { say } from './say.ts'
import {
  type Address,
  type Asked,
  type OutgoingHeaders,
  type ServiceTransport,
  Unreachable,
  Unresolved,
} from './transport.ts'
import { passUpgradeOn } from './upgrade.ts'

export interface Destination {
  readonly transport: ServiceTransport
  readonly proxies: ProxyHeaders
}

/** Requests for a list of resources must be quick: every client begins with them. */
const DISCOVERY_MS = 5000
const DISCOVERY_PATH = /^\/+apis\/+[^/]+\/+[^/]+\/*$/
const NO_REDIRECTS = 'the backend attempted to redirect this request, which is not permitted'
const UNAVAILABLE = 'service unavailable'

/**
 * Resolves with the status of the answer when it is out, or has begun where it goes on without end. Rejects with a
 * StatusError, 504, where the server is not done in the time that the request has.
 */
export async function passOn(request: Proxied, { transport, proxies }: Destination): Promise<number> {
  const { exchange } = request
  if (transport.fault !== undefined) return say(request, 500, transport.fault)
  let address: Address
  try {
    address = await transport.address()
  } catch (error) {
    if (error instanceof Unresolved) return say(request, 503, UNAVAILABLE)
    throw error
  }
  const target = targetOf(exchange.url, address)
  const headers = { ...passedOn(exchange.rawHeaders, proxies), ...forwardedBy(request, target) }
  const asked = { method: exchange.method, path: target.path, headers }
  if (exchange.takeOver) return passUpgradeOn(request, { transport, address, asked })
  return new Passage(request).pass(transport, address, asked)
}

class Passage {
  readonly #request: Proxied
  readonly #node: ReturnType<Exchange['node']> | undefined
  readonly #ended = new AbortController()
  #sink: ByteSink | undefined
  #isOver = false

  constructor(request: Proxied) {
    const { exchange } = request
    this.#request = request
    this.#node = exchange.onEnd && !hasBody(exchange) ? undefined : exchange.node()
    const gone = (): void => {
      if (!this.#isOver) this.#ended.abort(new Unreachable('context canceled'))
    }
    if (exchange.onEnd) exchange.onEnd(gone)
    else this.#node?.response.once('close', gone)
  }

  async pass(transport: ServiceTransport, address: Address, asked: Asked): Promise<number> {
    const { exchange, allottedMs } = this.#request
    const discoveryMs = DISCOVERY_PATH.test(exchange.url.split('?', 1)[0] ?? '') ? DISCOVERY_MS : undefined
    const timers = [
      this.#after(discoveryMs, () => new Unreachable('context deadline exceeded')),
      this.#after(allottedMs, () => timedOut('request did not complete within the allotted timeout')),
    ]
    try {
      const body = hasBody(exchange) ? this.#node?.request : undefined
      if (!body) delete asked.headers['content-length']
      const response = await transport.send({ ...asked, body, signal: this.#ended.signal }, address)
      return await this.#answer(response)
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      return say(this.#request, 503, `error trying to reach service: ${error.message}`)
    } finally {
      for (const timer of timers) clearTimeout(timer)
    }
  }

  #after(ms: number | undefined, reason: () => Error): NodeJS.Timeout | undefined {
    if (ms === undefined) return undefined
    return setTimeout(() => {
      this.#ended.abort(reason())
      this.#sink?.abort()
    }, ms)
  }

  async #answer(response: IncomingMessage): Promise<number> {
    const { exchange, baseHeaders, allottedMs } = this.#request
    const { statusCode: status = 502 } = response
    if (exchange.answered) {
      response.destroy()
      return status
    }
    if (status >= 300 && status <= 399 && response.headers.location) {
      response.destroy()
      const length = { 'content-length': String(Buffer.byteLength(NO_REDIRECTS)) }
      exchange.answer(502, { ...baseHeaders, ...length }, Buffer.from(NO_REDIRECTS))
      return 502
    }
    const sink = exchange.stream(status, { ...baseHeaders, ...answered(response.headers) })
    this.#sink = sink
    const done = passBody(response, sink).then(() => {
      this.#isOver = response.complete
    })
    if (allottedMs !== undefined) await done
    return status
  }
}

/** Passes bytes on as fast as they are taken; either side's end is the other's. */
export function passBody(response: IncomingMessage, sink: ByteSink): Promise<void> {
  return new Promise((resolve) => {
    sink.onClose(() => {
      if (!response.complete) response.destroy()
      resolve()
    })
    response.on('data', (chunk: Buffer) => {
      sink.write(chunk)
      const drained = sink.drained()
      if (!drained) return
      response.pause()
      drained.then(
        () => response.resume(),
        () => response.destroy(),
      )
    })
    response.on('end', () => (response.complete ? sink.end() : sink.abort()))
    response.on('error', () => sink.abort())
    response.on('close', () => {
      if (!response.complete) sink.abort()
    })
  })
}

interface Target {
  /** Path and query. */
  readonly path: string
  readonly host: string
}

function targetOf(url: string, { host, port }: Address): Target {
  const mark = url.indexOf('?')
  const path = (mark < 0 ? url : url.slice(0, mark)).replace(
    /[^\x21-\x7e]/g,
    (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  query.sort()
  const text = query.toString()
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return { path: text === '' ? path : `${path}?${text}`, host: where }
}

/** What we say of the request ourselves. */
function forwardedBy({ exchange, user, baseHeaders }: Proxied, { path, host }: Target): OutgoingHeaders {
  const before = exchange.headers['x-forwarded-for']
  const address = exchange.peer.address.replace(/^::ffff:(?=\d+\.)/, '')
  return {
    ...identityHeaders(user),
    'audit-id': String(baseHeaders['audit-id']),
    'x-forwarded-for': [before, address].flat().filter(Boolean).join(', '),
    'x-forwarded-host': host,
    'x-forwarded-proto': 'https',
    'x-forwarded-uri': path.split('?', 1)[0] ?? '',
  }
}

const hasBody = ({ method, headers, onEnd }: Exchange): boolean => {
  if (method === 'GET' || method === 'HEAD') return false
  // Over HTTP/2, and within the process, a body needs no announcement.
  if (onEnd || headers[':method'] !== undefined) return true
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}
