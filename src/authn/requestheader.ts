// Users as a proxy in front of the server names them in headers: trusted where the proxy shows a certificate of its CA.
// Follows k8s.io/apiserver/pkg/authentication/request/headerrequest.
import type { UserInfo } from '../machinery/user.ts'
import { type Authenticator, type AuthnRequest, refused } from './authenticator.ts'

/** Names of headers, in whatever case; of several for the user's name or uid, the first with a value counts. */
export interface RequestHeaderOptions {
  /** Common names of proxies; empty: every certificate of the CA. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}

/** Nothing to it are requests without a certificate of the proxies' CA, and those whose headers name nobody. */
export function requestHeader(options: RequestHeaderOptions): Authenticator {
  const lower = (names: readonly string[]): string[] => names.map((name) => name.trim().toLowerCase())
  const names = {
    user: lower(options.usernameHeaders),
    uid: lower(options.uidHeaders),
    groups: lower(options.groupHeaders),
    extra: lower(options.extraHeaderPrefixes),
  }
  const allowed = new Set(options.allowedNames)
  return {
    authenticate(request) {
      const proxy = request.peerCertificate?.proxy
      if (proxy === undefined) return undefined
      if (isExpired(request)) throw refused('verifying certificate failed: certificate has expired')
      if (allowed.size > 0 && !allowed.has(proxy))
        throw refused(`x509: subject with cn=${proxy} is not in the allowed list`)
      return namedUser(headersOf(request), names)
    },
  }
}

const isExpired = ({ peerCertificate }: AuthnRequest): boolean =>
  peerCertificate !== undefined && peerCertificate.notAfter < Date.now()

interface HeaderNames {
  readonly user: readonly string[]
  readonly uid: readonly string[]
  readonly groups: readonly string[]
  readonly extra: readonly string[]
}

type Sent = ReadonlyMap<string, readonly string[]>

function namedUser(sent: Sent, names: HeaderNames): UserInfo | undefined {
  const first = (headers: readonly string[]): string =>
    headers.map((header) => sent.get(header)?.[0] ?? '').find((value) => value !== '') ?? ''
  const [name, uid] = [first(names.user), first(names.uid)]
  if (name === '') return undefined
  const groups = names.groups.flatMap((header) => (sent.get(header) ?? []).filter((group) => group !== ''))
  const extra = extraOf(sent, names.extra)
  return {
    name,
    ...(uid === '' ? {} : { uid }),
    groups,
    ...(extra.size > 0 ? { extra: Object.fromEntries(extra) } : {}),
  }
}

function extraOf(sent: Sent, prefixes: readonly string[]): Map<string, string[]> {
  const extra = new Map<string, string[]>()
  for (const prefix of prefixes) {
    for (const [header, values] of sent) {
      if (!header.startsWith(prefix)) continue
      const key = unescaped(header.slice(prefix.length))
      extra.set(key, [...(extra.get(key) ?? []), ...values])
    }
  }
  return extra
}

/** The key as it stands where its escapes are malformed. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

/** Every header with all its values, names in lower case; node joins repeated ones, so its flat list is read. */
function headersOf({ rawHeaders = [] }: AuthnRequest): Sent {
  const sent = new Map<string, string[]>()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    sent.set(name, [...(sent.get(name) ?? []), rawHeaders[i + 1] as string])
  }
  return sent
}
