// What of a request and its answer goes into the audit log, told while it walks the chain.
// Follows k8s.io/apiserver/pkg/endpoints/filters/audit.go and pkg/audit/request.go.
import { isIP } from 'node:net'
import type { Auditor } from '../audit/auditor.ts'
import type { AuditEvent } from '../audit/event.ts'
import type { Stage } from '../audit/policy.ts'
import type { Answer, Body, ByteSink, WholeAnswer } from '../handlers/request.ts'
import type { Scope } from '../handlers/scope.ts'
import type { RequestInfo } from '../machinery/attributes.ts'
import type { Status } from '../machinery/status.ts'
import { StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import { auditIdOf, keepAuditId } from './auditid.ts'
import { type ExpectedBody, requestObjectOf, responseObjectOf, statusOf } from './auditobjects.ts'
import type { AnswerBody, Connection, Exchange, Headers } from './exchange.ts'
import type { ErrorLog } from './respond.ts'

/** What the chain knows when an event begins. */
export interface Beginning {
  readonly exchange: Exchange
  readonly info: RequestInfo
  /** undefined: nobody could be authenticated. */
  readonly user: UserInfo | undefined
  /** Of `performance.now()`. */
  readonly startedAt: number
}

export interface AuditLog {
  readonly auditor: Auditor
  readonly log: ErrorLog
}

/** undefined for a request of which nothing is recorded. */
export function beginAudit({ auditor, log }: AuditLog, beginning: Beginning): RequestAudit | undefined {
  const { exchange, info, user, startedAt } = beginning
  const id = auditIdOf(exchange.headers)
  const event = auditor.begin({
    id,
    uri: exchange.url,
    sourceIps: sourceIps(exchange),
    userAgent: exchange.headers['user-agent'] ?? '',
    at: startedAt,
    attributes: user ? { ...info, user } : info,
  })
  if (!event) return undefined
  keepAuditId(exchange.headers, id)
  return new RequestAudit(event, auditor, log)
}

const DECISION = 'authorization.k8s.io/decision'
const REASON = 'authorization.k8s.io/reason'

export class RequestAudit {
  readonly #event: AuditEvent
  readonly #auditor: Auditor
  readonly #log: ErrorLog
  #expected: ExpectedBody | undefined
  #isOver = false

  constructor(event: AuditEvent, auditor: Auditor, log: ErrorLog) {
    this.#event = event
    this.#auditor = auditor
    this.#log = log
  }

  /** Throws a 500 where events must be kept and this one was not. */
  received(): void {
    this.#auditor.emit(this.#event, 'RequestReceived')
  }

  annotate(key: string, value: string): void {
    this.#event.annotations.set(key, value)
  }

  impersonated(user: UserInfo): void {
    this.#event.impersonated = user
  }

  decided(isAllowed: boolean, reason: string): void {
    this.annotate(DECISION, isAllowed ? 'allow' : 'forbid')
    this.annotate(REASON, reason)
  }

  /** No authorizer could decide. */
  undecided(): void {
    this.annotate(REASON, 'internal error')
  }

  /** The body is noted once a handler reads it; the promise is the handler's own. */
  reads(body: Promise<Body>, scope: Scope, subresource: string): void {
    const { resource } = scope
    const part = resource.subresources.find(({ name }) => name === subresource)
    this.#expected = {
      body,
      kind: part ?? resource,
      scope: (part ?? resource).kind === resource.kind ? scope : undefined,
    }
  }

  /** The answer to go on with: of a stream, beginning and end are noted; of a whole one, this is all. */
  answered(answer: Answer): Answer {
    if (!('stream' in answer)) {
      const whole = this.#event.level === 'RequestResponse' ? gathered(answer) : answer
      this.#finish(whole)
      return whole
    }
    this.#event.responseStatus = { code: answer.status }
    this.#emit('ResponseStarted')
    const stream = (sink: ByteSink): void => {
      sink.onClose(() => this.#emit('ResponseComplete'))
      answer.stream(sink)
    }
    return { ...answer, stream }
  }

  /** `stage`: where nobody was authenticated, the event ends as it begins. */
  failed(error: unknown, stage: Stage = 'ResponseComplete'): void {
    const status = error instanceof StatusError ? error.status : undefined
    const shown = status ?? { status: 'Failure', reason: 'InternalError' }
    const body = Buffer.from(JSON.stringify(shown))
    const code = status?.code ?? 500
    this.#finish({ status: code, contentType: 'application/json', body }, stage, shown as Status)
  }

  /** An exchange whose answer, whoever gives it, is noted. */
  watched(exchange: Exchange): Exchange {
    return new AuditedExchange(exchange, (code) => {
      this.#event.responseStatus ??= { code }
      this.#emit('ResponseComplete')
    })
  }

  #finish(answer: WholeAnswer, stage: Stage = 'ResponseComplete', status?: Status): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#describe(answer, status)
      .then(() => this.#emit(stage))
      .catch((error: unknown) => this.#log.error({ error: String(error) }, 'could not record a request'))
  }

  async #describe(answer: WholeAnswer, status?: Status): Promise<void> {
    const event = this.#event
    const { level, omitManagedFields } = event.recording
    event.responseStatus = statusOf(answer, status)
    const expected = this.#expected
    const request =
      expected && (await requestObjectOf(expected, event.received.attributes.verb, omitManagedFields))
    if (request) {
      event.named = request.named
      if (level !== 'Metadata') event.requestObject = request.json
    }
    if (level === 'RequestResponse') event.responseObject = await responseObjectOf(answer, omitManagedFields)
  }

  #emit(stage: Stage): void {
    try {
      this.#auditor.emit(this.#event, stage)
    } catch (error) {
      this.#log.error({ error: String(error) }, 'could not record a request')
    }
  }
}

/** Pieces may come once only, and are wanted twice. */
const gathered = (answer: WholeAnswer): WholeAnswer =>
  Buffer.isBuffer(answer.body) ? answer : { ...answer, body: Buffer.concat([...answer.body]) }

/** Tells of the status of whatever answer is given. */
class AuditedExchange implements Exchange {
  readonly #exchange: Exchange
  readonly #ended: (code: number) => void

  constructor(exchange: Exchange, ended: (code: number) => void) {
    this.#exchange = exchange
    this.#ended = ended
  }

  get method(): string {
    return this.#exchange.method
  }
  get url(): string {
    return this.#exchange.url
  }
  get headers(): Exchange['headers'] {
    return this.#exchange.headers
  }
  get rawHeaders(): readonly string[] {
    return this.#exchange.rawHeaders
  }
  get peer(): Exchange['peer'] {
    return this.#exchange.peer
  }
  get answered(): boolean {
    return this.#exchange.answered
  }
  get flow(): Exchange['flow'] {
    return this.#exchange.flow
  }

  onGone(listener: () => void): void {
    this.#exchange.onGone(listener)
  }

  body(limit: number): Promise<Buffer> {
    return this.#exchange.body(limit)
  }

  answer(status: number, headers: Headers, body?: AnswerBody): void {
    this.#exchange.answer(status, headers, body)
    this.#ended(status)
  }

  stream(status: number, headers: Headers): ByteSink {
    const sink = this.#exchange.stream(status, headers)
    sink.onClose(() => this.#ended(status))
    return sink
  }

  get onEnd(): Exchange['onEnd'] {
    return this.#exchange.onEnd?.bind(this.#exchange)
  }

  get takeOver(): Exchange['takeOver'] {
    const exchange = this.#exchange
    if (!exchange.takeOver) return undefined
    return () => {
      this.#ended(101)
      return exchange.takeOver?.() as Connection
    }
  }

  node(): ReturnType<Exchange['node']> {
    const pair = this.#exchange.node()
    pair.response.once('close', () => this.#ended(pair.response.statusCode))
    return pair
  }
}

/** Those that proxies name, and last the address of the connection. */
function sourceIps({ headers, peer }: Exchange): string[] {
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',')
  const ips = forwarded.map((ip) => ip.trim()).filter((ip) => isIP(ip) !== 0)
  const real = String(headers['x-real-ip'] ?? '')
  if (isIP(real) !== 0 && !ips.includes(real)) ips.push(real)
  const remote = peer.address.replace(/^::ffff:(?=\d+\.)/, '')
  if (remote !== '' && ips.at(-1) !== remote) ips.push(remote)
  return ips
}
