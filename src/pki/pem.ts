// PEM blocks of a text, as Go finds them: what is no block is passed over, wherever it stands.
// Follows encoding/pem, of which RFC 1421's headers are told of and not read.

export interface PemBlock {
  /** "CERTIFICATE" */
  readonly label: string
  readonly hasHeaders: boolean
  readonly bytes: Buffer
}

const BEGIN = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n/g
const HEADERS = /^(?:[^:\n]*:[^\n]*\n)+\n?/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The blocks one after the other. */
export function* pemBlocks(text: string): Generator<PemBlock> {
  BEGIN.lastIndex = 0
  let from = 0
  for (;;) {
    BEGIN.lastIndex = from
    const begin = BEGIN.exec(text)
    if (!begin) return
    const start = begin.index + begin[0].length
    const [, label = ''] = begin
    const found = blockAt(text, start, label)
    // The line's end is the beginning of what may come next.
    from = found?.end ?? start - 1
    if (found) yield found.block
  }
}

function blockAt(text: string, start: number, label: string): { block: PemBlock; end: number } | undefined {
  const [headers = ''] = HEADERS.exec(text.slice(start)) ?? []
  const inside = start + headers.length
  const tail = `-----END ${label}-----`
  // An empty block ends where it begins.
  const at = text.startsWith(tail, inside) ? inside : text.indexOf(`\n${tail}`, inside) + 1
  if (at === 0) return undefined
  const end = at + tail.length
  const line = text.slice(end, text.indexOf('\n', end) < 0 ? undefined : text.indexOf('\n', end))
  const body = text.slice(inside, at).replaceAll(/[\s]/g, '')
  if (line.trim() !== '' || !BASE64.test(body)) return undefined
  return { block: { label, hasHeaders: headers !== '', bytes: Buffer.from(body, 'base64') }, end }
}

/** The first one; undefined: there is none. */
export const firstBlock = (text: string): PemBlock | undefined => pemBlocks(text).next().value ?? undefined
