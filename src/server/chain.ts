// The chain that every request walks, in execution order:
//   request info → authentication → impersonation → priority and fairness → authorization → handler → answer.
// Follows DefaultBuildHandlerChain in k8s.io/apiserver/pkg/server/config.go, read from the inside out.
import type { Impersonation } from '../authn/impersonation.ts'
import { wantedUser } from '../authn/wanteduser.ts'
import { type Gate, isLongRunning } from '../fairness/gate.ts'
import type { Accept, Answer, ApiRequest, Body } from '../handlers/request.ts'
import type { Scope, Scopes } from '../handlers/scope.ts'
import type { AuthorizationAttributes, RequestInfo } from '../machinery/attributes.ts'
import { StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { Resource } from '../schema/resource.ts'
import { allottedMs, inTime } from './deadline.ts'
import { deprecationOf, route, scoped, type SpecialHandlers } from './dispatch.ts'
import type { Exchange, Headers } from './exchange.ts'
import type { ExtensionServer, Extensions } from './extensions.ts'
import { type Answerer, negotiate, negotiateError } from './negotiate.ts'
import { requestInfoOf } from './requestinfo.ts'
import { baseHeaders as baseHeadersOf, respond, respondError } from './respond.ts'
import type { RequestMetrics } from './requestmetrics.ts'
import { type Seat, seatOf, tooMany } from './seat.ts'
import { attributesOf } from './selectors.ts'
import { auditStranger, authorize, type Doorkeepers, identify, noDecision, type Walk } from './walk.ts'
import { WriteTurns } from './writeturns.ts'

/** Bodies beyond this are refused with 413, as upstream's MaxRequestBodyBytes. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024

export interface Chain extends Doorkeepers {
  readonly impersonation: Impersonation
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
}

const TIMED_OUT = 504
/** The event loop is one, whatever servers run on it. */
const writeTurns = new WriteTurns()

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
    query: NO_QUERY,
    audit: undefined,
    waitedMs: 0,
    answerBytes: undefined,
    sized: undefined,
    isCounted: false,
    isStream: false,
  }
  try {
    await walkThrough(chain, walk)
  } catch (error) {
    walk.code = error instanceof StatusError ? error.code : 500
    refuse(chain, walk, error)
    walk.audit?.failed(error)
  }
  const { info } = walk
  if (!info) return
  if (!walk.isStream) return observe(chain, walk, info)
  const ended = info.verb === 'watch' ? chain.metrics.runs(info) : undefined
  exchange.onGone(() => {
    ended?.()
    observe(chain, walk, info)
  })
}

/** The answer is out: of a stream, the last of it. */
function observe({ metrics }: Chain, walk: Walk, info: RequestInfo): void {
  const { code, query, waitedMs, answerBytes, startedAt, exchange } = walk
  if (!info.isResourceRequest || code === 0) return
  walk.isCounted = true
  const contentType = exchange.headers['content-type']
  const tookMs = performance.now() - startedAt
  metrics.observe({ info, code, tookMs, waitedMs, answerBytes, query, contentType })
  if (code === TIMED_OUT) metrics.terminated(info, code)
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

async function walkThrough(chain: Chain, walk: Walk): Promise<void> {
  const { exchange } = walk
  const { metrics } = chain
  const { path, query } = split(exchange.url)
  walk.query = query
  if (BAD_ESCAPE.test(path)) return exchange.answer((walk.code = 400), PLAIN_TEXT(), BAD_REQUEST)
  const info = requestInfoOf(exchange.method, path, query)
  const allotted = timeFor(chain, walk, info)
  const identified = identify(chain, walk, info)
  const requester = identified instanceof Promise ? await identified : identified
  const identifiedAt = performance.now()
  const wanted = wantedUser(exchange.rawHeaders)
  const user = wanted ? await impersonate(chain, walk, wanted, { ...info, user: requester }) : requester
  const arrivedAt = performance.now()
  metrics.filtered('constrainedimpersonation', arrivedAt - identifiedAt)
  const asked: Asked = { info, user, query, allottedMs: allotted }
  // What may go on for as long as it likes would hold its place for as long: only watches have a beginning that counts.
  if (allotted === 0 && info.verb !== 'watch') return proceed(chain, walk, asked, undefined)
  const onGone = (listener: () => void): void => exchange.onGone(listener)
  const entered = chain.gate.enter({ info, user, query, allottedMs: allotted, onGone })
  const pass = entered instanceof Promise ? await entered : entered
  exchange.flow = pass.mark
  const waitedMs = performance.now() - arrivedAt
  metrics.filtered('priorityandfairness', waitedMs)
  walk.waitedMs = waitedMs
  if (pass.retryAfter > 0) return sendAway(chain, walk, info, pass.retryAfter)
  const seat = seatOf(chain.gate, pass, info, query)
  try {
    await proceed(chain, walk, asked, seat)
  } finally {
    seat.leave()
  }
}

/** How long it may take, in ms; 0: as long as it likes. Throws 400. */
function timeFor(chain: Chain, walk: Walk, info: RequestInfo): number {
  if (isLongRunning(info)) return 0
  try {
    return allottedMs(walk.query)
  } catch (error) {
    auditStranger(chain, walk, info, error)
    throw error
  }
}

async function impersonate(
  { impersonation }: Chain,
  walk: Walk,
  wanted: UserInfo,
  attributes: AuthorizationAttributes,
): Promise<UserInfo> {
  let constraint: string | undefined
  const user = await impersonation.impersonate(wanted, attributes, (verb) => (constraint = verb))
  walk.audit?.impersonated(user, constraint)
  return user
}

/**
 * Told apart from the requests that were worked on: how long it took says nothing. Nor is it counted by places that
 * nothing serves: there are as many as clients can think of.
 */
function sendAway(chain: Chain, walk: Walk, info: RequestInfo, seconds: number): void {
  finish(walk, tooMany(seconds))
  if (info.isResourceRequest && !isPlace(chain, info)) return
  const { metrics } = chain
  metrics.terminated(info, walk.code)
  if (info.isResourceRequest) metrics.dropped(info, walk.query, walk.exchange.headers['content-type'])
}

function isPlace({ findResource }: Chain, info: RequestInfo): boolean {
  const resource = findResource(info)
  return (
    !!resource &&
    (info.subresource === '' || resource.subresources.some(({ name }) => name === info.subresource))
  )
}

/** What comes once a request may be worked on. */
async function proceed(chain: Chain, walk: Walk, asked: Asked, seat: Seat | undefined): Promise<void> {
  const { info, user, query, allottedMs } = asked
  const attributes = attributesOf(info, query, user)
  const undecided = await authorize(chain, attributes, walk.audit)
  if (undecided !== undefined) return finish(walk, noDecision(chain, walk, undecided))
  const extension = chain.extensions.of(info.path)
  if (extension) {
    // Which resources it has is its own affair: clients may ask for any.
    walk.info = { ...info, resource: '', subresource: '' }
    // Who answers has its own idea of how much a watch costs.
    if (info.verb === 'watch') seat?.leave()
    walk.code = await passOn(extension, walk, asked)
    return
  }
  if (!info.isResourceRequest) {
    chain.nonResource(walk.audit?.watched(walk.exchange) ?? walk.exchange, user)
    if (seat) await inTime(gone(walk.exchange), allottedMs - (performance.now() - walk.startedAt))
    return
  }
  const handled = handle(chain, walk, asked)
  const left = allottedMs - (performance.now() - walk.startedAt)
  finish(walk, await (allottedMs === 0 ? handled : inTime(handled, left)), seat)
}

const gone = (exchange: Exchange): Promise<void> => new Promise((resolve) => exchange.onGone(resolve))

function finish(walk: Walk, given: Answer, seat?: Seat): void {
  const audited = walk.audit?.answered(given) ?? given
  const answer = seat?.hold?.(audited) ?? audited
  walk.code = answer.status
  walk.isStream = 'stream' in answer
  // Pages for paths that nothing serves come before anybody looked at Accept.
  respond(
    walk.exchange,
    answer,
    walk.accept && { accept: walk.accept, warnings: walk.warnings, sized: walk.sized },
  )
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
  if (info.verb === 'get' || info.verb === 'list') walk.sized = sizedBy(chain.metrics, walk, info)
  const deprecated = scope.kind.custom?.warning ?? deprecationOf(found.resource)
  if (deprecated) {
    walk.warnings.push(deprecated)
    chain.metrics.usesDeprecated(info)
    walk.audit?.annotate('k8s.io/deprecated', 'true')
  }
  let body: Promise<Body> | undefined
  const request: ApiRequest = {
    info: scopedInfo,
    user,
    query,
    userAgent: exchange.headers['user-agent'] ?? '',
    accept,
    body: () => (body ??= read(chain.metrics, walk, scope, info)),
    warn: (message) => void walk.warnings.push(message),
    isOver: () => walk.code !== 0,
    waited: (ms) => void (walk.waitedMs += ms),
    ...(walk.audit ? { annotate: (key, value) => walk.audit?.annotate(key, value) } : {}),
  }
  return found.handler(scope, request)
}

/** Answers in pieces end when the request has been counted. */
const sizedBy =
  (metrics: RequestMetrics, walk: Walk, info: RequestInfo) =>
  (bytes: number): void => {
    if (walk.isCounted) metrics.answered(info, walk.query, bytes)
    else walk.answerBytes = bytes
  }

const answererOf = ({ resource }: Scope, { verb }: RequestInfo): Answerer =>
  resource.custom ? 'custom' : verb === 'list' || verb === 'watch' ? 'list' : 'object'

/** For what is refused before anybody looked at Accept. */
function acceptOfError(exchange: Exchange): Accept {
  return withPretty(negotiateError(exchange.headers.accept), split(exchange.url).query, exchange)
}

function read(
  metrics: RequestMetrics,
  { exchange, audit }: Walk,
  scope: Scope,
  info: RequestInfo,
): Promise<Body> {
  const body = readBody(exchange, (bytes) => metrics.received(info, bytes))
  audit?.reads(body, scope, info.subresource)
  return body
}

async function readBody(exchange: Exchange, received: (bytes: number) => void): Promise<Body> {
  const bytes = await exchange.body(MAX_BODY_BYTES)
  received(bytes.length)
  const later = writeTurns.take()
  if (later) await later
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
