// The headers of a request as an extension server gets it: the client's, less its credentials and what is about its
// connection alone, with who it is as a proxy says it.
// Follows k8s.io/client-go/transport (SetAuthProxyHeaders), k8s.io/apimachinery/pkg/util/proxy and net/http/httputil.
import type { IncomingHttpHeaders } from 'node:http'
import type { UserInfo } from '../machinery/user.ts'
import type { OutgoingHeaders } from './transport.ts'

/** About one connection, not about the request; and what we say ourselves. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** By which a client is known, or says whom it wants to be. */
const CREDENTIALS = new Set(['authorization', 'impersonate-user', 'impersonate-uid', 'impersonate-group'])
const CREDENTIAL_PREFIXES = ['impersonate-extra-', 'x-remote-']
/** Browsers may show a token as a protocol. */
const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.'

/** Headers by which proxies in front of us name users, in lower case: they are no business of who stands behind. */
export interface ProxyHeaders {
  readonly names: ReadonlySet<string>
  readonly prefixes: readonly string[]
}

/** A client's headers, to be passed on. */
export function passedOn(rawHeaders: readonly string[], proxies: ProxyHeaders): OutgoingHeaders {
  const headers = Object.create(null) as OutgoingHeaders
  const dropped = connectionOptions(rawHeaders)
  const prefixes = [...CREDENTIAL_PREFIXES, ...proxies.prefixes]
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const value = rawHeaders[i + 1] ?? ''
    if (name.startsWith(':') || HOP_BY_HOP.has(name) || dropped.has(name)) continue
    if (CREDENTIALS.has(name) || proxies.names.has(name)) continue
    if (prefixes.some((prefix) => name.startsWith(prefix))) continue
    const kept = name === 'sec-websocket-protocol' ? withoutToken(value) : value
    if (kept === '' && value !== '') continue
    const before = headers[name]
    headers[name] = before === undefined ? kept : [before, kept].flat()
  }
  return headers
}

/** Headers that the client's Connection header names are about the connection, too. */
function connectionOptions(rawHeaders: readonly string[]): Set<string> {
  const names = new Set<string>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'connection') continue
    for (const option of (rawHeaders[i + 1] ?? '').split(',')) names.add(option.trim().toLowerCase())
  }
  return names
}

const withoutToken = (protocols: string): string =>
  protocols
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !protocol.startsWith(TOKEN_PROTOCOL))
    .join(', ')

/** Who asks, for a server that trusts our certificate. */
export function identityHeaders({ name, uid, groups, extra = {} }: UserInfo): OutgoingHeaders {
  const headers: OutgoingHeaders = { 'X-Remote-User': bytesOf(name) }
  if (uid) headers['X-Remote-Uid'] = bytesOf(uid)
  if (groups.length > 0) headers['X-Remote-Group'] = groups.map(bytesOf)
  for (const [key, values] of Object.entries(extra)) {
    if (values.length > 0) headers[`X-Remote-Extra-${escaped(key)}`] = values.map(bytesOf)
  }
  return headers
}

/** Node writes headers a byte a character. */
const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** Keys are parts of names of headers: other characters than tokens have are escaped as in URLs. */
const escaped = (key: string): string =>
  bytesOf(key).replace(
    /[^!#$&'*+\-.^_`|~0-9A-Za-z]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )

/** An extension server's headers for its answer, less what is about its connection. */
export function answered(received: IncomingHttpHeaders): Record<string, string | string[]> {
  const headers = Object.create(null) as Record<string, string | string[]>
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined && !HOP_BY_HOP.has(name)) headers[name] = value
  }
  return headers
}
