// What of a request and its answer goes into the audit log, told while it walks the chain.
// Follows k8s.io/apiserver/pkg/endpoints/filters/audit.go and pkg/audit/request.go.
import { isIP } from 'node:net'
import type { Auditor } from '../audit/auditor.ts'
import type { AuditEvent } from '../audit/event.ts'
import type { Stage } from '../audit/policy.ts'
import type { Answer, Body, ByteSink, WholeAnswer } from '../handlers/request.ts'
import type { Scope } from '../handlers/scope.ts'
import { isLongRunning } from '../fairness/gate.ts'
import type { RequestInfo } from '../machinery/attributes.ts'
import type { Status } from '../machinery/status.ts'
import { StatusError } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'
import { auditIdOf, keepAuditId } from './auditid.ts'
import { type ExpectedBody, requestObjectOf, responseObjectOf, statusOf } from './auditobjects.ts'
import type { AnswerBody, Connection, Exchange, Headers } from './exchange.ts'
import { negotiate } from './negotiate.ts'
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
    attributes: user ? { user, ...info } : info,
  })
  if (!event) return undefined
  keepAuditId(exchange.headers, id)
  return new RequestAudit(event, { auditor, log }, beginning)
}

const SWITCHING = 101
const DECISION = 'authorization.k8s.io/decision'
const REASON = 'authorization.k8s.io/reason'

export class RequestAudit {
  readonly #event: AuditEvent
  readonly #auditor: Auditor
  readonly #log: ErrorLog
  /** Its client hears of an answer before the answer ends. */
  readonly #isLongRunning: boolean
  readonly #accept: string | undefined
  #expected: ExpectedBody | undefined
  #isOver = false

  constructor(event: AuditEvent, { auditor, log }: AuditLog, { info, exchange }: Beginning) {
    this.#event = event
    this.#auditor = auditor
    this.#log = log
    this.#isLongRunning = isLongRunning(info)
    this.#accept = exchange.headers.accept
  }

  /** Throws a 500 (or rejects with it) where events must be kept and this one was not. */
  received(): void | Promise<void> {
    return this.#auditor.emit(this.#event, 'RequestReceived')
  }

  annotate(key: string, value: string): void {
    this.#event.annotations.set(key, value)
  }

  /** `constraint`: the verb of the mode that allowed it. */
  impersonated(user: UserInfo, constraint: string | undefined): void {
    this.#event.impersonated = user
    this.#event.constraint = constraint
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
    if (!takesStatus(this.#accept))
      return this.#finish({ status: code, contentType: undefined, body: EMPTY }, stage)
    this.#finish({ status: code, contentType: 'application/json', body }, stage, shown as Status)
  }

  /** An exchange whose answer, whoever gives it, is noted. */
  watched(exchange: Exchange): Exchange {
    return new AuditedExchange(exchange, {
      begins: (code) => {
        this.#event.responseStatus ??= { code }
        if (this.#isLongRunning) this.#emit('ResponseStarted')
      },
      ends: () => this.#emit('ResponseComplete'),
    })
  }

  #finish(answer: WholeAnswer, stage: Stage = 'ResponseComplete', status?: Status): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#describe(answer, status)
      .then(() => {
        if (this.#isLongRunning && stage === 'ResponseComplete') this.#emit('ResponseStarted')
        this.#emit(stage)
      })
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
    // Nobody waits for it: only the first stage can refuse a request.
    void this.#auditor.emit(this.#event, stage)
  }
}

const EMPTY = Buffer.alloc(0)

/** Is there an encoding that a Status can be written in? Else clients get one that the log does not tell. */
function takesStatus(accept: string | undefined): boolean {
  try {
    negotiate(accept, 'document')
    return true
  } catch {
    return false
  }
}

/** Pieces may come once only, and are wanted twice. */
const gathered = (answer: WholeAnswer): WholeAnswer =>
  Buffer.isBuffer(answer.body) ? answer : { ...answer, body: Buffer.concat([...answer.body]) }

interface Heard {
  begins(code: number): void
  ends(): void
}

/** Tells of the status of whatever answer is given. */
class AuditedExchange implements Exchange {
  readonly #exchange: Exchange
  readonly #heard: Heard

  constructor(exchange: Exchange, heard: Heard) {
    this.#exchange = exchange
    this.#heard = heard
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
    this.#heard.begins(status)
    this.#heard.ends()
  }

  stream(status: number, headers: Headers): ByteSink {
    const sink = this.#exchange.stream(status, headers)
    this.#heard.begins(status)
    sink.onClose(() => this.#heard.ends())
    return sink
  }

  get onEnd(): Exchange['onEnd'] {
    return this.#exchange.onEnd?.bind(this.#exchange)
  }

  get takeOver(): Exchange['takeOver'] {
    const exchange = this.#exchange
    if (!exchange.takeOver) return undefined
    return () => {
      const connection = exchange.takeOver?.() as Connection
      this.#heard.begins(SWITCHING)
      connection.socket.once('close', () => this.#heard.ends())
      return connection
    }
  }

  node(): ReturnType<Exchange['node']> {
    const pair = this.#exchange.node()
    pair.response.once('close', () => {
      this.#heard.begins(pair.response.statusCode)
      this.#heard.ends()
    })
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
