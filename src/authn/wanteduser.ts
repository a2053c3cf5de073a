// The Impersonate-* headers as they were sent: whom the requester wants to be.
// Follows k8s.io/apiserver/pkg/endpoints/filters/impersonation (processImpersonationHeaders).
import { goQuote } from '../machinery/quote.ts'
import { badRequest } from '../machinery/status.ts'
import type { UserInfo } from '../machinery/user.ts'

const USER = 'impersonate-user'
const UID = 'impersonate-uid'
const GROUP = 'impersonate-group'
const EXTRA = 'impersonate-extra-'

/** "impersonate-uid" is the shortest of the headers' names. */
const SHORTEST = UID.length
const LETTER_I = 0x69
const LOWER_CASE = 0x20

/**
 * The user that the headers ask for, nothing added; undefined where they ask for none. `rawHeaders` is node's flat list
 * of names and values: the joined headers cannot tell two groups from one with a comma in its name.
 * Throws 400 for groups, uid or extra without a user.
 */
export function wantedUser(rawHeaders: readonly string[]): UserInfo | undefined {
  let sent: Sent | undefined
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    // Almost no request has any: two comparisons for each header of all others.
    if (name.length < SHORTEST || (name.charCodeAt(0) | LOWER_CASE) !== LETTER_I) continue
    sent = collect(sent, name.toLowerCase(), rawHeaders[i + 1] as string)
  }
  if (sent === undefined) return undefined
  const { name, uid, groups, extra } = sent
  const given = name ?? ''
  if (given !== '') {
    const user = { name: given, groups, ...(uid ? { uid } : {}) }
    return extra.size === 0 ? user : { ...user, extra: Object.fromEntries(extra) }
  }
  if (!uid && groups.length === 0 && extra.size === 0) return undefined
  throw badRequest(`requested ${goSyntax(sent)} without impersonating a user name`)
}

/** The first value of a header that counts once, all of those that may repeat. */
interface Sent {
  name: string | undefined
  uid: string | undefined
  readonly groups: string[]
  readonly extra: Map<string, string[]>
}

function collect(before: Sent | undefined, header: string, value: string): Sent | undefined {
  if (header !== USER && header !== UID && header !== GROUP && !header.startsWith(EXTRA)) return before
  const sent = before ?? { name: undefined, uid: undefined, groups: [], extra: new Map<string, string[]>() }
  if (header === USER) sent.name ??= value
  else if (header === UID) sent.uid ??= value
  else if (header === GROUP) sent.groups.push(value)
  else {
    const key = unescaped(header.slice(EXTRA.length))
    sent.extra.set(key, [...(sent.extra.get(key) ?? []), value])
  }
  return sent
}

/** Percent signs decoded; as it stands where they are malformed. */
function unescaped(key: string): string {
  if (!key.includes('%') || /%(?![0-9a-f]{2})/.test(key)) return key
  const bytes = key.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** Upstream shows its own data structure in the message. */
function goSyntax({ name, uid, groups, extra }: Sent): string {
  const list = (values: readonly string[]): string => `[]string{${values.map(goQuote).join(', ')}}`
  const entries = [...extra].sort(([a], [b]) => (a < b ? -1 : 1))
  const shownGroups = groups.length === 0 ? '[]string(nil)' : list(groups)
  const shownExtra =
    extra.size === 0
      ? '(nil)'
      : `{${entries.map(([key, values]) => `${goQuote(key)}:${list(values)}`).join(', ')}}`
  return `&user.DefaultInfo{Name:${goQuote(name ?? '')}, UID:${goQuote(uid ?? '')}, Groups:${shownGroups}, Extra:map[string][]string${shownExtra}}`
}
