// What is known of a request on its way through the chain (chain.ts), and its first and third stage: who asks, and may they.
// Follows WithAuthentication and WithAuthorization in k8s.io/apiserver/pkg/endpoints/filters.
import { type AuthnRequest, refusalOf } from '../authn/authenticator.ts'
import { requireAllowed, sanitized } from '../authz/forbidden.ts'
import type { Accept, Answer } from '../handlers/request.ts'
import type { AuthorizationAttributes, Authorizer, Decision, RequestInfo } from '../machinery/attributes.ts'
import { goQuote } from '../machinery/quote.ts'
import type { UserInfo } from '../machinery/user.ts'
import { type AuditLog, beginAudit, type RequestAudit } from './audit.ts'
import type { Exchange } from './exchange.ts'
import type { RequestMetrics } from './requestmetrics.ts'
import type { ErrorLog } from './respond.ts'

/** What is known of a request as it walks. */
export interface Walk {
  readonly exchange: Exchange
  readonly startedAt: number
  readonly warnings: string[]
  code: number
  accept: Accept | undefined
  /** Once its place is known to be served: clients may make up any other. */
  info: RequestInfo | undefined
  query: URLSearchParams
  audit: RequestAudit | undefined
  /** Of the time that it took: for its turn, and for webhooks. */
  waitedMs: number
  answerBytes: number | undefined
  /** Told how long the answer to a read is: at once, or when the last of it is out. */
  sized: ((bytes: number) => void) | undefined
  /** It has been counted. */
  isCounted: boolean
  /** Its answer goes on. */
  isStream: boolean
}

/** Who looks at requests before their handlers do. */
export interface Doorkeepers {
  readonly authenticator: { authenticate(request: AuthnRequest): UserInfo | Promise<UserInfo> }
  readonly authorizer: Authorizer
  readonly metrics: RequestMetrics
  readonly log: ErrorLog
  /** Absent: nothing is audited. */
  readonly audit?: AuditLog | undefined
}

/** Who sent the request. Throws a 401, or rejects with it. */
export function identify(keepers: Doorkeepers, walk: Walk, info: RequestInfo): UserInfo | Promise<UserInfo> {
  if (keepers.audit) return identifyAudited(keepers, walk, info)
  return known(keepers, walk, info)
}

/** With what it took; `annotate` for the audit log. */
function known(
  { authenticator, metrics }: Doorkeepers,
  walk: Walk,
  info: RequestInfo,
  annotate?: (key: string, value: string) => void,
): UserInfo | Promise<UserInfo> {
  const startedAt = performance.now()
  const note = (user: UserInfo): UserInfo => {
    const tookMs = performance.now() - startedAt
    metrics.filtered('authentication', tookMs)
    metrics.authenticated(user, tookMs)
    return user
  }
  const refused = (error: unknown): never => {
    const tookMs = performance.now() - startedAt
    const isRefusal = refusalOf(error) !== undefined && (error as Error).cause === undefined
    metrics.filtered('authentication', tookMs)
    metrics.authentication.note(isRefusal ? 'failure' : 'error', tookMs)
    throw error
  }
  try {
    const asked = askWho(authenticator, walk, info, annotate)
    return asked instanceof Promise ? asked.then(note, refused) : note(asked)
  } catch (error) {
    return refused(error)
  }
}

function askWho(
  authenticator: Doorkeepers['authenticator'],
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

/** What is refused before anybody knows who asks. */
export function auditStranger(
  { audit }: Doorkeepers,
  { exchange, startedAt }: Walk,
  info: RequestInfo,
  error: unknown,
): void {
  const begun = audit && beginAudit(audit, { exchange, info, user: undefined, startedAt })
  begun?.failed(error, 'ResponseStarted')
}

/** The same where requests are audited: the event begins with the user. */
async function identifyAudited(keepers: Doorkeepers, walk: Walk, info: RequestInfo): Promise<UserInfo> {
  const { exchange, startedAt } = walk
  const annotations = new Map<string, string>()
  let user: UserInfo
  try {
    user = await known(keepers, walk, info, (key, value) => void annotations.set(key, value))
  } catch (error) {
    auditStranger(keepers, walk, info, error)
    throw error
  }
  const beganAt = performance.now()
  const audit = keepers.audit && beginAudit(keepers.audit, { exchange, info, user, startedAt })
  walk.audit = audit
  await audit?.received()
  for (const [key, value] of annotations) audit?.annotate(key, value)
  keepers.metrics.filtered('audit', performance.now() - beganAt)
  return user
}

/** Throws a 403. Answers why no decision could be made; undefined: the request is allowed. */
export async function authorize(
  { authorizer, metrics }: Doorkeepers,
  attributes: AuthorizationAttributes,
  audit: RequestAudit | undefined,
): Promise<string | undefined> {
  const startedAt = performance.now()
  const pending = authorizer.authorize(attributes)
  const decided = pending instanceof Promise ? await pending : pending
  const tookMs = performance.now() - startedAt
  const isAllowed = decided.decision === 'allow'
  metrics.filtered('authorization', tookMs)
  metrics.authorization.note(outcomeOf(decided), tookMs)
  if (!isAllowed && decided.error !== undefined) {
    audit?.undecided()
    return decided.error
  }
  audit?.decided(isAllowed, decided.reason)
  requireAllowed(attributes, decided)
  return undefined
}

const outcomeOf = ({ decision, error }: Decision): string =>
  decision === 'allow'
    ? 'allowed'
    : error !== undefined
      ? 'error'
      : decision === 'deny'
        ? 'denied'
        : 'no-opinion'

/** Upstream says why as it stands, and not as a Status. */
export function noDecision({ log }: Doorkeepers, walk: Walk, why: string): Answer {
  const { method, url } = walk.exchange
  log.error({ method, path: url.split('?', 1)[0], why }, 'no authorizer could decide on a request')
  return {
    status: 500,
    contentType: 'text/plain; charset=utf-8',
    body: Buffer.from(`Internal Server Error: ${goQuote(sanitized(url))}: ${why}\n`),
    headers: { 'x-content-type-options': 'nosniff' },
  }
}
