// Tokens by which nodes join, in secrets of kube-system. Follows k8s.io/cluster-bootstrap/util/secrets.
import type { Secret } from './kinds/core.v1.gen.ts'

const TYPE = 'bootstrap.kubernetes.io/token'
export const TOKEN_NAMESPACE = 'kube-system'
/** RFC 3339: Date.parse takes more. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

export const isBootstrapToken = ({ type, metadata }: Secret): boolean =>
  type === TYPE && metadata.namespace === TOKEN_NAMESPACE

/** One of the secret's texts; empty where it is absent. */
export const textIn = ({ data = {} }: Secret, key: string): string =>
  Buffer.from(Object.hasOwn(data, key) ? (data[key] ?? '') : '', 'base64').toString()

/** How long it is good still, in ms; Infinity: without an end; 0 where it is over or its end cannot be read. */
export function timeLeft(secret: Secret, now: number): number {
  const end = textIn(secret, 'expiration')
  if (end === '') return Infinity
  const left = TIME.test(end) ? Date.parse(end) - now : 0
  return left > 0 ? left : 0
}
