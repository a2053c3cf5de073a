// The one error class: every refusal is a Status made by reason.
// Follows k8s.io/apimachinery/pkg/api/errors.
import { type GroupResource, type GroupVersionKind, qualifiedResource } from './gvk.ts'
import type { JsonObject } from './json.ts'
import { jsonText } from './jsontext.ts'
import { goNumber } from './numbers.ts'
import { goQuote } from './quote.ts'

/** Why one field of an object is refused; `field` is a path like "spec.containers[0].name". */
export interface StatusCause extends JsonObject {
  reason?: string
  message?: string
  field?: string
}

export interface StatusDetails extends JsonObject {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** 500 with nothing but a message: what a plain Go error becomes. */
export const plainError = (message: string, because?: unknown): StatusError =>
  new StatusError({ code: 500, message }, because)

/** metav1.Status as it goes over the wire. */
export interface Status extends JsonObject {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: JsonObject
  status?: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: StatusDetails
  code?: number
}

interface Failure {
  code: number
  /** Absent where upstream lets a plain Go error through. */
  reason?: string
  message: string
  details?: StatusDetails
}

/**
 * An expected refusal, carrying the Status that the client receives. `because` is for the operator where something beneath
 * broke (the store does not answer): it becomes the error's cause, and a line in the log.
 */
export class StatusError extends Error {
  readonly status: Status

  constructor(failure: Failure, because?: unknown) {
    super(failure.message, because === undefined ? undefined : { cause: because })
    this.name = 'StatusError'
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: failure.message,
      ...(failure.reason ? { reason: failure.reason } : {}),
      ...(failure.details ? { details: failure.details } : {}),
      code: failure.code,
    }
  }

  get code(): number {
    return this.status.code ?? 500
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

const detailsOf = (gr: GroupResource, name: string): StatusDetails => ({
  ...(name ? { name } : {}),
  ...(gr.group ? { group: gr.group } : {}),
  ...(gr.resource ? { kind: gr.resource } : {}),
})

/** 404 for an object that is not there. */
export function notFound(gr: GroupResource, name: string): StatusError {
  const message = `${qualifiedResource(gr)} "${name}" not found`
  return new StatusError({ code: 404, reason: 'NotFound', message, details: detailsOf(gr, name) })
}

/** 404 for a path that nothing serves. */
export function pathNotFound(): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })
}

/** 409 for a create of a name that is taken. */
export function alreadyExists(gr: GroupResource, name: string): StatusError {
  const message = `${qualifiedResource(gr)} "${name}" already exists`
  return new StatusError({ code: 409, reason: 'AlreadyExists', message, details: detailsOf(gr, name) })
}

/** 409 for a write that another write overtook, or whose preconditions do not hold. */
export function conflict(gr: GroupResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(gr)} "${name}": ${why}`
  return new StatusError({ code: 409, reason: 'Conflict', message, details: detailsOf(gr, name) })
}

export const OBJECT_MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again'

/** 403; `why` ends the sentence: `pods "a" is forbidden: why`. */
export function forbidden(gr: GroupResource, name: string, why: string): StatusError {
  const what = qualifiedResource(gr)
  const message = !name
    ? `${what || 'forbidden'}${what ? ' is forbidden' : ''}: ${why}`
    : `${what} "${name}" is forbidden: ${why}`
  return new StatusError({ code: 403, reason: 'Forbidden', message, details: detailsOf(gr, name) })
}

/** 401. */
export function unauthorized(message = 'Unauthorized'): StatusError {
  return new StatusError({ code: 401, reason: 'Unauthorized', message })
}

/** 422 with one cause for each faulty field, worded as upstream's aggregate. */
export function invalid(
  gk: Pick<GroupVersionKind, 'group' | 'kind'>,
  name: string,
  causes: StatusCause[],
): StatusError {
  const what = gk.group ? `${gk.kind}.${gk.group}` : gk.kind
  const texts = [...new Set(causes.map((c) => (c.field ? `${c.field}: ${c.message}` : `${c.message}`)))]
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: causes.length ? `${what} "${name}" is invalid: ${list}` : `${what} "${name}" is invalid`,
    details: {
      ...(name ? { name } : {}),
      ...(gk.group ? { group: gk.group } : {}),
      ...(gk.kind ? { kind: gk.kind } : {}),
      ...(causes.length ? { causes } : {}),
    },
  })
}

/** 400. */
export function badRequest(message: string): StatusError {
  return new StatusError({ code: 400, reason: 'BadRequest', message })
}

/** 405 for a verb that a resource does not have. */
export function methodNotSupported(gr: GroupResource, verb: string): StatusError {
  const message = `${verb} is not supported on resources of kind "${qualifiedResource(gr)}"`
  return new StatusError({ code: 405, reason: 'MethodNotAllowed', message, details: detailsOf(gr, '') })
}

/** 410 for a version that is compacted or out of the history window. */
export function expired(message: string): StatusError {
  return new StatusError({ code: 410, reason: 'Expired', message })
}

/** 504 for a version that is not there yet. */
export function tooLargeResourceVersion(
  wanted: number | string,
  current: number,
  retryAfterSeconds: number,
): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds,
    },
  })
}

/** 504 for what took longer than it may. */
export function timedOut(message: string, because?: unknown): StatusError {
  return new StatusError(
    { code: 504, reason: 'Timeout', message: `Timeout: ${message}`, details: {} },
    because,
  )
}

/** 429; `retryAfterSeconds` also becomes the Retry-After header. */
export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds } })
}

/** 413 for a body over the limit. */
export function requestEntityTooLarge(message: string): StatusError {
  return new StatusError({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: ${message}`,
  })
}

/** 415 for a body of a media type that nothing here reads. */
export function unsupportedMediaType(message: string): StatusError {
  return new StatusError({ code: 415, reason: 'UnsupportedMediaType', message })
}

/** 406 for an Accept header that nothing here satisfies. */
export function notAcceptable(message: string): StatusError {
  return new StatusError({ code: 406, reason: 'NotAcceptable', message })
}

/** 500, for the few cases in which upstream itself answers so; `message` is shown to the client. */
export function internalError(message: string): StatusError {
  return new StatusError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
  })
}

/** 503. */
export function serviceUnavailable(message: string): StatusError {
  return new StatusError({ code: 503, reason: 'ServiceUnavailable', message })
}

// ---- causes, as k8s.io/apimachinery/pkg/util/validation/field words them

/** A value that causes show in words of its own, which are put together when one does. */
export class Worded {
  readonly text: () => string

  constructor(text: () => string) {
    this.text = text
  }
}

function shown(value: unknown): string {
  if (value instanceof Worded) return value.text()
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'number') return goNumber(value)
  return value === undefined ? 'null' : goJson(value)
}

/** JSON as Go's encoder writes it: safe in HTML. */
const goJson = (value: unknown): string =>
  jsonText(value).replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
const UNSAFE = /[<>&\u2028\u2029]/g

export const cause = {
  required: (field: string, detail = ''): StatusCause => ({
    reason: 'FieldValueRequired',
    message: detail ? `Required value: ${detail}` : 'Required value',
    field,
  }),
  invalid: (field: string, value: unknown, detail: string): StatusCause => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${shown(value)}${detail ? `: ${detail}` : ''}`,
    field,
  }),
  /** Of a text that upstream has as a pointer, which it prints as JSON. */
  invalidPointer: (field: string, value: string, detail: string): StatusCause => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${goJson(value)}: ${detail}`,
    field,
  }),
  notSupported: (field: string, value: unknown, supported: readonly string[]): StatusCause => ({
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${shown(value)}${supported.length ? `: supported values: ${supported.map(goQuote).join(', ')}` : ''}`,
    field,
  }),
  duplicate: (field: string, value: unknown): StatusCause => ({
    reason: 'FieldValueDuplicate',
    message: `Duplicate value: ${shown(value)}`,
    field,
  }),
  forbidden: (field: string, detail: string): StatusCause => ({
    reason: 'FieldValueForbidden',
    message: `Forbidden: ${detail}`,
    field,
  }),
  tooLong: (field: string, maxLength: number): StatusCause => ({
    reason: 'FieldValueTooLong',
    message: `Too long: may not be more than ${maxLength} bytes`,
    field,
  }),
  tooMany: (field: string, actual: number, max: number): StatusCause => ({
    reason: 'FieldValueTooMany',
    message: `Too many: ${actual}: must have at most ${max} items`,
    field,
  }),
  notFound: (field: string, value: unknown): StatusCause => ({
    reason: 'FieldValueNotFound',
    message: `Not found: ${shown(value)}`,
    field,
  }),
  typeInvalid: (field: string, value: unknown, detail: string): StatusCause => ({
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${shown(value)}: ${detail}`,
    field,
  }),
  internal: (field: string, message: string): StatusCause => ({
    reason: 'InternalError',
    message: `Internal error: ${message}`,
    field,
  }),
} as const
