// From when until when a certificate is good that a built-in signer makes.
// Follows k8s.io/kubernetes/pkg/controller/certificates/signer (duration) and authority/policies.go.

const MINUTE = 60_000
/** Clocks of others may be behind. */
const BACKDATE_MS = 5 * MINUTE
/** As short as anybody may ask for: twice what is dated back. */
const SHORTEST_MS = 10 * MINUTE
/** The end of what lives longer is dated back, too. */
const LONG_MS = 8 * 60 * MINUTE

export interface Lifetime {
  readonly notBefore: Date
  readonly notAfter: Date
}

export interface LifetimeOptions {
  /** What the request asks for. */
  readonly wantedSeconds: number | undefined
  /** What the signer gives at most. */
  readonly mostSeconds: number
  /** The end of the signer's own certificate. */
  readonly signerEnd: Date
  /** ms since 1970 */
  readonly now: number
}

/** Throws an Error where the signer's own certificate has ended. */
export function lifetimeOf({ wantedSeconds, mostSeconds, signerEnd, now }: LifetimeOptions): Lifetime {
  const most = mostSeconds * 1000
  const wanted = (wantedSeconds ?? Infinity) * 1000
  const length = wanted > most ? most : Math.max(wanted, SHORTEST_MS)
  const end = now + length - (length < LONG_MS ? 0 : BACKDATE_MS)
  if (now >= signerEnd.getTime()) {
    throw new Error(
      `refusing to sign a certificate that expired in the past: NotAfter=${signerEnd.toISOString()}`,
    )
  }
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(Math.min(end, signerEnd.getTime())) }
}
