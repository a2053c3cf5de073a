// The chain that every request walks, in execution order:
//   request info → authentication → impersonation → priority and fairness → authorization → handler → answer.
// Follows DefaultBuildHandlerChain in k8s.io/apiserver/pkg/server/config.go, read from the inside out.
import type { AuthnRequest } from '../authn/authenticator.ts'
import type { Impersonation } from '../authn/impersonation.ts'
import { wantedUser } from '../authn/wanteduser.ts'
import { requireAllowed, sanitized } from '../authz/forbidden.ts'
import { type Gate, isLongRunning } from '../fairness/gate.ts'
import type { Accept, Answer, ApiRequest, Body } from '../handlers/request.ts'
import type { Scope, Scopes } from '../handlers/scope.ts'
import type { AuthorizationAttributes, Authorizer, RequestInfo } from '../machinery/attributes.ts'
import { goQuote } from '../machinery/quote.ts'
import { StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Resource } from '../schema/resource.ts'
import { type AuditLog, beginAudit, type RequestAudit } from './audit.ts'
import { allottedMs, inTime } from './deadline.ts'
import { deprecationOf, route, scoped, type SpecialHandlers } from './dispatch.ts'
import type { Exchange, Headers } from './exchange.ts'
import type { ExtensionServer, Extensions } from './extensions.ts'
import { type Answerer, negotiate, negotiateError } from './negotiate.ts'
import { requestInfoOf } from './requestinfo.ts'
import { baseHeaders as baseHeadersOf, type ErrorLog, respond, respondError } from './respond.ts'
import { type Seat, seatOf, tooMany } from './seat.ts'
import { attributesOf } from './selectors.ts'

/** Bodies beyond this are refused with 413, as upstream's MaxRequestBodyBytes. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024

export interface Chain {
  readonly authenticator: { authenticate(request: AuthnRequest): UserInfo | Promise<UserInfo> }
  readonly impersonation: Impersonation
  readonly authorizer: Authorizer
  /** Who is worked on now, and who waits. */
  readonly gate: Gate
  readonly scopes: Scopes
  readonly special: SpecialHandlers
  /** The resource behind a path, among all that are served now; undefined: none. */
  findResource(info: RequestInfo): Resource | undefined
  /** Does anything serve this group and version? Others get a plain 404. */
  servesGroupVersion(info: RequestInfo): boolean
  /** Other servers that answer for some paths. */
  readonly extensions: Extensions
  /** Everything that is no resource. */
  nonResource(exchange: Exchange, user: UserInfo): void
  readonly log: ErrorLog
  /** Absent: nothing is audited. */
  readonly audit?: AuditLog | undefined
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
    audit: undefined,
  }
  try {
    await walkThrough(chain, walk)
  } catch (error) {
    walk.code = error instanceof StatusError ? error.code : 500
    refuse(chain, walk, error)
    walk.audit?.failed(error)
  }
  chain.observe?.(exchange, walk.info, walk.code, walk.startedAt)
}

/** One request's failure, whatever it is, must not end the others: the last resort is an answer without a body. */
function refuse(chain: Chain, { exchange, accept, warnings }: Walk, error: unknown): void {
  try {
    respondError(exchange, error, chain.log, { accept: accept ?? acceptOfError(exchange), warnings })
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
  audit: RequestAudit | undefined
}

async function walkThrough(chain: Chain, walk: Walk): Promise<void> {
  const { exchange } = walk
  const { path, query } = split(exchange.url)
  if (BAD_ESCAPE.test(path)) return exchange.answer((walk.code = 400), PLAIN_TEXT(), BAD_REQUEST)
  const info = requestInfoOf(exchange.method, path, query)
  const allotted = isLongRunning(info) ? 0 : allottedMs(query)
  const identified = chain.audit ? identifyAudited(chain, walk, info) : identify(chain, walk, info)
  const requester = identified instanceof Promise ? await identified : identified
  const wanted = wantedUser(exchange.rawHeaders)
  const user = wanted
    ? await chain.impersonation.impersonate(wanted, { ...info, user: requester })
    : requester
  if (wanted) walk.audit?.impersonated(user)
  const asked: Asked = { info, user, query, allottedMs: allotted }
  // What may go on for as long as it likes would hold its place for as long: only watches have a beginning that counts.
  if (allotted === 0 && info.verb !== 'watch') return proceed(chain, walk, asked, undefined)
  const onGone = (listener: () => void): void => exchange.onGone(listener)
  const entered = chain.gate.enter({ info, user, query, allottedMs: allotted, onGone })
  const pass = entered instanceof Promise ? await entered : entered
  exchange.flow = pass.mark
  if (pass.retryAfter > 0) {
    if (chain.findResource(info)) walk.info = info
    return finish(walk, tooMany(pass.retryAfter))
  }
  const seat = seatOf(chain.gate, pass, info, query)
  try {
    await proceed(chain, walk, asked, seat)
  } finally {
    seat.leave()
  }
}

/** What comes once a request may be worked on. */
async function proceed(chain: Chain, walk: Walk, asked: Asked, seat: Seat | undefined): Promise<void> {
  const { info, user, query, allottedMs } = asked
  const attributes = attributesOf(info, query, user)
  const undecided = await authorize(chain.authorizer, attributes, walk.audit)
  if (undecided !== undefined) return finish(walk, noDecision(chain, walk, undecided))
  const extension = chain.extensions.of(info.path)
  if (extension) {
    walk.info = info
    // Who answers has its own idea of how much a watch costs.
    if (info.verb === 'watch') seat?.leave()
    walk.code = await passOn(extension, walk, asked)
    return
  }
  if (!info.isResourceRequest)
    return chain.nonResource(walk.audit?.watched(walk.exchange) ?? walk.exchange, user)
  const handled = handle(chain, walk, asked)
  const left = allottedMs - (performance.now() - walk.startedAt)
  finish(walk, await (allottedMs === 0 ? handled : inTime(handled, left)), seat)
}

function finish(walk: Walk, given: Answer, seat?: Seat): void {
  const audited = walk.audit?.answered(given) ?? given
  const answer = seat?.hold?.(audited) ?? audited
  walk.code = answer.status
  // Pages for paths that nothing serves come before anybody looked at Accept.
  respond(walk.exchange, answer, walk.accept && { accept: walk.accept, warnings: walk.warnings })
}

/** Who sent the request. */
function identify(
  { authenticator }: Chain,
  { exchange, warnings }: Walk,
  info: RequestInfo,
  annotate?: (key: string, value: string) => void,
): UserInfo | Promise<UserInfo> {
  const { peer, headers, rawHeaders } = exchange
  if (peer.user) return peer.user
  return authenticator.authenticate({
    headers,
    rawHeaders,
    path: info.path,
    peerCertificate: peer.certificate,
    warn: (message) => void warnings.push(message),
    ...(annotate ? { annotate } : {}),
  })
}

/** The same where requests are audited: the event begins with the user. */
async function identifyAudited(chain: Chain, walk: Walk, info: RequestInfo): Promise<UserInfo> {
  const { exchange, startedAt } = walk
  const begin = (user?: UserInfo): RequestAudit | undefined =>
    chain.audit && beginAudit(chain.audit, { exchange, info, user, startedAt })
  const annotations = new Map<string, string>()
  let user: UserInfo
  try {
    user = await identify(chain, walk, info, (key, value) => void annotations.set(key, value))
  } catch (error) {
    begin()?.failed(error, 'ResponseStarted')
    throw error
  }
  const audit = begin(user)
  walk.audit = audit
  audit?.received()
  for (const [key, value] of annotations) audit?.annotate(key, value)
  return user
}

/** Throws a 403. Answers why no decision could be made; undefined: the request is allowed. */
async function authorize(
  authorizer: Authorizer,
  attributes: AuthorizationAttributes,
  audit: RequestAudit | undefined,
): Promise<string | undefined> {
  const pending = authorizer.authorize(attributes)
  const decided = pending instanceof Promise ? await pending : pending
  const isAllowed = decided.decision === 'allow'
  if (!isAllowed && decided.error !== undefined) {
    audit?.undecided()
    return decided.error
  }
  audit?.decided(isAllowed, decided.reason)
  requireAllowed(attributes, decided)
  return undefined
}

/** Upstream says why as it stands, and not as a Status. */
function noDecision({ log }: Chain, walk: Walk, why: string): Answer {
  const { method, url } = walk.exchange
  log.error({ method, path: url.split('?', 1)[0], why }, 'no authorizer could decide on a request')
  return {
    status: 500,
    contentType: 'text/plain; charset=utf-8',
    body: Buffer.from(`Internal Server Error: ${goQuote(sanitized(url))}: ${why}\n`),
    headers: { 'x-content-type-options': 'nosniff' },
  }
}

function passOn(
  extension: ExtensionServer,
  { exchange, audit }: Walk,
  { user, allottedMs }: Asked,
): Promise<number> {
  const baseHeaders = baseHeadersOf(exchange)
  const limit = allottedMs === 0 ? undefined : allottedMs
  return extension.serve({
    exchange: audit?.watched(exchange) ?? exchange,
    user,
    baseHeaders,
    allottedMs: limit,
  })
}

interface Asked {
  readonly info: RequestInfo
  readonly user: UserInfo
  readonly query: URLSearchParams
  /** 0: for as long as it likes. */
  readonly allottedMs: number
}

async function handle(chain: Chain, walk: Walk, { info, user, query }: Asked): Promise<Answer> {
  const { exchange } = walk
  if (info.path.startsWith('//') || !chain.servesGroupVersion(info)) return pageNotFound()
  const found = route(chain.findResource(info), info, exchange.method, chain.special)
  walk.info = info
  const { scope, info: scopedInfo } = scoped(chain.scopes, found, info)
  const accept = withPretty(negotiate(exchange.headers.accept, answererOf(scope, info)), query, exchange)
  walk.accept = accept
  const deprecated = scope.kind.custom?.warning ?? deprecationOf(found.resource)
  if (deprecated) walk.warnings.push(deprecated)
  let body: Promise<Body> | undefined
  const request: ApiRequest = {
    info: scopedInfo,
    user,
    query,
    userAgent: exchange.headers['user-agent'] ?? '',
    accept,
    body: () => (body ??= read(walk, scope, info.subresource)),
    warn: (message) => void walk.warnings.push(message),
    isOver: () => walk.code !== 0,
    ...(walk.audit ? { annotate: (key, value) => walk.audit?.annotate(key, value) } : {}),
  }
  return found.handler(scope, request)
}

const answererOf = ({ resource }: Scope, { verb }: RequestInfo): Answerer =>
  resource.custom ? 'custom' : verb === 'list' || verb === 'watch' ? 'list' : 'object'

/** For what is refused before anybody looked at Accept. */
function acceptOfError(exchange: Exchange): Accept {
  return withPretty(negotiateError(exchange.headers.accept), split(exchange.url).query, exchange)
}

function read({ exchange, audit }: Walk, scope: Scope, subresource: string): Promise<Body> {
  const body = readBody(exchange)
  audit?.reads(body, scope, subresource)
  return body
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
