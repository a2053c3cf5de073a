// The chain that every request walks, in execution order:
//   request info → authentication → impersonation → in-flight limit → authorization → handler → answer.
// Follows DefaultBuildHandlerChain in k8s.io/apiserver/pkg/server/config.go, read from the inside out.
import type { AuthnRequest } from '../authn/authenticator.ts'
import type { Impersonation } from '../authn/impersonation.ts'
import { wantedUser } from '../authn/wanteduser.ts'
import { requireAllowed } from '../authz/forbidden.ts'
import type { Accept, Answer, ApiRequest, Body } from '../handlers/request.ts'
import type { Scopes } from '../handlers/scope.ts'
import type { AuthorizationAttributes, Authorizer, RequestInfo } from '../machinery/attributes.ts'
import { StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Resource } from '../schema/resource.ts'
import { allottedMs, inTime } from './deadline.ts'
import { deprecationOf, route, scoped, type SpecialHandlers } from './dispatch.ts'
import type { Exchange, Headers } from './exchange.ts'
import type { InflightLimit } from './inflight.ts'
import { negotiate } from './negotiate.ts'
import { requestInfoOf } from './requestinfo.ts'
import { type ErrorLog, PLAIN, respond, respondError } from './respond.ts'

/** Bodies beyond this are refused with 413, as upstream's MaxRequestBodyBytes. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024

export interface Chain {
  readonly authenticator: { authenticate(request: AuthnRequest): UserInfo | Promise<UserInfo> }
  readonly impersonation: Impersonation
  readonly authorizer: Authorizer
  readonly inflight: InflightLimit
  readonly scopes: Scopes
  readonly special: SpecialHandlers
  /** The resource behind a path, among all that are served now; undefined: none. */
  findResource(info: RequestInfo): Resource | undefined
  /** Does anything serve this group and version? Others get a plain 404. */
  servesGroupVersion(info: RequestInfo): boolean
  /** Everything that is no resource. */
  nonResource(exchange: Exchange, user: UserInfo): void
  readonly log: ErrorLog
  /** Told when an answer is out, for metrics. */
  observe?(exchange: Exchange, info: RequestInfo | undefined, code: number, startedAt: number): void
}

const NO_QUERY = new URLSearchParams()
/** A URL that is none: refused before anybody reads it, in the words of Go's net/http. */
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/
const BAD_REQUEST = Buffer.from('400 Bad Request')
const PLAIN_TEXT = (): Headers => ({ 'content-type': 'text/plain; charset=utf-8' })

/** Serves one exchange to its end. Never rejects. */
export async function serve(chain: Chain, exchange: Exchange): Promise<void> {
  const walk: Walk = {
    exchange,
    startedAt: performance.now(),
    warnings: [],
    code: 0,
    accept: undefined,
    info: undefined,
  }
  try {
    await walkThrough(chain, walk)
  } catch (error) {
    walk.code = error instanceof StatusError ? error.code : 500
    refuse(chain, walk, error)
  }
  chain.observe?.(exchange, walk.info, walk.code, walk.startedAt)
}

/** One request's failure, whatever it is, must not end the others: the last resort is an answer without a body. */
function refuse(chain: Chain, { exchange, accept, warnings }: Walk, error: unknown): void {
  try {
    respondError(exchange, error, chain.log, { accept: accept ?? PLAIN, warnings })
  } catch (failure) {
    chain.log.error({ error: String(failure) }, 'could not answer with an error')
    exchange.answer(500, {})
  }
}

/** What is known of a request as it walks. */
interface Walk {
  readonly exchange: Exchange
  readonly startedAt: number
  readonly warnings: string[]
  code: number
  accept: Accept | undefined
  /** Once its place is known to be served: clients may make up any other. */
  info: RequestInfo | undefined
}

async function walkThrough(chain: Chain, walk: Walk): Promise<void> {
  const { exchange } = walk
  const { path, query } = split(exchange.url)
  if (BAD_ESCAPE.test(path)) return exchange.answer((walk.code = 400), PLAIN_TEXT(), BAD_REQUEST)
  const info = requestInfoOf(exchange.method, path, query)
  const longRunning = info.verb === 'watch' || info.verb === 'connect'
  const allotted = longRunning ? 0 : allottedMs(query)
  const warn = (message: string): void => void walk.warnings.push(message)
  const authenticated =
    exchange.peer.user ??
    chain.authenticator.authenticate({
      headers: exchange.headers,
      rawHeaders: exchange.rawHeaders,
      path,
      peerCertificate: exchange.peer.certificate,
      warn,
    })
  const requester = authenticated instanceof Promise ? await authenticated : authenticated
  const wanted = wantedUser(exchange.rawHeaders)
  const user = wanted
    ? await chain.impersonation.impersonate(wanted, { ...info, user: requester })
    : requester
  const leave = longRunning ? undefined : await chain.inflight.enter()
  try {
    await authorize(chain.authorizer, { ...info, user })
    if (!info.isResourceRequest) return chain.nonResource(exchange, user)
    const handled = handle(chain, walk, { info, user, query })
    const answer = await (longRunning ? handled : inTime(handled, allotted))
    walk.code = answer.status
    // Pages for paths that nothing serves come before anybody looked at Accept.
    respond(exchange, answer, walk.accept && { accept: walk.accept, warnings: walk.warnings })
  } finally {
    leave?.()
  }
}

async function authorize(authorizer: Authorizer, attributes: AuthorizationAttributes): Promise<void> {
  const pending = authorizer.authorize(attributes)
  requireAllowed(attributes, pending instanceof Promise ? await pending : pending)
}

interface Asked {
  readonly info: RequestInfo
  readonly user: UserInfo
  readonly query: URLSearchParams
}

async function handle(chain: Chain, walk: Walk, { info, user, query }: Asked): Promise<Answer> {
  const { exchange } = walk
  if (!chain.servesGroupVersion(info)) return pageNotFound()
  const found = route(chain.findResource(info), info, exchange.method, chain.special)
  walk.info = info
  const { scope, info: scopedInfo } = scoped(chain.scopes, found, info)
  const deprecated = deprecationOf(found.resource)
  if (deprecated) walk.warnings.push(deprecated)
  const accept = withPretty(negotiate(exchange.headers.accept), query, exchange)
  walk.accept = accept
  let body: Promise<Body> | undefined
  const request: ApiRequest = {
    info: scopedInfo,
    user,
    query,
    userAgent: exchange.headers['user-agent'] ?? '',
    accept,
    body: () => (body ??= readBody(exchange)),
    warn: (message) => void walk.warnings.push(message),
  }
  return found.handler(scope, request)
}

async function readBody(exchange: Exchange): Promise<Body> {
  const bytes = await exchange.body(MAX_BODY_BYTES)
  const header = exchange.headers['content-type'] ?? ''
  const semicolon = header.indexOf(';')
  const mediaType = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase()
  return { mediaType, bytes }
}

/** `?pretty=1`, or a person with curl, wget or a browser. */
function withPretty(accept: Accept, query: URLSearchParams, exchange: Exchange): Accept {
  if (accept.pretty || accept.encoding !== 'json') return accept
  const asked = query.size > 0 ? query.get('pretty') : null
  const pretty = asked
    ? /^(1|t|T|true|TRUE|True)$/.test(asked)
    : /^(curl|Wget|Mozilla\/5\.0)/.test(exchange.headers['user-agent'] ?? '')
  return pretty ? { ...accept, pretty } : accept
}

export const pageNotFound = (): Answer => ({
  status: 404,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from('404 page not found\n'),
  headers: { 'x-content-type-options': 'nosniff' },
})

function split(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?')
  if (mark < 0) return { path: url, query: NO_QUERY }
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}
