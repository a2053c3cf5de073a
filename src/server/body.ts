// Reads a request's body, bounded in size and time.
import type { Readable } from 'node:stream'
import { badRequest, requestEntityTooLarge, StatusError } from '../machinery/status.ts'
import { BODY_TIMEOUT_MS } from './exchange.ts'

const EMPTY = Buffer.alloc(0)

/** All bytes of the stream; rejects with 413 beyond `limit`, 408 when it takes too long, 400 when it breaks off. */
export function readAll(stream: Readable, limit: number): Promise<Buffer> {
  // Node ends an HTTP/2 body that is one empty frame by itself, before anybody listens.
  if (stream.readableEnded) return Promise.resolve(EMPTY)
  // A client that broke off before anybody asked for its body: nothing will tell of it again.
  if (stream.destroyed) return Promise.reject(brokenOff())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => settle(timedOut()), BODY_TIMEOUT_MS)
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit) return settle(requestEntityTooLarge(`limit is ${limit}`))
      chunks.push(chunk)
    }
    const onEnd = (): void => settle(undefined)
    const onBroken = (): void => settle(brokenOff())
    const settle = (error: Error | undefined): void => {
      clearTimeout(timer)
      stream.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken)
      // What is left is read to nowhere, so that the answer can go out on the same connection.
      stream.on('error', () => undefined).resume()
      if (error) reject(error)
      else
        resolve(
          chunks.length === 0 ? EMPTY : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
        )
    }
    stream.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken)
  })
}

const brokenOff = (): StatusError => badRequest('the request body broke off')

const timedOut = (): StatusError =>
  new StatusError({ code: 408, reason: 'Timeout', message: 'the request body did not arrive in time' })
