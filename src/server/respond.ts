// Answers become bytes on an exchange: the one place that writes headers, errors and warnings. The last stage.
// Follows k8s.io/apiserver/pkg/endpoints/handlers/responsewriters and pkg/util/warning.
import { indentedJson, readJson } from '../machinery/jsontext.ts'
import type { Accept, Answer } from '../handlers/request.ts'
import { JSON_TYPE } from '../handlers/view.ts'
import { statusBody } from '../handlers/views.ts'
import { StatusError } from '../machinery/status.ts'
import { auditIdOf } from './auditid.ts'
import { compressed, MIN_GZIP_BYTES, wantsGzip } from './compress.ts'
import type { AnswerBody, Exchange, Headers } from './exchange.ts'
import { joined, shortAsOne } from './pieces.ts'

/** Told of errors that nobody expected. */
export interface ErrorLog {
  error(details: object, message: string): void
}

export const PLAIN: Accept = { encoding: 'json', as: undefined, asVersion: '', pretty: false }
/** Of all warnings together, in characters; where there are more, each is cut to so many, until as many are there. */
const [MAX_WARNINGS, MAX_WARNING] = [4096, 256]

/** What of a request its answer depends on. */
export interface Warned {
  readonly accept: Accept
  readonly warnings: readonly string[]
  /** Told how many bytes the answer has, when that is known. */
  readonly sized?: ((bytes: number) => void) | undefined
}

const NO_CACHE = 'no-cache, private'

/** Headers of every answer. */
export function baseHeaders({ headers, flow }: Exchange): Headers {
  const auditId = auditIdOf(headers)
  if (!flow) return { 'audit-id': auditId, 'cache-control': NO_CACHE }
  // One literal: spread over another, it would cost a request some microseconds.
  return {
    'audit-id': auditId,
    'cache-control': NO_CACHE,
    'x-kubernetes-pf-flowschema-uid': flow.schemaUid,
    'x-kubernetes-pf-prioritylevel-uid': flow.levelUid,
  }
}

/** Writes an answer. */
export function respond(exchange: Exchange, answer: Answer, request?: Warned): void {
  const headers = baseHeaders(exchange)
  if (answer.contentType !== undefined) headers['content-type'] = answer.contentType
  if (request?.warnings.length) headers['warning'] = warningHeaders(request.warnings)
  if ('stream' in answer) {
    answer.stream(exchange.stream(answer.status, headers))
    return
  }
  if (answer.headers) Object.assign(headers, answer.headers)
  const whole = Buffer.isBuffer(answer.body) ? answer.body : shortAsOne(answer.body, MIN_GZIP_BYTES)
  const plain = request?.accept.pretty && answer.contentType === JSON_TYPE ? indented(whole) : whole
  let body: AnswerBody
  if (wantsGzip(exchange, plain)) {
    headers['content-encoding'] = 'gzip'
    headers['vary'] = 'Accept-Encoding'
    body = compressed(exchange, plain)
  } else body = Buffer.isBuffer(plain) ? plain : joined(plain)
  exchange.answer(answer.status, headers, request?.sized ? measured(body, request.sized) : body)
}

function measured(body: AnswerBody, sized: (bytes: number) => void): AnswerBody {
  if (!Buffer.isBuffer(body))
    return Symbol.iterator in body ? countedAtOnce(body, sized) : counted(body, sized)
  sized(body.length)
  return body
}

function* countedAtOnce(pieces: Iterable<Buffer>, sized: (bytes: number) => void): Generator<Buffer> {
  let bytes = 0
  for (const piece of pieces) {
    bytes += piece.length
    yield piece
  }
  sized(bytes)
}

async function* counted(
  pieces: AsyncIterable<Buffer>,
  sized: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    yield piece
  }
  sized(bytes)
}

/** Turns any error into its Status; those that are none of ours are logged and shown without their insides. */
export function respondError(
  exchange: Exchange,
  error: unknown,
  log: ErrorLog,
  request: Warned = { accept: PLAIN, warnings: [] },
): void {
  const expected = error instanceof StatusError ? error : undefined
  if (!expected || expected.cause !== undefined) logFailure(exchange, error, log)
  if (exchange.answered) return
  const status = (expected ?? unexpected()).status
  const code = status.code ?? 500
  const seconds = status.details?.retryAfterSeconds
  const answer = statusBody(request, code, status)
  const retry =
    seconds !== undefined && (code === 429 || code === 503 || code === 504 || code === 409)
      ? { 'retry-after': String(seconds) }
      : {}
  respond(exchange, { ...answer, headers: retry }, request)
}

/** An error that nobody expected is told with its stack; what broke beneath us, in one line. */
function logFailure(exchange: Exchange, error: unknown, log: ErrorLog): void {
  const where = { method: exchange.method, path: exchange.url.split('?', 1)[0] }
  if (error instanceof StatusError) {
    const { cause } = error
    const because = cause instanceof Error ? cause.message : String(cause)
    return log.error({ error: because, code: error.code, ...where }, 'a request failed')
  }
  const details =
    error instanceof Error ? { error: error.message, stack: error.stack } : { error: String(error) }
  log.error({ ...details, ...where }, 'unexpected error in a request')
}

const unexpected = (): StatusError =>
  new StatusError({
    code: 500,
    reason: 'InternalError',
    message: 'Internal error occurred: unexpected error',
    details: {},
  })

function indented(body: Buffer | Iterable<Buffer>): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.concat([...body])
  return Buffer.from(indentedJson(readJson(bytes.toString())))
}

/** `299 - "text"`, each once; those that cannot stand in a header are left out. */
function warningHeaders(warnings: readonly string[]): string[] {
  const texts = [...new Set(warnings)].filter((text) => text !== '')
  const whole = headersOf(texts, Infinity)
  return whole ?? (headersOf(texts, MAX_WARNING) as string[])
}

/** Undefined where texts of any length are too long together. */
function headersOf(texts: readonly string[], longest: number): string[] | undefined {
  const headers: string[] = []
  let size = 0
  for (const text of texts) {
    // Upstream goes through the texts again only when they became too long.
    if (size >= MAX_WARNINGS && longest < Infinity) break
    const characters = [...text]
    const shown = characters.length > longest ? characters.slice(0, longest).join('') : text
    if (CONTROL.test(shown)) continue
    size += Math.min(characters.length, longest)
    if (size > MAX_WARNINGS && longest === Infinity) return undefined
    headers.push(`299 - "${quoted(shown)}"`)
  }
  return headers
}

const CONTROL = /\p{Cc}/u

const quoted = (text: string): string =>
  Buffer.from(text.replace(/[\\"]/g, '\\$&'), 'utf8').toString('latin1')
