// The port of a part that is a process of its own: /healthz for everybody, /metrics for those whom the API server lets
// in. Follows k8s.io/apiserver/pkg/server (SecureServingInfo, DelegatingAuthenticationOptions).
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Api } from '../../client/api.ts'
import { ensurePki } from '../../pki/pki.ts'
import { Delegated, type Remembered } from './delegated.ts'
import { HealthSlis } from '../../machinery/healthslis.ts'
import { StartError } from '../options.ts'
import { servingPair } from '../apiserver/tlsfiles.ts'

export interface ServingOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** PEM files; absent: a certificate of our own making. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** PEM: CAs of callers' certificates; absent: these count for nothing. */
  readonly clientCa?: string | undefined
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Paths that nobody needs to be known for. */
  readonly openPaths?: readonly string[]
  /** Asked who a caller is, and what it may. */
  readonly api: Api
  /** Why the part is not healthy; undefined: it is. */
  health(): string | undefined
  metrics(): string
}

export interface Serving {
  readonly port: number
  close(): Promise<void>
}

const HEALTH = ['/healthz', '/readyz', '/livez']
/** As upstream names the check that there is always. */
const PING = 'ping'

/** As upstream's --authentication-token-webhook-cache-ttl and --authorization-webhook-cache-*-ttl. */
const REMEMBERED: Remembered = { tokens: 10_000, allowed: 10_000, denied: 10_000 }

/** Rejects with StartError where the port or the files cannot be used. */
export async function serveSecurely(options: ServingOptions): Promise<Serving> {
  const { api, clientCa, minVersion } = options
  const certificates = clientCa !== undefined
  const authority = new Delegated({
    ...{ api, remembered: REMEMBERED, anonymous: true, tokens: true, certificates },
  })
  const asking = certificates ? { requestCert: true, rejectUnauthorized: false, ca: clientCa } : {}
  const tls = { ...(await pairOf(options)), ...asking, ...(minVersion && { minVersion }) }
  const slis = new HealthSlis()
  const open = new Set(options.openPaths ?? HEALTH)
  const server = createServer(tls, (request, response) => {
    answer({ ...options, authority, slis, open }, request, response).catch(() =>
      respond(response, 500, 'Internal Server Error\n'),
    )
  })
  await listening(server, options)
  const { port } = server.address() as AddressInfo
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The certificate that such a port shows. Throws StartError for files that cannot be used. */
export async function pairOf({
  host,
  certFile,
  keyFile,
}: Pick<ServingOptions, 'host' | 'certFile' | 'keyFile'>): Promise<{ cert: string; key: string }> {
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new StartError('--tls-cert-file and --tls-private-key-file go together')
  if (certFile !== undefined && keyFile !== undefined) return servingPair(certFile, keyFile)
  const hosts = ['localhost', '127.0.0.1', ...(['0.0.0.0', '::', '127.0.0.1'].includes(host) ? [] : [host])]
  const { servingCert, servingKey } = await ensurePki({ hosts })
  return { cert: servingCert, key: servingKey }
}

function listening(server: Server, { host, port }: ServingOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new StartError(`cannot listen on ${host}:${port}: ${error.code ?? error.message}`, error)),
    )
    server.listen(port, host, resolve)
  })
}

interface Answering extends ServingOptions {
  readonly authority: Delegated
  readonly slis: HealthSlis
  readonly open: ReadonlySet<string>
}

async function answer(options: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  if (!options.open.has(path)) {
    const refusal = await refused(options.authority, path, request)
    if (refusal !== undefined)
      return respond(response, refusal, refusal === 401 ? 'Unauthorized\n' : 'Forbidden\n')
  }
  if (HEALTH.includes(path)) {
    const fault = options.health()
    options.slis.observe(PING, path.slice(1), fault === undefined)
    return respond(response, fault === undefined ? 200 : 500, fault ?? 'ok')
  }
  if (path === '/metrics' || path === '/metrics/slis') {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8')
    return void response.end(path === '/metrics' ? options.metrics() : options.slis.text())
  }
  respond(response, 404, '404 page not found\n')
}

/** The code of the refusal; undefined: let in. */
async function refused(
  authority: Delegated,
  path: string,
  request: IncomingMessage,
): Promise<401 | 403 | undefined> {
  const user = await authority.caller(request)
  if (!user) return 401
  const verb = (request.method ?? 'GET').toLowerCase()
  return (await authority.allows(user, { nonResourceAttributes: { path, verb } })) ? undefined : 403
}

function respond(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}
