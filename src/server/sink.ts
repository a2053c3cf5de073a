// A streaming answer over any of node's writable streams.
import type { Writable } from 'node:stream'
import type { ByteSink } from '../handlers/request.ts'
import { giveBack } from './pieces.ts'
import { Turns } from './turns.ts'

/** Of all large answers of this process. */
const turns = new Turns()

export class StreamSink implements ByteSink {
  readonly #stream: Writable
  #closed = false
  readonly #listeners: (() => void)[] = []

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', () => undefined)
    stream.once('close', () => this.#close())
    // A client that went before its answer began: nothing will tell of it again.
    if (stream.destroyed) this.#closed = true
  }

  write(chunk: Buffer): void {
    if (!this.#closed) this.#stream.write(chunk)
  }

  end(): void {
    if (this.#closed) return
    this.#stream.end()
    this.#close()
  }

  abort(): void {
    this.#stream.destroy()
    this.#close()
  }

  get backlog(): number {
    return this.#stream.writableLength
  }

  get closed(): boolean {
    return this.#closed
  }

  drained(): Promise<void> | undefined {
    return this.#stream.writableNeedDrain ? drained(this.#stream) : undefined
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#listeners.push(listener)
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const listener of this.#listeners) listener()
  }
}

/** Writes pieces as fast as the stream takes them, then ends it; stops when it closes. */
export async function pump(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  stream: Writable,
): Promise<void> {
  // A plain loop where it can be one: `for await` over a generator would cost a turn of the event loop for each piece.
  if (!(Symbol.iterator in pieces)) {
    for await (const piece of pieces) {
      if (stream.destroyed) return
      if (!stream.write(piece)) await drained(stream)
    }
    stream.end()
    return
  }
  const rest = pieces[Symbol.iterator]()
  for (;;) {
    const turn = await turns.take()
    try {
      const next = stream.destroyed ? undefined : rest.next()
      if (!next) return
      if (next.done) break
      const piece = next.value
      // After an error the piece may still be on its way.
      if (!stream.write(piece, (error) => error ?? giveBack(piece))) await drained(stream)
    } finally {
      turn.end()
    }
  }
  stream.end()
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.once('drain', done).once('close', done)
  })
}
