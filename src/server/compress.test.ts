import { describe, expect, it } from 'vitest'
import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { compressed, wantsGzip } from './compress.ts'
import type { Exchange } from './exchange.ts'

const exchange = (address: string, accept?: string): Exchange =>
  ({
    peer: { address, certificate: undefined },
    headers: accept === undefined ? {} : { 'accept-encoding': accept },
  }) as unknown as Exchange

async function bytesOf(pieces: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

describe('gzip', () => {
  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '192.0.2.1'])(
    'is read by any client, sent to %s',
    async (address) => {
      const pieces = [
        randomBytes(10),
        randomBytes(200_000),
        Buffer.from('x'.repeat(65_535)),
        Buffer.alloc(0),
        Buffer.from('end'),
      ]
      const packed = await bytesOf(compressed(exchange(address), pieces))
      expect(gunzipSync(packed).equals(Buffer.concat(pieces))).toBe(true)
    },
  )

  it('packs what goes to other machines', async () => {
    const body = Buffer.from('kubernetes '.repeat(100_000))
    expect((await bytesOf(compressed(exchange('192.0.2.1'), body))).length).toBeLessThan(body.length / 20)
  })

  it.each([
    ['gzip', 200_000, true],
    ['deflate, gzip;q=0.5', 200_000, true],
    ['gzip', 1000, false],
    ['identity', 200_000, false],
    [undefined, 200_000, false],
  ])('is for clients that take it and answers that are large: %s, %i bytes', (accept, size, expected) => {
    expect(wantsGzip(exchange('127.0.0.1', accept), Buffer.alloc(size))).toBe(expected)
  })
})
