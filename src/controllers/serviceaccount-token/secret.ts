// What a secret lacks that shall hold a token of a service account.
// Follows k8s.io/kubernetes/pkg/controller/serviceaccount/tokens_controller.go and pkg/serviceaccount/legacy.go.
import type { Secret, ServiceAccount } from '../../client/kinds/core.v1.gen.ts'
import { serviceAccountUsername } from '../../machinery/user.ts'

export const TOKEN_TYPE = 'kubernetes.io/service-account-token'
export const ACCOUNT_NAME = 'kubernetes.io/service-account.name'
export const ACCOUNT_UID = 'kubernetes.io/service-account.uid'
const ISSUER = 'kubernetes/serviceaccount'
const CLAIM = 'kubernetes.io/serviceaccount'

export interface TokenOptions {
  /** Signs claims. */
  readonly sign: (claims: object) => string
  /** PEM: what pods check the API server with; undefined: nothing is said of it. */
  readonly rootCa: string | undefined
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function lacks({ data = {} }: Secret, rootCa: string | undefined) {
  return {
    ca: rootCa !== undefined && rootCa !== '' && data['ca.crt'] !== base64(rootCa),
    namespace: !data['namespace'],
    token: !data['token'],
  }
}

export function isComplete(secret: Secret, rootCa: string | undefined): boolean {
  return !Object.values(lacks(secret, rootCa)).includes(true)
}

/** The secret with token, namespace, CA and the marks of its account. */
export function filled(secret: Secret, account: ServiceAccount, { sign, rootCa }: TokenOptions): Secret {
  const { metadata } = secret
  const missing = lacks(secret, rootCa)
  const data = {
    ...secret.data,
    ...(missing.ca ? { 'ca.crt': base64(rootCa ?? '') } : {}),
    ...(missing.namespace ? { namespace: base64(metadata.namespace ?? '') } : {}),
    ...(missing.token ? { token: base64(sign(claimsOf(secret, account))) } : {}),
  }
  const { name = '', uid = '' } = account.metadata
  const annotations = { ...metadata.annotations, [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uid }
  return { ...secret, metadata: { ...metadata, annotations }, data }
}

/** Without an end: such a token is good while its secret is there. */
function claimsOf(
  secret: Secret,
  { metadata: { namespace = '', name = '', uid = '' } }: ServiceAccount,
): object {
  return {
    iss: ISSUER,
    [`${CLAIM}/namespace`]: namespace,
    [`${CLAIM}/secret.name`]: secret.metadata.name ?? '',
    [`${CLAIM}/service-account.name`]: name,
    [`${CLAIM}/service-account.uid`]: uid,
    sub: serviceAccountUsername(namespace, name),
  }
}

/** Whether the secret is one of the account's tokens. */
export function isTokenOf(
  secret: Secret,
  { metadata: { name, uid } }: Pick<ServiceAccount, 'metadata'>,
): boolean {
  const annotations = secret.metadata.annotations ?? {}
  const owner = annotations[ACCOUNT_UID]
  return secret.type === TOKEN_TYPE && annotations[ACCOUNT_NAME] === name && (!owner || owner === uid)
}
