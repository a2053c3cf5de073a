// Client certificates: the common name is the user, the organizations are the groups.
// Follows k8s.io/apiserver/pkg/authentication/request/x509.
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { Histogram } from '../machinery/exposition.ts'
import { CREDENTIAL_ID, type UserInfo } from '../machinery/user.ts'
import { type Authenticator, type PeerCertificate, refused } from './authenticator.ts'

/** Subject attribute that upstream reads as the user's uid. */
const UID_OID = '1.3.6.1.4.1.57683.2'

/** CAs of clients, and apart from them the CAs of proxies, whose certificates are good for nothing else. */
export interface Authorities {
  readonly clients: readonly X509Certificate[]
  readonly proxies: readonly X509Certificate[]
}

/** Longer chains are nobody's. */
const MAX_CHAIN = 10
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The certificates of a PEM text. */
export const readAuthorities = (pem: string): X509Certificate[] =>
  (pem.match(PEM) ?? []).map((block) => new X509Certificate(block))

/**
 * Reads the certificate of a connection, once; undefined where the client showed none. The server must have been
 * made with `requestCert: true, rejectUnauthorized: false` and the client CA as `ca`; with those of proxies beside it,
 * `authorities` tells the two apart.
 */
export function peerCertificate(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerX509Certificate'>,
  authorities?: Authorities,
): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const subject = certificate.toLegacyObject().subject as Readonly<
    Record<string, string | string[] | undefined>
  >
  const uids = values(subject[UID_OID])
  const name = values(subject['CN']).at(-1) ?? ''
  const isClient = authorities === undefined || isIssuedBy(certificate, authorities.clients)
  const fault = !socket.authorized
    ? String(socket.authorizationError)
    : isClient
      ? uidFault(uids)
      : 'certificate signed by unknown authority'
  const isProxy =
    socket.authorized && authorities !== undefined && isIssuedBy(certificate, authorities.proxies)
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  const user: UserInfo = {
    name,
    ...(uids[0] === undefined ? {} : { uid: uids[0] }),
    groups: values(subject['O']),
    extra: { [CREDENTIAL_ID]: [`X509SHA256=${fingerprint}`] },
  }
  return {
    fault,
    notAfter: Date.parse(certificate.validTo),
    user: name === '' ? undefined : user,
    ...(isProxy ? { proxy: name } : {}),
  }
}

/** Leads a chain whose signatures were verified in the handshake to one of these? */
function isIssuedBy(leaf: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  let certificate: X509Certificate | undefined = leaf
  for (let depth = 0; certificate !== undefined && depth < MAX_CHAIN; depth++) {
    const { issuerCertificate } = certificate as X509Certificate & { issuerCertificate?: X509Certificate }
    for (const authority of authorities) {
      if (certificate.checkIssued(authority) && certificate.verify(authority.publicKey)) return true
    }
    if (
      issuerCertificate &&
      !(certificate.checkIssued(issuerCertificate) && certificate.verify(issuerCertificate.publicKey))
    )
      return false
    certificate = issuerCertificate
  }
  return false
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MONTH = 30 * DAY

/** How long the certificates of clients were still good for when they were shown, in seconds; of all ports of this process. */
export const lifetimes = new Histogram([
  ...[0, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR],
  ...[DAY, 2 * DAY, 4 * DAY, 7 * DAY, MONTH, 3 * MONTH, 6 * MONTH, 12 * MONTH],
])

/** The user of the connection's certificate. One that is not verified, or has expired since, is a 401. */
export const x509: Authenticator = {
  authenticate({ peerCertificate: certificate }) {
    if (certificate === undefined) return undefined
    if (certificate.fault !== undefined) throw refused(`verifying certificate failed: ${certificate.fault}`)
    const leftMs = certificate.notAfter - Date.now()
    if (leftMs < 0) throw refused('verifying certificate failed: certificate has expired')
    lifetimes.observe(leftMs / 1000)
    return certificate.user
  },
}

function uidFault(uids: readonly string[]): string | undefined {
  if (uids.length > 1) return `expected 1 UID, but found multiple: [${uids.join(' ')}]`
  return uids[0] === '' ? 'UID cannot be an empty string' : undefined
}

/** Node gives one value as a string, several as a list, in the certificate's order. */
const values = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat())
