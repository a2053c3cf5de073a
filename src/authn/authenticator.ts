// What an authenticator is: it knows who sent a request, does not know, or refuses what it was shown.
// Follows k8s.io/apiserver/pkg/authentication/authenticator.
import type { IncomingHttpHeaders } from 'node:http'
import { StatusError, unauthorized } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'

/** The certificate that a client showed in its TLS handshake. */
export interface PeerCertificate {
  /** What the verification against the client CA found wrong; undefined where it is good. */
  readonly fault: string | undefined
  /** Milliseconds since 1970; a connection may outlive the certificate that opened it. */
  readonly notAfter: number
  /** undefined where the subject names nobody (no common name). */
  readonly user: UserInfo | undefined
  /** The common name, where the certificate is one of the CA of proxies that name users in headers. */
  readonly proxy?: string | undefined
}

export interface AuthnRequest {
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders?: readonly string[]
  /** Of the URL, without the query. */
  readonly path?: string
  /** Of the connection, read once by `peerCertificate`; undefined where the client showed none. */
  readonly peerCertificate?: PeerCertificate | undefined
  /** Adds a Warning header to the answer. */
  warn?(message: string): void
  /** Adds an annotation to the audit event. */
  annotate?(key: string, value: string): void
}

/**
 * The user, or undefined where the request carries nothing that this authenticator reads. The same credential gives
 * the same object again: later stages keep what they compute by it. Throws (or rejects with) the 401 of `refused`
 * for a credential that is of its kind and wrong.
 */
export interface Authenticator {
  authenticate(request: AuthnRequest): UserInfo | undefined | Promise<UserInfo | undefined>
}

/** What the use of a token is remarked with. */
export interface TokenNotes {
  /** For the client, as Warning headers. */
  readonly warnings?: readonly string[]
  /** For the audit log. */
  readonly annotations?: Readonly<Record<string, string>>
}

/** Whom a bearer token stands for, and which of the wanted audiences it is meant for. */
export interface TokenAnswer extends TokenNotes {
  readonly user: UserInfo
  readonly audiences: readonly string[]
}

/** Knows tokens of one kind; undefined for all others, and for a token that is for none of the audiences. */
export interface TokenAuthenticator {
  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): TokenAnswer | undefined | Promise<TokenAnswer | undefined>
}

/** A 401. Clients see "Unauthorized" and never why; logs and token reviews read `refusalOf`. */
export function refused(why: string): StatusError {
  const error = unauthorized()
  error.cause = why
  return error
}

/** Why a credential was refused; undefined where the error is no refusal. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof StatusError) || error.code !== 401) return undefined
  return typeof error.cause === 'string' ? error.cause : error.message
}
