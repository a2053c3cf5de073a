// What the reply of a webhook is: JSON, or one of the errors that upstream's client makes of statuses and garbage.
// Follows Result.Into and newUnstructuredResponseError in k8s.io/client-go/rest/request.go.
import { HookFailure } from '../../machinery/askagain.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { JsonSyntaxError, parseJson } from '../../schema/json/json.ts'
import { checkMediaType } from './mediatypes.ts'

/** A patch may replace an object of 3 MiB, in base64. More than that nobody needs to send. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024

export interface Reply {
  readonly status: number
  readonly contentType: string
  /** Of the Retry-After header. */
  readonly retryAfter?: string | undefined
  /** Of the Location header. */
  readonly location?: string | undefined
  readonly body: Buffer
}

/** Upstream looks for an answer behind it. */
const SWITCHING = 101
/** Statuses after which the same question may be answered. */
const PASSING = new Set([429, 500, 504])

/** Throws an Error with upstream's text: a HookFailure for a bad status. */
export async function answerOf({ status, contentType, body, retryAfter }: Reply): Promise<JsonObject> {
  checkMediaType(contentType)
  if ((status < 200 && status !== SWITCHING) || status > 206) {
    const mayPass = PASSING.has(status) || /^\d+$/.test(retryAfter ?? '')
    throw new HookFailure(failureOf(body) ?? statusText(status, textOf(contentType, body)), mayPass)
  }
  if (body.length === 0) {
    const type = contentType || 'application/json'
    throw new Error(`0-length response with status code: ${status} and content type: ${type}`)
  }
  const value = await parsed(body)
  if (value === null) return {}
  if (!isObject(value)) throw new Error(`couldn't get version/kind; json parse error: ${mismatch(value)}`)
  return value
}

async function parsed(body: Buffer): Promise<Json> {
  try {
    return parseJson(body).value
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    // Upstream takes what is no JSON for YAML.
    if (!/^\s*[[{]/.test(body.subarray(0, SAMPLE_BYTES).toString())) return yamlOf(body)
    throw new Error(`couldn't get version/kind; json parse error: ${error.message}`)
  }
}

/** A text where it is no YAML either. */
async function yamlOf(body: Buffer): Promise<Json> {
  const { parseYaml } = await import('../../schema/yaml/yaml.ts')
  return parseYaml(body).then(
    ({ value }) => value,
    () => '',
  )
}

/** Enough to see what a text begins with. */
const SAMPLE_BYTES = 64

/** What a Status says of a failure. */
function failureOf(body: Buffer): string | undefined {
  try {
    const { value } = parseJson(body)
    if (!isObject(value) || value['kind'] !== 'Status' || value['status'] === 'Success') return undefined
    return typeof value['message'] === 'string' ? value['message'] : undefined
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined
    throw error
  }
}

const STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

function mismatch(value: Json): string {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${kind} into Go value of type ${STRUCT}`
}

/** Only texts are repeated to clients. */
const textOf = (contentType: string, body: Buffer): string =>
  contentType === '' || contentType.startsWith('text/') ? body.toString().trim() : 'unknown'

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
}
/** The server's own words are shown. */
const SAID_BY_SERVER = [403, 406, 415]

function statusText(status: number, said: string): string {
  const known = STATUS_TEXTS[status]
  if (known !== undefined) return known
  if (SAID_BY_SERVER.includes(status)) return said
  if (status >= 500)
    return `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`
  return `the server responded with the status code ${status} but did not return more information`
}
