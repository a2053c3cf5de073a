// A client for the issuers of tokens, which this server asks for their configuration and keys.
// Follows github.com/coreos/go-oidc, as far as k8s.io/apiserver/plugin/pkg/authenticator/token/oidc uses it.
import { Agent, request } from 'node:https'
import { type HttpReply, replyTo } from './httpreply.ts'

/** GETs; rejects with node's error where nobody answers in time. Any status is an answer. Redirects are not followed. */
export type HttpsClient = (url: string) => Promise<HttpReply>

/** From the first byte sent to the last one received. */
const TIMEOUT_MS = 30_000
/** No configuration or set of keys comes near it. */
const MAX_BYTES = 4 * 1024 * 1024
/** Connections that wait for the next question. */
const MAX_IDLE = 8

/** `ca`: PEM; absent: the CAs that node knows. */
export function httpsClient(ca?: string): HttpsClient {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE, ...(ca === undefined ? {} : { ca }) })
  return (url) => get(agent, url)
}

function get(agent: Agent, url: string): Promise<HttpReply> {
  const headers = { accept: 'application/json' }
  const sent = request(url, { headers, agent, signal: AbortSignal.timeout(TIMEOUT_MS) })
  const reply = replyTo(sent, { whose: new URL(url).host, maxBytes: MAX_BYTES })
  sent.end()
  return reply
}
