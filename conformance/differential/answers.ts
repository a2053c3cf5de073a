// Answers of two servers, made comparable and compared: what differs by its nature (identities, times, versions,
// addresses that were drawn) is left out. Used by all scripts here.
import { type IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import type { Json, JsonObject } from '../../src/machinery/json.ts'

export interface Answer {
  readonly status: number
  readonly body: Json
  readonly warnings: readonly string[]
  readonly headers?: IncomingHttpHeaders
}

export const isMap = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object, or an empty one where it is none. */
export const mapOf = (value: Json | undefined): JsonObject => (isMap(value) ? value : {})

/** A request as it goes over the wire, but for who asks. */
export interface Question {
  readonly method: string
  readonly path: string
  /** A list where a header comes more than once. A token of its own takes the administrator's place. */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

/** A server and the token of an administrator. */
export class Peer {
  readonly #url: URL
  readonly #token: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false })

  constructor(url: string, token: string) {
    this.#url = new URL(url)
    this.#token = token
  }

  /** Sends JSON, under the name of `type`; resolves with the whole answer. Rejects where the connection breaks. */
  send(method: string, path: string, body?: JsonObject, type = contentType(method)): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = { accept: 'application/json', ...(text ? { 'content-type': type } : {}) }
    return this.ask({ method, path, headers, body: text })
  }

  /** Sends what is there as it is; resolves with the whole answer. Rejects where an answer breaks off. */
  ask({ method, path, headers: said, body = '' }: Question): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...said,
      'user-agent': 'differential/1',
      ...(body ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
    }
    return new Promise((resolve, reject) => {
      const sent = request(
        { agent: this.#agent, host: this.#url.hostname, port: this.#url.port, method, path, headers },
        (answer) => {
          const parts: Buffer[] = []
          answer.on('data', (part: Buffer) => parts.push(part))
          answer.on('error', reject)
          answer.on('end', () => {
            const warning = answer.headers['warning']
            resolve({
              status: answer.statusCode ?? 0,
              body: parse(Buffer.concat(parts).toString()),
              warnings: warning === undefined ? [] : [String(warning)],
              headers: answer.headers,
            })
          })
        },
      )
      sent.on('error', () => resolve({ status: 0, body: 'the connection was broken off', warnings: [] }))
      sent.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

const contentType = (method: string): string =>
  method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

const DRAWN = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'time', 'deletionTimestamp'])
const ADDRESSES = new Set(['clusterIP', 'clusterIPs', 'nodePort', 'healthCheckNodePort'])

/** Without what every server draws for itself. */
function settled(value: Json, key = ''): Json {
  if (DRAWN.has(key) && typeof value === 'string') return `<${key}>`
  if (ADDRESSES.has(key) && JSON.stringify(value) !== '"None"' && value !== 0) return `<${key}>`
  if (typeof value === 'string') return settledText(value)
  if (Array.isArray(value)) return value.map((item) => settled(item, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.keys(value).map((name) => [settledText(name), settled(value[name] as Json, name)]),
  )
}

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TOKEN_VOLUME = /kube-api-access-[a-z0-9]{5}/g
const TIME = /20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/g

/** Of the ranges that are the default of both: what each has given out. */
const ADDRESS = /10\.96\.[0-9]{1,3}\.[0-9]{1,3}/g
const NODE_PORT =
  /(nodePort: \{[A-Z]+ |^Duplicate value: |\[[0-9]+\]\.nodePort: Duplicate value: )3[0-2][0-9]{3}/g

const settledText = (text: string): string =>
  text
    .replaceAll(UID, '<uid>')
    .replaceAll(TIME, '<time>')
    .replaceAll(TOKEN_VOLUME, '<volume>')
    .replaceAll(ADDRESS, '<address>')
    .replaceAll(NODE_PORT, '$1<port>')

/**
 * How two answers differ, a line for each place or cause: `-` what only theirs has, `+` what only ours has. Causes in
 * another order are told in a line of their own.
 */
export function differences(theirs: Answer, ours: Answer, messages: boolean): string[] {
  const found: string[] = []
  const [left, right] = [settled(theirs.body), settled(ours.body)]
  if (theirs.status !== ours.status) found.push(`code: ${theirs.status} → ${ours.status}`)
  if (theirs.status >= 400 || ours.status >= 400) compareFaults(left, right, messages, found)
  else compare(left, right, '', found)
  if (messages) compare(settled([...theirs.warnings]), settled([...ours.warnings]), 'warnings', found)
  return found
}

interface Refusal {
  readonly kind?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: JsonObject & {
    readonly causes?: readonly {
      readonly field?: string
      readonly reason?: string
      readonly message?: string
    }[]
  }
}

/** Characters of a value, and of a cause's message, in the report. */
const SHOWN = 200
const CAUSES = '<its causes>'

interface Line {
  /** Lines with the same one are the same. */
  readonly key: string
  readonly shown: string
}

/** A message that is put together of its causes says no more than they do, but for their order. */
function settledMessage({ message = '', details }: Refusal): string {
  const texts = (details?.causes ?? []).map(({ field, message: said }) =>
    field ? `${field}: ${said}` : said,
  )
  const once = [...new Set(texts)]
  const all = once.length === 1 ? String(once[0]) : `[${once.join(', ')}]`
  return once.length > 0 && message.endsWith(all) ? message.slice(0, -all.length) + CAUSES : message
}

function linesOf(refusal: Refusal, messages: boolean): Line[] {
  const { kind, message, reason, details } = refusal
  if (kind !== 'Status') return []
  const causes = (details?.causes ?? []).map((cause): Line => {
    const [place, said] = [`${cause.field} ${cause.reason}`, JSON.stringify(cause.message)]
    return {
      key: messages ? `${place} ${said}` : place,
      shown: `${cause.field}: ${cause.reason?.replace('FieldValue', '')}: ${said}`,
    }
  })
  const about = `${reason} ${details?.['group']} ${details?.['kind']} ${details?.['name']}`
  const lines: Line[] = [{ key: about, shown: about }, ...causes]
  const whole = settledMessage(refusal)
  if (!causes.length || messages)
    lines.push({ key: messages ? whole : '', shown: `${messages ? whole : message}` })
  return lines
}

function compareFaults(left: Json, right: Json, messages: boolean, found: string[]): void {
  const [theirs, ours] = [linesOf(left as Refusal, messages), linesOf(right as Refusal, messages)]
  const before = found.length
  const [gone, come] = [without(theirs, ours), without(ours, theirs)]
  found.push(...gone.map((line, i) => `- ${excerpt(line, come[i])}`))
  found.push(...come.map((line, i) => `+ ${excerpt(line, gone[i])}`))
  const [first, second] = [orderOf(left as Refusal), orderOf(right as Refusal)]
  if (found.length === before && first !== second) found.push(`order of causes: ${first} → ${second}`)
}

/** So much of a line as says what is different. */
function excerpt(line: string, other = ''): string {
  let same = 0
  while (same < line.length && line[same] === other[same]) same++
  const from = same > SHOWN / 2 ? same - SHOWN / 4 : 0
  return from === 0
    ? line.slice(0, SHOWN)
    : `${line.slice(0, SHOWN / 4)} … ${line.slice(from, from + (SHOWN * 3) / 4)}`
}

/** Maps whose keys are told of without their names. */
const WALKED = /^status\.allocatedResource(s|Statuses)$/
/** What a metric holds besides its own sort, from a map, too. */
const OTHER_SORT = /^spec\.metrics\[[0-9]+\]\.[a-zA-Z]+$/

/** From a map's key on. */
const OF_A_MAP = /\[[^0-9\]][^\]]*\].*|Annotations.*/i

/** Where causes are, in order; upstream walks maps in random order. */
const orderOf = ({ details }: Refusal): string =>
  (details?.causes ?? [])
    .map(({ field = '', reason }) => {
      if (reason === 'FieldValueForbidden' && OTHER_SORT.test(field)) return 'spec.metrics'
      const place = field.replace(OF_A_MAP, '[*]')
      return place !== field || WALKED.test(field) ? place : `${field} ${reason}`
    })
    .join()

/** The lines of `some` that `others` lack; one that is there twice must be there twice. */
function without(some: readonly Line[], others: readonly Line[]): string[] {
  const keys = others.map(({ key }) => key)
  return some
    .filter(({ key }) => {
      const place = keys.indexOf(key)
      if (place >= 0) keys.splice(place, 1)
      return place < 0
    })
    .map(({ shown }) => shown)
}

const show = (value: Json | undefined): string =>
  value === undefined ? 'nothing' : JSON.stringify(value).slice(0, SHOWN)

function compare(theirs: Json | undefined, ours: Json | undefined, path: string, found: string[]): void {
  if (theirs === ours) return
  const both = typeof theirs === 'object' && typeof ours === 'object' && theirs !== null && ours !== null
  if (both && Array.isArray(theirs) === Array.isArray(ours)) {
    const [left, right] = [theirs as JsonObject, ours as JsonObject]
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      compare(left[key], right[key], `${path}/${key}`, found)
    }
  } else found.push(`${path}: ${show(theirs)} → ${show(ours)}`)
}
