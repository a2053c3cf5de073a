// Who asks. Follows k8s.io/apiserver/pkg/authentication/user and serviceaccount.
import { nameIsDnsLabel, nameIsDnsSubdomain } from './names.ts'

export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const ANONYMOUS = 'system:anonymous'
export const UNAUTHENTICATED_GROUP = 'system:unauthenticated'
export const AUTHENTICATED_GROUP = 'system:authenticated'
export const MASTERS_GROUP = 'system:masters'
export const NODES_GROUP = 'system:nodes'
export const SERVICE_ACCOUNTS_GROUP = 'system:serviceaccounts'
/** Key of `extra` that tells which credential was shown, so that an audit log can tell two apart. */
export const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id'

const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:'
const NODE_PREFIX = 'system:node:'

/** The user name of a service account. */
export function serviceAccountUsername(namespace: string, name: string): string {
  return `${SERVICE_ACCOUNT_PREFIX}${namespace}:${name}`
}

/** The groups that every service account of a namespace is in. */
export function serviceAccountGroups(namespace: string): string[] {
  return [SERVICE_ACCOUNTS_GROUP, `${SERVICE_ACCOUNTS_GROUP}:${namespace}`]
}

/** Namespace and name out of a service account's user name; undefined for any other user. */
export function parseServiceAccountUsername(
  username: string,
): { namespace: string; name: string } | undefined {
  if (!username.startsWith(SERVICE_ACCOUNT_PREFIX)) return undefined
  const [namespace = '', name = '', ...more] = username.slice(SERVICE_ACCOUNT_PREFIX.length).split(':')
  if (more.length > 0) return undefined
  if (nameIsDnsLabel(namespace, false).length > 0 || nameIsDnsSubdomain(name, false).length > 0)
    return undefined
  return { namespace, name }
}

/** The node's name out of a kubelet's user name; undefined for any other user. */
export function parseNodeUsername(username: string): string | undefined {
  if (!username.startsWith(NODE_PREFIX)) return undefined
  const name = username.slice(NODE_PREFIX.length)
  return nameIsDnsSubdomain(name, false).length > 0 ? undefined : name
}
