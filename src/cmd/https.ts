// A client for the few servers that this one asks by itself: webhooks, and issuers of tokens.
// Follows k8s.io/client-go/rest, as far as k8s.io/apiserver/pkg/util/webhook uses it.
import { Agent as PlainAgent, type OutgoingHttpHeaders, request as plain } from 'node:http'
import { Agent, request as secure } from 'node:https'

export interface ClientTls {
  /** PEM; absent: the CAs that node knows. */
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface HttpsReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export interface HttpsRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Buffer
}

export type HttpsClient = (request: HttpsRequest) => Promise<HttpsReply>

/** From the first byte sent to the last one received. */
const TIMEOUT_MS = 30_000
/** No review, configuration or set of keys comes near it. */
const MAX_BYTES = 4 * 1024 * 1024
/** Connections that wait for the next question. */
const MAX_IDLE = 8

/** Rejects with node's error where nobody answers in time; any status is an answer. Redirects are not followed. */
export function httpsClient(tls: ClientTls = {}): HttpsClient {
  const agents = {
    secure: new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE, ...tls }),
    plain: new PlainAgent(),
  }
  return (request) => ask(agents, request)
}

function ask(
  agents: { secure: Agent; plain: PlainAgent },
  { method, url, headers = {}, body }: HttpsRequest,
) {
  return new Promise<HttpsReply>((resolve, reject) => {
    const sized = body ? { ...headers, 'content-length': body.length } : headers
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const sent = url.startsWith('http:')
      ? plain(url, { method, headers: sized, agent: agents.plain, signal })
      : secure(url, { method, headers: sized, agent: agents.secure, signal })
    sent.on('error', reject)
    sent.on('response', (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('error', reject)
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > MAX_BYTES) sent.destroy(new Error(`the answer of ${new URL(url).host} is too large`))
      })
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) })
      })
    })
    sent.end(body)
  })
}
