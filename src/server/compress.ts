// gzip for large answers. Follows k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/writers.go.
//
// Go's clients ask for gzip wherever they are. On the loopback nothing is saved by it, and packing and unpacking 13 MB
// costs more than everything else about the list: there the gzip stream holds stored blocks, which any client reads.
import { Readable } from 'node:stream'
import { crc32, createGzip } from 'node:zlib'
import type { Exchange } from './exchange.ts'
import { joined, SEGMENT_BYTES } from './pieces.ts'

/** Smaller answers gain nothing; upstream's threshold. */
export const MIN_GZIP_BYTES = 128 * 1024
/** As upstream: the fastest level that packs. */
const LEVEL = 1
/** Before each stored block of at most 64 KiB. */
const BLOCK_HEADER = 5

const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
const LAST_BLOCK = Buffer.from([1, 0, 0, 0xff, 0xff])

/** Does the client take gzip, and is the answer large enough? Answers in pieces are large. */
export function wantsGzip(exchange: Exchange, body: Buffer | Iterable<Buffer>): boolean {
  if (Buffer.isBuffer(body) && body.length < MIN_GZIP_BYTES) return false
  const header = exchange.headers['accept-encoding']
  return typeof header === 'string' && header.split(',').some((part) => part.trim().split(';')[0] === 'gzip')
}

/** The answer as a gzip stream. */
export function compressed(
  exchange: Exchange,
  body: Buffer | Iterable<Buffer>,
): Iterable<Buffer> | AsyncIterable<Buffer> {
  const pieces = Buffer.isBuffer(body) ? [body] : body
  if (isLoopback(exchange.peer.address)) return stored(pieces)
  return Readable.from(joined(pieces), { objectMode: false }).pipe(
    createGzip({ level: LEVEL }),
  ) as AsyncIterable<Buffer>
}

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')

function* stored(parts: Iterable<Buffer>): Generator<Buffer> {
  let checksum = 0
  let size = 0
  yield GZIP_HEADER
  for (const piece of joined(parts, BLOCK_HEADER)) {
    for (let at = 0; at < piece.length; at += SEGMENT_BYTES) {
      const content = piece.subarray(at + BLOCK_HEADER, at + SEGMENT_BYTES)
      checksum = crc32(content, checksum)
      size += content.length
      blockHeader(piece, at, content.length)
    }
    yield piece
  }
  const end = Buffer.alloc(LAST_BLOCK.length + 8)
  LAST_BLOCK.copy(end)
  end.writeUInt32LE(checksum >>> 0, LAST_BLOCK.length)
  end.writeUInt32LE(size >>> 0, LAST_BLOCK.length + 4)
  yield end
}

/** A block that is stored, not the last: its length, and that inverted. */
function blockHeader(piece: Buffer, at: number, length: number): void {
  piece[at] = 0
  piece.writeUInt16LE(length, at + 1)
  piece.writeUInt16LE(~length & 0xffff, at + 3)
}
