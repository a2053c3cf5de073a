// Answers that are ours where an extension server gives none.
import type { Proxied } from '../server/extensions.ts'

/** A page of plain text, as Go's http.Error writes it; answers the status. */
export function say({ exchange, baseHeaders }: Proxied, status: number, text: string): number {
  const headers = {
    ...baseHeaders,
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  }
  exchange.answer(status, headers, Buffer.from(`${text}\n`))
  return status
}
