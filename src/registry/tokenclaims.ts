// What a service account's token says: whose it is, for whom, until when, and what it is bound to.
// Follows k8s.io/kubernetes/pkg/serviceaccount/claims.go.
import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { serviceAccountUsername } from '../machinery/user.ts'
import { textAt } from './reading.ts'

/** The object whose end ends the token; for a pod also the node that it runs on. */
export interface Bound {
  readonly kind: 'Pod' | 'Secret' | 'Node'
  readonly object: KubeObject
  readonly node?: KubeObject
}

export interface TokenContent {
  readonly account: KubeObject
  readonly audiences: readonly string[]
  readonly bound: Bound | undefined
  readonly now: Date
  readonly expirationSeconds: number
  /** Seconds after which uses are noted in the audit log; undefined: never. */
  readonly warnAfterSeconds: number | undefined
}

/** The claims but for the issuer, in the order in which upstream has them. */
export function tokenClaims(content: TokenContent): JsonObject {
  const { account, audiences, bound, expirationSeconds, warnAfterSeconds } = content
  const now = Math.floor(content.now.getTime() / 1000)
  const namespace = textAt(account.metadata.namespace)
  const node = bound?.kind === 'Node' ? bound.object : bound?.node
  return {
    aud: [...audiences],
    exp: now + expirationSeconds,
    iat: now,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      ...(node ? { node: reference(node) } : {}),
      ...(bound?.kind === 'Pod' ? { pod: reference(bound.object) } : {}),
      ...(bound?.kind === 'Secret' ? { secret: reference(bound.object) } : {}),
      serviceaccount: reference(account),
      ...(warnAfterSeconds === undefined ? {} : { warnafter: now + warnAfterSeconds }),
    },
    nbf: now,
    sub: serviceAccountUsername(namespace, textAt(account.metadata.name)),
  }
}

function reference({ metadata: { name, uid } }: KubeObject): JsonObject {
  return { ...(name ? { name } : {}), ...(uid ? { uid } : {}) }
}
