// Two clients that send the fuzzer's requests over real sockets: node's HTTP/1.1 with kept connections, and its HTTP/2.
import { Agent, request as httpsRequest } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Access } from '../process/server.ts'
import type { FuzzRequest } from './requests.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The client left before the end. */
  readonly left: boolean
}

/** `gone`: the connection or the stream ended without an answer. */
export type Outcome = Answer | 'gone' | 'hang'

export interface Client {
  send(request: FuzzRequest): Promise<Outcome>
  close(): void
}

/** Every request is answered within this, or the server hangs: beyond the server's own time for one, on a busy machine. */
export const PATIENCE_MS = 120_000
/** Node's own window, 64 KiB, would make large answers wait for many turns of two busy processes. */
const WINDOW = 8 * 1024 * 1024
/** Beyond its own 10 MB node refuses answers. */
const MEMORY_MB = 1000
/** Who drops a watch does so this long after its answer began. */
const LOOK_MS = 3

export function http1Client(access: Access, connections: number): Client {
  const { host, port, ca, cert, key } = access
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca, cert, key })
  const send = (request: FuzzRequest): Promise<Outcome> =>
    new Promise((resolve) => {
      const { method, target: path, body, manner } = request
      const headers = [...request.headers.flat(), 'host', `${host}:${port}`]
      if (body) headers.push('content-length', String(body.length))
      const outgoing = httpsRequest({ agent, host, port, method, path, headers })
      const timer = setTimeout(() => settle('hang'), PATIENCE_MS)
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer)
        resolve(outcome)
        if (outcome === 'hang') outgoing.destroy()
      }
      outgoing.on('error', () => settle('gone'))
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = []
        const answer = (left: boolean): void => {
          const { statusCode: status = 0, headers: got } = incoming
          settle({ status, headers: got, body: Buffer.concat(chunks), left })
        }
        incoming.on('data', (chunk: Buffer) => void chunks.push(chunk))
        incoming.on('end', () => answer(false))
        incoming.on('error', () => answer(true))
        if (manner !== 'drop' || incoming.statusCode !== 200) return
        setTimeout(() => {
          answer(true)
          outgoing.destroy()
        }, LOOK_MS)
      })
      if (manner !== 'cut' || !body) return void outgoing.end(body)
      outgoing.write(body.subarray(0, body.length >> 1))
      setTimeout(() => outgoing.destroy(), LOOK_MS)
    })
  return { send, close: () => agent.destroy() }
}

export function http2Client(access: Access): Client {
  const { host, port, ca, cert, key } = access
  let session: ClientHttp2Session | undefined
  const opened = (): ClientHttp2Session => {
    if (session && !session.closed && !session.destroyed) return session
    const settings = { initialWindowSize: WINDOW }
    const made = connect(`https://${host}:${port}`, { ca, cert, key, settings, maxSessionMemory: MEMORY_MB })
    made.on('error', () => undefined)
    made.once('connect', () => made.setLocalWindowSize(WINDOW))
    return (session = made)
  }
  return {
    send: (request) => sendOn(opened(), request),
    close: () => session?.destroy(),
  }
}

function sendOn(session: ClientHttp2Session, request: FuzzRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    const { method, target, body, manner } = request
    const headers = Object.create(null) as Record<string, string>
    for (const [name, value] of request.headers) headers[name] = value
    Object.assign(headers, { ':method': method, ':path': target })
    const stream = open(session, headers, body === undefined)
    if (!stream) return resolve('gone')
    let got: IncomingHttpHeaders = {}
    const chunks: Buffer[] = []
    const timer = setTimeout(() => settle('hang'), PATIENCE_MS)
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer)
      resolve(outcome)
      if (outcome === 'hang') stream.close(constants.NGHTTP2_CANCEL)
    }
    const answer = (left: boolean): void => {
      const status = Number(got[':status'] ?? 0)
      settle(status === 0 ? 'gone' : { status, headers: got, body: Buffer.concat(chunks), left })
    }
    stream.on('response', (incoming) => {
      got = incoming
      if (manner !== 'drop' || incoming[':status'] !== 200) return
      setTimeout(() => {
        answer(true)
        stream.close(constants.NGHTTP2_CANCEL)
      }, LOOK_MS)
    })
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    stream.on('end', () => answer(false))
    stream.on('error', () => undefined)
    stream.on('close', () => answer(stream.rstCode !== constants.NGHTTP2_NO_ERROR))
    if (!body) return
    if (manner !== 'cut') return void stream.end(body)
    stream.write(body.subarray(0, body.length >> 1))
    setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), LOOK_MS)
  })
}

/** undefined where node itself refuses to send such headers. */
function open(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  endStream: boolean,
): ClientHttp2Stream | undefined {
  try {
    return session.request(headers, { endStream })
  } catch {
    return undefined
  }
}
