// The reply to a question that this process asks over HTTP: read whole, up to a bound.
import type { ClientRequest } from 'node:http'

export interface HttpReply {
  readonly status: number
  readonly body: Buffer
}

/**
 * Call before the request is ended. Any status is a reply; rejects with node's error where nobody answers, and where
 * the body is longer than `maxBytes`, naming whose it is.
 */
export function replyTo(
  sent: ClientRequest,
  { whose, maxBytes }: { readonly whose: string; readonly maxBytes: number },
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', (answer) => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('error', reject)
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > maxBytes) sent.destroy(new Error(`the answer of ${whose} is too large`))
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }))
    })
  })
}
