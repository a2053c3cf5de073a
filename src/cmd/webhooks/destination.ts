// Where a webhook is, the head of a request to it, and where it sends its clients on to.
// Follows k8s.io/apiserver/pkg/util/webhook/client.go, and the redirects of Go's net/http.
import { parseGoUrl } from '../../machinery/gourl.ts'
import { goQuote } from '../../machinery/quote.ts'
import { HookTargetError } from '../../machinery/webhook.ts'
import type { Address } from '../extension/serviceresolver.ts'
import type { Reply } from './answer.ts'

/** Where a request goes. */
export interface Destination {
  /** Scheme and host, as errors show them. */
  readonly url: string
  readonly host: string
  readonly hostname: string
  readonly path: string
  readonly isSecure: boolean
  readonly connectTo: () => Address | Promise<Address>
}

/** One of the requests that a question takes. */
export interface Step {
  readonly method: 'POST' | 'GET'
  readonly destination: Destination
  readonly query: string
  /** Whether the question itself goes along. */
  readonly hasBody: boolean
  readonly referer?: string
}

export const urlOf = ({ destination: { url, path }, query }: Step): string =>
  `${url}${path}${query === '' ? '' : `?${query}`}`

/** Bytes that would end a line of the head. */
const UNPRINTABLE = /[^\x20-\x7e]/

/** What a path has in percents. */
const UNWRITTEN = /[^\x21-\x7e]|[?#]/gu

/** The lines before the body, of `length` bytes. */
export function headOf(
  { method, destination, query, hasBody, referer }: Step,
  length: number,
  more: string,
): string {
  const target = destination.path.replace(UNWRITTEN, encodeURIComponent)
  const lines = linesOf({
    Host: destination.host,
    'User-Agent': 'kube-apiserver-admission',
    Accept: 'application/json, */*',
    ...(hasBody ? { 'Content-Type': 'application/json', 'Content-Length': String(length) } : {}),
    ...(referer === undefined ? {} : { Referer: referer }),
  })
  return `${method} ${target}${query === '' ? '' : `?${query}`} HTTP/1.1\r\n${lines}${more}\r\n`
}

export function linesOf(fields: Readonly<Record<string, string>>): string {
  const entries = Object.entries(fields)
  if (entries.some(([name, value]) => UNPRINTABLE.test(name + value))) {
    throw new HookTargetError('net/http: invalid header field value')
  }
  return entries.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

/** As Go's client has it: no empty steps, no slash at the end. */
export const cleaned = (path: string): string =>
  `/${path
    .split('/')
    .filter((step) => step !== '')
    .join('/')}`

/** The address of a webhook's configuration. Throws HookTargetError. */
export function byUrl(text: string): Destination {
  if (!URL.canParse(text))
    throw new HookTargetError(`Unparsable URL: parse ${JSON.stringify(text)}: invalid URL`)
  const { path, ...destination } = destinationOf(new URL(text), text)
  return { ...destination, path: cleaned(path) }
}

function destinationOf(
  { protocol, hostname: given, port: written, host, pathname }: URL,
  text: string,
): Destination {
  const hostname = given.replace(/^\[|\]$/g, '')
  const isSecure = protocol === 'https:'
  const port = Number(written || (isSecure ? 443 : 80))
  const address = { host: hostname, port }
  // As it is written: a default port that was named is said.
  const named = /^[a-z]+:\/\/([^/?#]*)/i.exec(text)?.[1] ?? host
  const url = `${protocol}//${named}`
  return { url, host: named, hostname, path: pathname, isSecure, connectTo: () => address }
}

/** As often as Go's client goes on. */
const MAX_REDIRECTS = 10
const AS_GET = [301, 302, 303]
const AS_IT_WAS = [307, 308]

/** A redirect that cannot be followed; the question is told of by the address it has. */
export class RedirectError extends Error {
  readonly url: string
  constructor(url: string, message: string) {
    super(message)
    this.url = url
  }
}

/** The next request, where the reply to the last of them leads on. Throws RedirectError. */
export function redirected(steps: readonly Step[], { status, location }: Reply): Step | undefined {
  const last = steps.at(-1) as Step
  const isGet = AS_GET.includes(status)
  if ((!isGet && !AS_IT_WAS.includes(status)) || !location) return undefined
  const from = urlOf(last)
  const to = resolved(from, location)
  if (steps.length >= MAX_REDIRECTS)
    throw new RedirectError(location, `stopped after ${MAX_REDIRECTS} redirects`)
  if (to.protocol !== 'https:' && to.protocol !== 'http:')
    throw new RedirectError(to.href, `unsupported protocol scheme ${goQuote(to.protocol.slice(0, -1))}`)
  const isLessSafe = last.destination.isSecure && to.protocol === 'http:'
  return {
    method: isGet ? 'GET' : last.method,
    destination:
      to.host === last.destination.host
        ? { ...last.destination, path: to.pathname }
        : destinationOf(to, to.href),
    query: to.search.slice(1),
    hasBody: last.hasBody && !isGet,
    ...(isLessSafe ? {} : { referer: from }),
  }
}

function resolved(from: string, location: string): URL {
  try {
    parseGoUrl(location)
  } catch (error) {
    const why = `failed to parse Location header ${goQuote(location)}: ${(error as Error).message}`
    throw new RedirectError(from, why)
  }
  const to = URL.parse(location, from)
  if (!to) throw new RedirectError(location, 'http: no Host in request URL')
  return to
}
