// What must hold of every answer, and the few 5xx that upstream gives, too.
import { gunzipSync } from 'node:zlib'
import { isObject } from '../../src/machinery/json.ts'
import { decode } from '../../src/schema/protobuf/envelope.ts'
import { typeForKind } from '../../src/schema/types.ts'
import type { Answer, Outcome } from './clients.ts'
import type { FuzzRequest } from './requests.ts'

/** Answers of 500 and above that kube-apiserver 1.36 gives to the same requests, each tried there. */
const KNOWN_5XX: readonly { readonly code: number; readonly message: RegExp }[] = [
  // A create with a version: the store itself refuses it, by an error without a code.
  { code: 500, message: /resourceVersion should not be set on objects to be created/ },
  // get and watch hand a bad version's error through; list makes it a 400.
  { code: 500, message: /resourceVersion: Invalid value: .*: strconv\.ParseUint: / },
  // The same of an update's version.
  { code: 500, message: /\bstrconv\.ParseUint: parsing / },
  // Strategic merge patches with directives for fields that the kind has not.
  { code: 500, message: /unable to find api field in struct / },
  { code: 500, message: /unknown patch type: / },
  { code: 500, message: /The order in patch list:/ },
  { code: 500, message: /expected a \[\]interface {}, but received a / },
  { code: 500, message: /list element types are not identical: / },
  { code: 500, message: /no elements in any of the given slices/ },
  { code: 500, message: /does not contain declared merge key: / },
  // A binding whose target is none: a list of faults that is no Status.
  { code: 500, message: /target\.(name|kind): / },
  // A version that is to come.
  { code: 504, message: /Too large resource version/ },
  // Proxies to what is not there.
  { code: 503, message: /no endpoints available for service |error trying to reach service: / },
  // Kubelets that cannot be asked for a log, or for what needs a program.
  { code: 500, message: /no preferred addresses found; known addresses: |\bdial tcp / },
]

/** Whatever encoding the answer has, its message stands in it as text. */
const isKnown = ({ status, body }: Answer): boolean => {
  const text = body.toString('latin1').replaceAll('\\"', '"')
  return KNOWN_5XX.some((known) => known.code === status && known.message.test(text))
}

/** What is wrong with an outcome; undefined: nothing. */
export function complaintOf(outcome: Outcome, request: FuzzRequest): string | undefined {
  if (outcome === 'hang') return 'no answer in time'
  if (outcome === 'gone') return request.manner === 'cut' ? undefined : 'closed without an answer'
  const { status } = outcome
  if (status < 200 || status > 599) return `status ${status}`
  if (status >= 500 && !isKnown(outcome)) return `status ${status}`
  if (outcome.left || request.manner === 'cut' || request.method === 'HEAD') return undefined
  try {
    return bodyComplaint(outcome)
  } catch (error) {
    return `unreadable body: ${error instanceof Error ? error.message : String(error)}`
  }
}

function bodyComplaint({ status, headers, body: wire }: Answer): string | undefined {
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire
  const type = headers['content-type'] ?? ''
  if (type.startsWith('text/html')) return 'an answer in HTML'
  if (/\bat \S+ \(|node_modules|file:\/\//.test(body.toString('latin1', 0, 4000)))
    return 'shows a stack trace'
  if (type.includes('stream=watch')) return undefined
  if (/^application\/json/.test(type)) return jsonComplaint(status, body)
  if (type.startsWith('application/vnd.kubernetes.protobuf')) {
    // Upstream, too, sends these without an apiVersion, which no decoder takes.
    if (status === 200 && (body.includes('APIVersions') || body.includes('APIResourceList'))) return undefined
    const value = decode(body, { typeFor: typeForKind })
    return status >= 400 ? statusComplaint(value, status) : undefined
  }
  return undefined
}

function jsonComplaint(status: number, body: Buffer): string | undefined {
  // Watches send one event a line.
  const text = body.toString()
  if (status >= 300 && status < 400 && body.length === 0) return undefined
  if (status < 300) {
    for (const line of text.startsWith('{"type":') ? text.trimEnd().split('\n') : [text]) JSON.parse(line)
    return undefined
  }
  return statusComplaint(JSON.parse(text), status)
}

function statusComplaint(value: unknown, status: number): string | undefined {
  if (!isObject(value) || value['kind'] !== 'Status' || value['apiVersion'] !== 'v1') return 'is no Status'
  if (value['status'] !== 'Failure') return 'a Status that is no failure'
  if (value['code'] !== status) return `code ${JSON.stringify(value['code'])} in an answer of ${status}`
  if (typeof value['message'] !== 'string' || value['message'] === '') return 'a Status without a message'
  if (value['reason'] !== undefined && typeof value['reason'] !== 'string') return 'a reason that is no text'
  return undefined
}
