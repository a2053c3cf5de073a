// Connections to webhooks: kept while they are well, one question at a time on each, HTTP/1.1.
// node's own client costs twice as much of the processor for each call, and cannot say what Go says of garbage.
// Follows net/http/transport.go of Go, as far as k8s.io/apiserver/pkg/util/webhook uses it.
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectSecure, type ConnectionOptions } from 'node:tls'
import { connectionFault } from './gofaults.ts'
import type { Reply } from './answer.ts'
import { ReplyFault, ReplyReader } from './reply.ts'
import type { Address } from '../extension/serviceresolver.ts'

/** Connections to one place that wait for the next question: as many as Go's transport keeps for a host of client-go's. */
const MAX_IDLE_CONNECTIONS = 25
/** A connection that was idle for longer may be dead without our knowing. */
const IDLE_MS = 90_000

/** Nobody answered; said behind what was asked. */
export class TransportError extends Error {
  readonly isLate: boolean
  /** The connection broke: another may hold. */
  readonly isReset: boolean
  constructor(message: string, { isLate = false, isReset = false } = {}) {
    super(message)
    this.isLate = isLate
    this.isReset = isReset
  }
}

const DEADLINE = 'context deadline exceeded'
const BROKEN = 'net/http: HTTP/1.x transport connection broken: '
const CUT_SHORT = 'unexpected error when reading response body. Please retry. Original error: '

/** How the connections of one webhook are made. */
export interface Wiring {
  /** The name that the certificate must have. */
  readonly hostname: string
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined
}

/** The connections of one webhook, to all its addresses. */
export class Wires {
  readonly #wiring: Wiring
  readonly #idle = new Map<string, Wire[]>()
  isClosed = false

  constructor(wiring: Wiring) {
    this.#wiring = wiring
  }

  /** Sends a whole request. Rejects with TransportError where there is no reply, with an Error where it breaks off. */
  async ask(address: Address, request: Buffer, timeoutMs: number): Promise<Reply> {
    const key = `${address.host} ${address.port}`
    const wire = this.#take(key) ?? new Wire(address, this.#wiring)
    const reply = await wire.ask(request, timeoutMs)
    if (wire.isWell) this.#give(key, wire)
    return reply
  }

  /** Ends what is idle, and lets nothing become so. */
  close(): void {
    this.isClosed = true
    for (const wires of this.#idle.values()) for (const wire of wires) wire.end()
    this.#idle.clear()
  }

  #take(key: string): Wire | undefined {
    const wires = this.#idle.get(key)
    const oldest = performance.now() - IDLE_MS
    for (let wire = wires?.pop(); wire; wire = wires?.pop()) {
      if (wire.isWell && wire.idleSince > oldest) return wire
      wire.end()
    }
    return undefined
  }

  #give(key: string, wire: Wire): void {
    let wires = this.#idle.get(key)
    if (!wires) this.#idle.set(key, (wires = []))
    if (this.isClosed || wires.length >= MAX_IDLE_CONNECTIONS) return wire.end()
    wire.rest(() => {
      const at = wires.indexOf(wire)
      if (at >= 0) wires.splice(at, 1)
      if (wires.length === 0 && this.#idle.get(key) === wires) this.#idle.delete(key)
    })
    wires.push(wire)
  }
}

interface Waiting {
  readonly reader: ReplyReader
  readonly timer: NodeJS.Timeout
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

/** One connection. */
class Wire {
  /** Open, and nobody waits on it. */
  isWell = false
  idleSince = 0
  readonly #socket: Socket
  readonly #address: Address
  readonly #hostname: string
  #waiting: Waiting | undefined
  /** What is to be sent once the other side is known. */
  #unsent: Buffer | undefined
  #isOpen = false
  #lost: (() => void) | undefined

  constructor(address: Address, { hostname, tls }: Wiring) {
    this.#address = address
    this.#hostname = hostname
    const to = { host: address.host, port: address.port, noDelay: true, keepAlive: true }
    this.#socket = tls ? connectSecure({ ...to, ...tls }) : connectPlain(to)
    this.#socket.once(tls ? 'secureConnect' : 'connect', () => this.#open())
    this.#socket.on('data', (chunk: Buffer) => this.#hear(chunk))
    this.#socket.on('error', (error) => this.#fail(this.#faultOf(error)))
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('close', () => this.#ended())
  }

  ask(request: Buffer, timeoutMs: number): Promise<Reply> {
    this.isWell = false
    this.#lost = undefined
    this.#socket.ref()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#late(), timeoutMs)
      this.#waiting = { reader: new ReplyReader(), timer, resolve, reject }
      if (this.#isOpen) this.#socket.write(request)
      else this.#unsent = request
    })
  }

  /** Waits for the next question, without keeping the process alive; `lost` is told when the connection ends. */
  rest(lost: () => void): void {
    this.idleSince = performance.now()
    this.#lost = lost
    this.#socket.unref()
  }

  end(): void {
    this.isWell = false
    this.#socket.destroy()
  }

  /** The other side has shown who it is: only now it is told anything. */
  #open(): void {
    this.#isOpen = true
    if (this.#unsent) this.#socket.write(this.#unsent)
    this.#unsent = undefined
  }

  #hear(chunk: Buffer): void {
    const reader = this.#waiting?.reader
    // Nobody has asked.
    if (!reader) return this.end()
    try {
      if (reader.take(chunk)) this.#finish(reader)
    } catch (error) {
      this.#fail(replyError(error as Error))
    }
  }

  #ended(): void {
    const reader = this.#waiting?.reader
    if (!reader) return this.#gone()
    if (!reader.begun) return this.#fail(new TransportError('EOF'))
    try {
      reader.end()
      this.#finish(reader)
    } catch (error) {
      this.#fail(replyError(error as Error))
    }
  }

  #finish(reader: ReplyReader): void {
    const waiting = this.#done()
    this.isWell = reader.keeps && !this.#socket.destroyed
    if (!this.isWell) this.#socket.destroy()
    waiting?.resolve(reader.reply)
  }

  #late(): void {
    const isInBody = this.#waiting?.reader.inBody ?? false
    this.#fail(isInBody ? new Error(CUT_SHORT + DEADLINE) : new TransportError(DEADLINE, { isLate: true }))
  }

  #fail(error: Error): void {
    const waiting = this.#done()
    this.#gone()
    waiting?.reject(error)
  }

  #done(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) clearTimeout(waiting.timer)
    return waiting
  }

  #gone(): void {
    this.end()
    this.#lost?.()
    this.#lost = undefined
  }

  #faultOf(error: NodeJS.ErrnoException): Error {
    const { host, port } = this.#address
    const text = connectionFault(error, { host, port, hostname: this.#hostname })
    if (this.#waiting?.reader.inBody) return new Error(CUT_SHORT + text)
    return new TransportError(text, { isReset: isReset(error) })
  }
}

function replyError(error: Error): Error {
  if (!(error instanceof ReplyFault)) return error
  return error.inBody ? new Error(CUT_SHORT + error.message) : new TransportError(BROKEN + error.message)
}

/** A TLS handshake that is hung up on is said by this code too: that is no connection that broke. */
const isReset = ({ code, message }: NodeJS.ErrnoException): boolean =>
  (code === 'ECONNRESET' && !/^(socket hang up|Client network socket disconnected)/.test(message)) ||
  code === 'ECONNABORTED' ||
  code === 'EPIPE'
