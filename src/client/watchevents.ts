// A watch's stream of bytes as events: one JSON text a line. Follows k8s.io/client-go/rest/watch and
// k8s.io/apimachinery/pkg/util/framer.
import type { Status } from '../machinery/status.ts'
import type { ApiObject } from './resource.ts'

export type WatchEvent<T extends ApiObject = ApiObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: Status }

/** Who reads an event's text in place of JSON.parse. */
export interface EventReader {
  read<T extends ApiObject>(line: Buffer): WatchEvent<T>
}

/** One event may be as large as an object may, with room for what the server adds. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const NEWLINE = 0x0a

/** Rejects with SyntaxError for a line that is no JSON: the connection broke in the middle. */
export async function* watchEvents<T extends ApiObject>(
  chunks: AsyncIterable<Buffer>,
  objects?: EventReader,
): AsyncGenerator<WatchEvent<T>> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const line =
        rest.length > 0 ? Buffer.concat([...rest, chunk.subarray(from, at)]) : chunk.subarray(from, at)
      rest = []
      restBytes = 0
      from = at + 1
      if (line.length > 0) yield objects?.read<T>(line) ?? (JSON.parse(line.toString()) as WatchEvent<T>)
    }
    if (from === chunk.length) continue
    rest.push(chunk.subarray(from))
    restBytes += chunk.length - from
    if (restBytes > MAX_LINE_BYTES) throw new Error(`an event of more than ${MAX_LINE_BYTES} bytes`)
  }
  if (rest.length > 0) throw new Error('the watch broke off inside an event')
}
