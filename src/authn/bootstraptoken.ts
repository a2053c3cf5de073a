// Tokens by which nodes join: "id.secret", kept in secrets bootstrap-token-<id> of kube-system.
// Follows k8s.io/kubernetes/plugin/pkg/auth/authenticator/token/bootstrap and k8s.io/cluster-bootstrap/util/secrets.
import { timingSafeEqual } from 'node:crypto'
import { isObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { UserInfo } from '../machinery/user.ts'
import type { TokenAnswer, TokenAuthenticator } from './authenticator.ts'
import { SECRETS, type TokenObjects, withObjects } from './tokenobjects.ts'

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const DEFAULT_GROUP = 'system:bootstrappers'
const TYPE = 'bootstrap.kubernetes.io/token'
const NAMESPACE = 'kube-system'
/** RFC 3339, as far as Date.parse would take more. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

export function bootstrapTokens(
  objects: TokenObjects,
  apiAudiences: readonly string[],
  now: () => number,
): TokenAuthenticator {
  return {
    authenticateToken(token, wanted) {
      const [, id, secret] = TOKEN.exec(token) ?? []
      if (id === undefined || secret === undefined) return undefined
      const audiences = apiAudiences.filter((audience) => wanted.includes(audience))
      if (audiences.length === 0 && apiAudiences.length > 0) return undefined
      const reference = { resource: SECRETS, namespace: NAMESPACE, name: `bootstrap-token-${id}` }
      return withObjects(objects, [reference], ([kept]): TokenAnswer | undefined => {
        const user = kept && userOf(kept, { id, secret, now: now() })
        return user && { user, audiences }
      })
    },
  }
}

/** A token after its two parts were told apart. */
interface Shown {
  readonly id: string
  readonly secret: string
  readonly now: number
}

function userOf(kept: KubeObject, { id, secret, now }: Shown): UserInfo | undefined {
  if (kept.metadata.deletionTimestamp !== undefined || kept['type'] !== TYPE) return undefined
  const data = (key: string): string => dataOf(kept, key)
  const [expected, shown] = [Buffer.from(data('token-secret')), Buffer.from(secret)]
  if (expected.length !== shown.length || !timingSafeEqual(expected, shown)) return undefined
  if (data('token-id') !== id || isOver(data('expiration'), now)) return undefined
  if (data('usage-bootstrap-authentication') !== 'true') return undefined
  const extra = data('auth-extra-groups')
  const groups = extra === '' ? [] : extra.split(',')
  if (!groups.every((group) => GROUP.test(group))) return undefined
  return { name: `system:bootstrap:${id}`, groups: [...new Set([DEFAULT_GROUP, ...groups])].sort() }
}

function dataOf(secret: KubeObject, key: string): string {
  const data = secret['data']
  const value = isObject(data) && Object.hasOwn(data, key) ? data[key] : undefined
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : ''
}

/** A time that cannot be read is over. */
const isOver = (expiration: string, now: number): boolean =>
  expiration !== '' && !(TIME.test(expiration) && Date.parse(expiration) > now)
