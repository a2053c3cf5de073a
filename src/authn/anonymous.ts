// Everyone who shows no credential. Follows k8s.io/apiserver/pkg/authentication/request/anonymous.
import { ANONYMOUS, UNAUTHENTICATED_GROUP, type UserInfo } from '../machinery/user.ts'
import type { Authenticator } from './authenticator.ts'

const user: UserInfo = Object.freeze({ name: ANONYMOUS, groups: Object.freeze([UNAUTHENTICATED_GROUP]) })

/** Stands last in the chain, behind every authenticator that reads credentials. */
export const anonymous: Authenticator = { authenticate: () => user }
