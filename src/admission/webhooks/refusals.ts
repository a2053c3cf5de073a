// What a client hears when a webhook refuses its request, or cannot be asked.
// Follows k8s.io/apiserver/pkg/admission/plugin/webhook/errors and pkg/util/webhook/error.go.
import type { JsonObject } from '../../machinery/json.ts'
import { badRequest, internalError, StatusError, type StatusDetails } from '../../machinery/status.ts'

/** The webhook could not be asked, or its answer is none; failurePolicy decides what comes of it. */
export class CallFailure extends Error {
  constructor(webhook: string, why: string) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${why}`)
    this.name = 'CallFailure'
  }

  /** As the client hears it. */
  refusal(): StatusError {
    return internalError(this.message)
  }
}

const MIN_CODE = 400
/** HTTP knows no others. */
const MAX_CODE = 999

/** The webhook said no; `result` is the Status of its answer. */
export function denied(webhook: string, result: JsonObject | undefined): StatusError {
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`
  const { message, reason, details, code } = result ?? {}
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const why = text(message) || text(reason)
  const given = typeof code === 'number' && code >= MIN_CODE && code <= MAX_CODE ? code : MIN_CODE
  return new StatusError({
    code: given,
    message: why ? `${by}: ${why}` : `${by} without explanation`,
    ...(text(reason) ? { reason: text(reason) } : {}),
    ...(details === undefined || details === null ? {} : { details: details as StatusDetails }),
  })
}

/** The webhook may do more than answer, and the request is a dry run. */
export const noDryRun = (webhook: string): StatusError =>
  badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`)
