// The secure port: TLS with HTTP/2 and HTTP/1.1 on it, every request an exchange. Where bytes come in.
// Follows k8s.io/apiserver/pkg/server/secure_serving.go.
import {
  createSecureServer,
  type Http2Session,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { constants as cryptoConstants } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Authorities, peerCertificate, readAuthorities } from '../authn/x509.ts'
import type { Exchange, Peer } from './exchange.ts'
import { Connections, faultOf, hangUp, IDLE_MS, MAX_HEADER_FIELDS } from './frontdoor.ts'
import { Http1Exchange, UpgradeExchange } from './http1.ts'
import { Http2Exchange } from './http2.ts'

/** As upstream's --http2-max-streams-per-connection default. */
const MAX_STREAMS = 250
/** Header lists beyond this are refused, as upstream's 1 MiB MaxHeaderBytes. */
const MAX_HEADER_BYTES = 1024 * 1024
/** How much a client may send on a connection before it must hear from us; Go sends large bodies in one go. */
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024
const STREAM_WINDOW_BYTES = 1024 * 1024
/**
 * What one HTTP/2 connection may hold in memory, in MB: beyond, node refuses its new requests. Its own 10 MB are less than
 * one large list on its way out, and Go's clients put all that they do on one connection.
 */
const SESSION_MEMORY_MB = 1024
/** A client has this long for its handshake, and for its headers; slower ones are closed. */
const HEADERS_TIMEOUT_MS = 32_000
/** How often node looks for those; its own half a minute would nearly double what they have. */
const HEADERS_CHECK_MS = 5_000
/**
 * How often every HTTP/2 connection is asked whether it is alive; one that has not answered by the next time is closed.
 * Besides clients that vanished, this ends those that broke the protocol: node stops reading from them and hears no end.
 */
const HEARTBEAT_MS = 30_000
/** TCP asks silent HTTP/1.1 clients after this long, as Go's listeners do. */
const KEEP_ALIVE_PROBE_MS = 15_000
/** Open requests get this long to end when the server stops. */
const DRAIN_MS = 250

/**
 * Forward secrecy and authenticated encryption, nothing else: of Go's defaults those less CBC, which HTTP/2 forbids anyway.
 * AES-128 comes before AES-256, as in Go: large lists are mostly encryption.
 */
const CIPHERS = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap((cipher) => [
    `ECDHE-ECDSA-${cipher}`,
    `ECDHE-RSA-${cipher}`,
  ]),
].join(':')

/** Handshakes within connections, which TLS 1.2 has, cost clients little and servers much: Go's servers know none. */
const SECURITY = {
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS,
  secureOptions: cryptoConstants.SSL_OP_NO_RENEGOTIATION,
} as const

/**
 * Blanks around a header's value are part of it, as Go has it. DEVIATION: node below 22 knows no such option, and drops
 * such a header over HTTP/2, as every version drops one with a control character, for which Go refuses the request.
 */
const BLANKS_ARE_KEPT = { strictFieldWhitespaceValidation: false }

export interface ListenOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly cert: string
  readonly key: string
  /** Client certificates are checked against these CAs. */
  readonly clientCa: string
  /** CAs of proxies that name users in headers; absent: nobody's. */
  readonly proxyCa?: string | undefined
  /** For tests; see HEARTBEAT_MS. */
  readonly heartbeatMs?: number
  /** For tests; see IDLE_MS. */
  readonly idleMs?: number
  handle(exchange: Exchange): void
}

export interface Listening {
  readonly port: number
  /** Serves new connections with another certificate. */
  renew(tls: Pick<ListenOptions, 'cert' | 'key' | 'clientCa' | 'proxyCa'>): void
  /** Stops listening and closes what is open. */
  close(): Promise<void>
}

/** Connections that ended before they could speak TLS, at all ports of this process. */
export const handshakes = { failed: 0 }

const HTTP1 = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  connectionsCheckingInterval: HEADERS_CHECK_MS,
  requestTimeout: 0,
  maxHeaderSize: MAX_HEADER_BYTES,
  // Node would cut off what is beyond, and hand on the rest.
  maxHeadersCount: 0,
}

/** Opens the port. Rejects with node's error (EADDRINUSE, EACCES …) where it cannot. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.cert,
    key: options.key,
    ca: trusted(options),
    requestCert: true,
    rejectUnauthorized: false,
    ...SECURITY,
    handshakeTimeout: HEADERS_TIMEOUT_MS,
    maxHeaderListPairs: MAX_HEADER_FIELDS,
    ...BLANKS_ARE_KEPT,
    maxSessionMemory: SESSION_MEMORY_MB,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    settings: {
      maxConcurrentStreams: MAX_STREAMS,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: MAX_HEADER_BYTES,
    },
  })
  // What HTTP/1.1 goes by stands on the server itself; its options are not handed on.
  Object.assign(server, HTTP1)
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket: TLSSocket) => track(sockets, socket))
  server.on('session', (session: ServerHttp2Session) => {
    session.setLocalWindowSize(SESSION_WINDOW_BYTES)
    session.on('error', () => undefined)
    track(sessions, session)
  })
  const idleMs = options.idleMs ?? IDLE_MS
  const heartbeat = setInterval(() => beat(sessions, idleMs), options.heartbeatMs ?? HEARTBEAT_MS).unref()
  server.once('close', () => clearInterval(heartbeat))
  const trust: Trust = { authorities: authoritiesOf(options), peers: new WeakMap() }
  serve(server, options, trust)
  await opened(server, options)
  const port = (server.address() as AddressInfo).port
  return {
    port,
    renew(tls) {
      server.setSecureContext({ ...SECURITY, cert: tls.cert, key: tls.key, ca: trusted(tls) })
      // Connections that are open are judged again: their certificate's CA may be gone.
      trust.authorities = authoritiesOf(tls) ?? { clients: readAuthorities(tls.clientCa), proxies: [] }
      trust.peers = new WeakMap()
    },
    close: () => close(server, sessions, sockets),
  }
}

const trusted = ({ clientCa, proxyCa }: Pick<ListenOptions, 'clientCa' | 'proxyCa'>): string[] =>
  proxyCa === undefined ? [clientCa] : [clientCa, proxyCa]

function track<T extends { once(event: 'close', listener: () => void): unknown }>(all: Set<T>, one: T): void {
  all.add(one)
  one.once('close', () => all.delete(one))
}

/** Who is believed, and what is known by it of the connections that are open. */
interface Trust {
  /** undefined: whoever the handshake verified. */
  authorities: Authorities | undefined
  peers: WeakMap<object, Peer>
}

const authoritiesOf = ({
  clientCa,
  proxyCa,
}: Pick<ListenOptions, 'clientCa' | 'proxyCa'>): Authorities | undefined =>
  proxyCa === undefined
    ? undefined
    : { clients: readAuthorities(clientCa), proxies: readAuthorities(proxyCa) }

function serve(server: Http2SecureServer, options: ListenOptions, trust: Trust): void {
  const connections = new Connections(options.idleMs ?? IDLE_MS)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const socket = request.socket as TLSSocket
    const fault = faultOf(request)
    if (fault) return hangUp(socket, fault)
    connections.begins(request, response)
    options.handle(new Http1Exchange(request, response, peerOf(socket, trust)))
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    connections.failed(error, socket),
  )
  server.on('upgrade', (request: IncomingMessage, socket: TLSSocket, head: Buffer) => {
    const fault = faultOf(request)
    if (fault) return hangUp(socket, fault)
    socket.setTimeout(0)
    options.handle(new UpgradeExchange(request, { socket, head }, peerOf(socket, trust)))
  })
  // Adding a `request` listener made node serve HTTP/2 through its slower compatibility layer as well: streams are ours.
  server.removeAllListeners('stream')
  server.on(
    'stream',
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      const session = stream.session
      if (!session) return
      if (headers[':method'] === 'CONNECT') return stream.respond({ ':status': 404 }, { endStream: true })
      const pulse = pulseOf(session)
      pulse.streams++
      stream.once('close', () => {
        pulse.streams--
        pulse.idleSince = performance.now()
      })
      options.handle(
        new Http2Exchange(stream, headers, rawHeaders, peerOf(session.socket as TLSSocket, trust, session)),
      )
    },
  )
  server.on('tlsClientError', () => void handshakes.failed++)
}

/** What is known of a session's life. */
interface Pulse {
  /** Its last ping was answered, or none was sent yet. */
  alive: boolean
  /** Requests under way. */
  streams: number
  /** When the last of them ended, in ms. */
  idleSince: number
}

const pulses = new WeakMap<Http2Session, Pulse>()

function pulseOf(session: Http2Session): Pulse {
  let pulse = pulses.get(session)
  if (!pulse) pulses.set(session, (pulse = { alive: true, streams: 0, idleSince: performance.now() }))
  return pulse
}

/** Closes the connections that are dead or idle, and asks the others for a sign of life. */
function beat(sessions: ReadonlySet<ServerHttp2Session>, idleMs: number): void {
  for (const session of sessions) {
    const pulse = pulseOf(session)
    if (!pulse.alive) session.destroy()
    else if (pulse.streams === 0 && performance.now() - pulse.idleSince > idleMs) session.close()
    else ask(session, pulse)
  }
}

function ask(session: ServerHttp2Session, pulse: Pulse): void {
  pulse.alive = false
  try {
    session.ping((error) => {
      pulse.alive = error === null
    })
  } catch {
    // It is closing already; the next beat ends what is left of it.
  }
}

/** What the connection tells of its client, read at its first request. HTTP/2 hands out a proxy of the socket: keyed by its session. */
function peerOf(socket: TLSSocket, { authorities, peers }: Trust, connection: object = socket): Peer {
  let peer = peers.get(connection)
  if (!peer) {
    peer = { address: socket.remoteAddress ?? '', certificate: peerCertificate(socket, authorities) }
    peers.set(connection, peer)
  }
  return peer
}

function opened(server: Http2SecureServer, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function close(
  server: Http2SecureServer,
  sessions: Set<ServerHttp2Session>,
  sockets: Set<Socket>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const session of sessions) session.close()
  const timer = setTimeout(() => {
    for (const session of sessions) session.destroy()
    for (const socket of sockets) socket.destroy()
  }, DRAIN_MS)
  await closed
  clearTimeout(timer)
}
