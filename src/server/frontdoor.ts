// What HTTP/1.1 clients send that no reader of requests may see: versions and hosts that are none, more headers than are
// read, bytes that no parser takes; and connections that nobody uses. Stands between the port and its exchanges.
// Follows net/http's server, whose words these are, as k8s.io/apiserver/pkg/server/secure_serving.go has it set up.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Header fields of a request, of either protocol. Upstream counts their bytes alone; a field costs the more here the
 * smaller it is. Beyond, requests are refused: what is cut off might have said who asks, or for whom.
 */
export const MAX_HEADER_FIELDS = 4096
/** Connections without a request are closed after this long, as upstream's IdleTimeout. */
export const IDLE_MS = 90_000

/** How long the rest of a body is waited for that nobody reads. */
const REST_MS = 32_000

/** A host as RFC 9110 writes it, in the letters that Go takes. */
const HOST = /^[A-Za-z0-9!$%&'()*+,\-.:;=[\]_~]*$/

interface Fault {
  readonly code: number
  readonly status: string
  readonly text: string
}

const fault = (code: number, status: string, text = `${code} ${status}`): Fault => ({ code, status, text })
const badRequest = (why: string): Fault => fault(400, `Bad Request: ${why}`, `400 Bad Request: ${why}`)

const MALFORMED = fault(400, 'Bad Request')
const VERSION = fault(505, 'HTTP Version Not Supported: unsupported protocol version')
const TOO_MANY = fault(431, 'Request Header Fields Too Large')
const NO_HOST = badRequest('missing required Host header')
const BAD_HOST = badRequest('malformed Host header')

/** Why the request is not worth reading; undefined: it is. */
export function faultOf({
  httpVersionMajor,
  httpVersionMinor,
  rawHeaders,
}: IncomingMessage): Fault | undefined {
  if (httpVersionMajor === 0) return MALFORMED
  if (httpVersionMajor !== 1) return VERSION
  if (rawHeaders.length > MAX_HEADER_FIELDS * 2) return TOO_MANY
  let host: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (host !== undefined) return MALFORMED
    host = rawHeaders[i + 1] as string
  }
  if (host === undefined) return httpVersionMinor === 0 ? undefined : NO_HOST
  return HOST.test(host) ? undefined : BAD_HOST
}

/** The answer, and the end of the connection. */
export function hangUp(socket: Socket, { code, status, text }: Fault): void {
  if (!socket.writable) return void socket.destroy()
  const head = `HTTP/1.1 ${code} ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n`
  socket.end(head + text)
  // Who goes on sending is not heard.
  socket.once('finish', () => socket.destroy())
}

/** What the parser says of bytes that it does not take. */
const PARSER_FAULTS: Readonly<Record<string, Fault>> = {
  HPE_HEADER_OVERFLOW: TOO_MANY,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: fault(413, 'Request Entity Too Large'),
}

/** Who uses each connection of HTTP/1.1. */
export class Connections {
  readonly #idleMs: number
  readonly #uses = new WeakMap<Socket, { open: number; response: ServerResponse | undefined }>()

  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** A request has come, whose answer ends with `response`: the connection must not be closed for silence. */
  begins(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    let use = this.#uses.get(socket)
    if (!use) this.#uses.set(socket, (use = { open: 0, response }))
    use.open++
    use.response = response
    socket.setTimeout(0)
    response.once('close', () => {
      use.open--
      if (!request.complete) awaitRest(request)
      if (use.open === 0 && !socket.destroyed) socket.setTimeout(this.#idleMs)
    })
  }

  /** The parser has given up on the connection, or waited for too long. */
  failed(error: NodeJS.ErrnoException, socket: Socket): void {
    const isAnswered = this.#uses.get(socket)?.response?.headersSent === true && this.#isOpen(socket)
    if (isAnswered || error.code === 'ECONNRESET' || error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
      return void socket.destroy()
    hangUp(socket, PARSER_FAULTS[error.code ?? ''] ?? MALFORMED)
  }

  #isOpen(socket: Socket): boolean {
    return (this.#uses.get(socket)?.open ?? 0) > 0
  }
}

/** A client that has its answer may send the rest of its body, and then the next request; not for ever. */
function awaitRest(request: IncomingMessage): void {
  const timer = setTimeout(() => request.socket.destroy(), REST_MS).unref()
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
}

/** The path and query of a URL that names a host as well, as proxies send it. */
export function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const [authority] = /^https?:\/\/[^/?#]*/i.exec(url) ?? []
  if (authority === undefined) return url
  const rest = url.slice(authority.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
