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
  return new Promise((resolve, reject) => new Reading(stream, limit, { resolve, reject }))
}

interface Outcome {
  resolve(body: Buffer): void
  reject(error: Error): void
}

/** The bodies that are being read, oldest first. One timer looks after all of them: setting one for each costs more. */
const readings = new Set<Reading>()
let sweep: NodeJS.Timeout | undefined
/** Bodies are given up this much late at most. */
const SWEEP_MS = 5_000

function giveUpLate(): void {
  const late = performance.now() - BODY_TIMEOUT_MS
  for (const reading of readings) {
    if (reading.startedAt > late) break
    reading.settle(timedOut())
  }
  if (readings.size > 0) return
  clearInterval(sweep)
  sweep = undefined
}

class Reading {
  readonly startedAt = performance.now()
  readonly #limit: number
  readonly #outcome: Outcome
  readonly #chunks: Buffer[] = []
  #size = 0
  #settled = false

  constructor(stream: Readable, limit: number, outcome: Outcome) {
    this.#limit = limit
    this.#outcome = outcome
    readings.add(this)
    sweep ??= setInterval(giveUpLate, SWEEP_MS).unref()
    // The listeners stay: what comes after the end is read to nowhere, so that the answer can go out on the connection.
    stream.on('data', (chunk: Buffer) => this.#take(chunk)).on('end', () => this.settle(undefined))
    const broken = (): void => (this.#settled ? undefined : this.settle(brokenOff()))
    stream.on('error', broken).on('close', broken)
  }

  #take(chunk: Buffer): void {
    if (this.#settled) return
    this.#size += chunk.length
    if (this.#size > this.#limit) this.settle(requestEntityTooLarge(`limit is ${this.#limit}`))
    else this.#chunks.push(chunk)
  }

  /** The first call counts. */
  settle(error: Error | undefined): void {
    if (this.#settled) return
    this.#settled = true
    readings.delete(this)
    if (error) this.#outcome.reject(error)
    else
      this.#outcome.resolve(
        this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks),
      )
    this.#chunks.length = 0
  }
}

const brokenOff = (): StatusError => badRequest('the request body broke off')

const timedOut = (): StatusError =>
  new StatusError({ code: 408, reason: 'Timeout', message: 'the request body did not arrive in time' })
