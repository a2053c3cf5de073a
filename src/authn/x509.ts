// Client certificates: the common name is the user, the organizations are the groups.
// Follows k8s.io/apiserver/pkg/authentication/request/x509.
import type { TLSSocket } from 'node:tls'
import { CREDENTIAL_ID, type UserInfo } from '../machinery/user.ts'
import { type Authenticator, type PeerCertificate, refused } from './authenticator.ts'

/** Subject attribute that upstream reads as the user's uid. */
const UID_OID = '1.3.6.1.4.1.57683.2'

/**
 * Reads the certificate of a connection, once; undefined where the client showed none. The server must have been
 * made with `requestCert: true, rejectUnauthorized: false` and the client CA as `ca`.
 */
export function peerCertificate(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerX509Certificate'>,
): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const subject = certificate.toLegacyObject().subject as Readonly<
    Record<string, string | string[] | undefined>
  >
  const uids = values(subject[UID_OID])
  const fault = socket.authorized ? uidFault(uids) : String(socket.authorizationError)
  const name = values(subject['CN']).at(-1) ?? ''
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  const user: UserInfo = {
    name,
    ...(uids[0] === undefined ? {} : { uid: uids[0] }),
    groups: values(subject['O']),
    extra: { [CREDENTIAL_ID]: [`X509SHA256=${fingerprint}`] },
  }
  return { fault, notAfter: Date.parse(certificate.validTo), user: name === '' ? undefined : user }
}

/** The user of the connection's certificate. One that is not verified, or has expired since, is a 401. */
export const x509: Authenticator = {
  authenticate({ peerCertificate: certificate }) {
    if (certificate === undefined) return undefined
    if (certificate.fault !== undefined) throw refused(`verifying certificate failed: ${certificate.fault}`)
    if (certificate.notAfter < Date.now())
      throw refused('verifying certificate failed: certificate has expired')
    return certificate.user
  },
}

function uidFault(uids: readonly string[]): string | undefined {
  if (uids.length > 1) return `expected 1 UID, but found multiple: [${uids.join(' ')}]`
  return uids[0] === '' ? 'UID cannot be an empty string' : undefined
}

/** Node gives one value as a string, several as a list, in the certificate's order. */
const values = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat())
