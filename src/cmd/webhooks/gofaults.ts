// What Go's HTTP client says of a connection that fails: clients of the API see these words behind webhooks' and extension
// servers' names. Follows net, crypto/tls and crypto/x509 of Go.
import type { PeerCertificate } from 'node:tls'

export interface Peer {
  readonly host: string
  readonly port: number
  /** The name that the certificate must have. */
  readonly hostname: string
}

const SYSTEM_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  EADDRNOTAVAIL: 'cannot assign requested address',
}
const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])
/** What node says of a connection that ended where more was due; the latter: while TLS began. */
const HUNG_UP = /^(socket hang up|Client network socket disconnected)/
const UNVERIFIED = 'tls: failed to verify certificate: x509: '

/** Go's words for an error of node's. */
export function connectionFault(error: NodeJS.ErrnoException, peer: Peer): string {
  const { code = '' } = error
  const [one] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : []
  if (one) return connectionFault(one, peer)
  const address = peer.host.includes(':') ? `[${peer.host}]:${peer.port}` : `${peer.host}:${peer.port}`
  const system = SYSTEM_FAULTS[code]
  if (system !== undefined) return `dial tcp ${addressOf(error, address)}: connect: ${system}`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${peer.host}: no such host`
  if (code === 'EAI_AGAIN') return `dial tcp: lookup ${peer.host}: server misbehaving`
  if (code === 'ECONNRESET' && HUNG_UP.test(error.message)) return 'EOF'
  if (code === 'ECONNRESET' || code === 'EPIPE') return `read tcp ${address}: read: connection reset by peer`
  return tlsFault(error, peer) ?? error.message
}

/** The one that was tried, where the host was a name. */
function addressOf(error: NodeJS.ErrnoException, otherwise: string): string {
  const { address, port } = error as { address?: string; port?: number }
  if (address === undefined || port === undefined) return otherwise
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function tlsFault(error: NodeJS.ErrnoException, { hostname }: Peer): string | undefined {
  const { code = '' } = error
  if (UNKNOWN_AUTHORITY.has(code)) return `${UNVERIFIED}certificate signed by unknown authority`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `${UNVERIFIED}certificate has expired or is not yet valid`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return UNVERIFIED + otherName(hostname, (error as { cert?: PeerCertificate }).cert)
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'http: server gave HTTP response to HTTPS client'
  }
  return undefined
}

function otherName(hostname: string, certificate: PeerCertificate | undefined): string {
  const names = (certificate?.subjectaltname ?? '').split(', ').filter((name) => name !== '')
  const of = (kind: string): string[] =>
    names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length))
  const isAddress = /^[\d.]+$|:/.test(hostname)
  const valid = isAddress ? of('IP Address:') : of('DNS:')
  if (isAddress && valid.length === 0) {
    return `cannot validate certificate for ${hostname} because it doesn't contain any IP SANs`
  }
  if (valid.length === 0) return `certificate is not valid for any names, but wanted to match ${hostname}`
  return `certificate is valid for ${valid.join(', ')}, not ${hostname}`
}
