// Everyone who shows no credential, everywhere or on some paths only.
// Follows k8s.io/apiserver/pkg/authentication/request/anonymous.
import { ANONYMOUS, UNAUTHENTICATED_GROUP, type UserInfo } from '../machinery/user.ts'
import type { Authenticator } from './authenticator.ts'

const user: UserInfo = Object.freeze({ name: ANONYMOUS, groups: Object.freeze([UNAUTHENTICATED_GROUP]) })

/** Stands last in the chain, behind every authenticator that reads credentials. */
export const anonymous: Authenticator = { authenticate: () => user }

/** Only requests for these paths, character by character, may come without a credential. */
export function anonymousOn(paths: readonly string[]): Authenticator {
  const allowed = new Set(paths)
  return { authenticate: ({ path = '' }) => (allowed.has(path) ? user : undefined) }
}
