// How the scheduler asks its extenders: POSTs of JSON, over TLS where the configuration says so.
// Follows makeTransport and send of k8s.io/kubernetes/pkg/scheduler/extender.go.
import { Agent as PlainAgent, request as plain } from 'node:http'
import { Agent, request as secure } from 'node:https'
import type { ExtenderConfig } from '../../scheduler/config/extenders.ts'
import type { PostJson } from '../../scheduler/extenders.ts'
import { fileBytes } from '../files.ts'
import { replyTo } from '../access/httpreply.ts'
import { StartError } from '../options.ts'

/** An answer may name all nodes of a large cluster, with all that they are. */
const MAX_BYTES = 256 * 1024 * 1024
/** Connections that wait for the next question; as upstream's. */
const MAX_IDLE = 2

/** Throws StartError for files that cannot be read. */
export function postToExtender(extender: ExtenderConfig): PostJson {
  const agents = {
    secure: new Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE, ...tlsOf(extender) }),
    plain: new PlainAgent({ keepAlive: true, maxFreeSockets: MAX_IDLE }),
  }
  return (url, body) => post(agents, { url, body: Buffer.from(JSON.stringify(body)), ...extender })
}

function tlsOf({ tls, enableHTTPS }: ExtenderConfig): ConstructorParameters<typeof Agent>[0] & object {
  const read = (data: string, file: string): Buffer | undefined => {
    if (data !== '') return Buffer.from(data, 'base64')
    return file === '' ? undefined : fileBytes(file)
  }
  const ca = read(tls.caData, tls.caFile)
  const cert = read(tls.certData, tls.certFile)
  const key = read(tls.keyData, tls.keyFile)
  if ((cert === undefined) !== (key === undefined))
    throw new StartError('an extender needs its certificate and its key, or neither')
  return {
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key } : {}),
    ...(tls.serverName === '' ? {} : { servername: tls.serverName }),
    // As upstream: whoever names no CA trusts anybody.
    ...(tls.insecure || (enableHTTPS && !ca) ? { rejectUnauthorized: false } : {}),
  }
}

interface Question {
  readonly url: string
  readonly body: Buffer
  /** In ms. */
  readonly httpTimeout: number
}

/** Rejects where nobody answers in time. */
function post(
  agents: { readonly secure: Agent; readonly plain: PlainAgent },
  { url, body, httpTimeout }: Question,
): ReturnType<PostJson> {
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const options = { method: 'POST', headers, signal: AbortSignal.timeout(httpTimeout) }
  const sent = url.startsWith('https:')
    ? secure(url, { ...options, agent: agents.secure })
    : plain(url, { ...options, agent: agents.plain })
  const reply = replyTo(sent, { whose: url, maxBytes: MAX_BYTES })
  sent.end(body)
  return reply
}
