// What this server asks an extension server itself, as a proxy that names a user of ours: whether it is there, what it
// serves. Bounded in time and size.
import type { IncomingMessage } from 'node:http'
import type { UserInfo } from '../machinery/user.ts'
import { identityHeaders } from './headers.ts'
import { type Address, type ServiceTransport, Unreachable } from './transport.ts'

export interface Question {
  readonly path: string
  readonly user: UserInfo
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export interface Reply {
  readonly status: number
  readonly contentType: string
  readonly etag: string
  readonly body: Buffer
}

/** No server's discovery or schema comes near it. */
const MAX_BYTES = 32 * 1024 * 1024
const TOO_LATE = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'

/** Rejects with Unreachable or Unresolved. */
export async function ask(transport: ServiceTransport, question: Question, given?: Address): Promise<Reply> {
  if (transport.fault !== undefined) throw new Unreachable(transport.fault)
  const address = given ?? (await transport.address())
  const ended = new AbortController()
  const timer = setTimeout(() => ended.abort(new Unreachable(TOO_LATE)), question.timeoutMs)
  try {
    const response = await transport.send(
      {
        method: 'GET',
        path: question.path,
        headers: { ...question.headers, ...identityHeaders(question.user) },
        signal: ended.signal,
      },
      address,
    )
    return {
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      etag: response.headers.etag ?? '',
      body: await wholeOf(response, ended.signal),
    }
  } finally {
    clearTimeout(timer)
  }
}

function wholeOf(response: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size > MAX_BYTES) response.destroy(new Error('the answer is too large'))
    })
    response.on('end', () => resolve(Buffer.concat(chunks)))
    response.on('error', (error) => {
      reject(signal.reason instanceof Unreachable ? signal.reason : new Unreachable(error.message))
    })
    response.on('close', () => {
      if (!response.complete) reject(new Unreachable('unexpected EOF'))
    })
  })
}
