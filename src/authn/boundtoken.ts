// Tokens that TokenRequest gives out: they end by themselves, and with the account, pod, secret or node that they name.
// Follows k8s.io/kubernetes/pkg/serviceaccount/claims.go.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import {
  CREDENTIAL_ID,
  serviceAccountGroups,
  serviceAccountUsername,
  type UserInfo,
} from '../machinery/user.ts'
import { refused, type TokenNotes } from './authenticator.ts'
import type { ClaimsReader, Credential } from './jwt.ts'
import {
  NODES,
  PODS,
  type Reference,
  SECRETS,
  SERVICE_ACCOUNTS,
  type TokenObjects,
  withObjects,
} from './tokenobjects.ts'

/** Clocks of those who sign and those who check may differ by so much; deleted objects count for as long. */
const LEEWAY_MS = 60_000

const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'
const NODE_NAME = 'authentication.kubernetes.io/node-name'
const NODE_UID = 'authentication.kubernetes.io/node-uid'
const STALE = 'authentication.k8s.io/stale-token'
const INVALIDATED = 'service account token has been invalidated'

/** An object that a claim names. */
interface Named {
  readonly name: string
  readonly uid: string
}

interface Bound extends Reference {
  /** How refusals name it: "pod". */
  readonly kind: string
  readonly uid: string
}

export function boundTokens(objects: TokenObjects): ClaimsReader {
  return (claims) => new BoundToken(claims, objects)
}

class BoundToken implements Credential {
  readonly user: UserInfo
  readonly #claims: JsonObject
  readonly #objects: TokenObjects
  readonly #namespace: string
  readonly #account: Named
  readonly #bound: readonly Bound[]
  readonly #references: readonly Reference[]

  constructor(claims: JsonObject, objects: TokenObjects) {
    const own = isObject(claims['kubernetes.io']) ? claims['kubernetes.io'] : {}
    this.#claims = claims
    this.#objects = objects
    this.#namespace = textOf(own['namespace'])
    this.#account = named(own['serviceaccount']) ?? { name: '', uid: '' }
    this.#bound = boundObjects(own, this.#namespace)
    const { name } = this.#account
    this.#references = [{ resource: SERVICE_ACCOUNTS, namespace: this.#namespace, name }, ...this.#bound]
    this.user = userOf(own, this.#namespace, this.#account, claims['jti'])
  }

  check(_token: string, now: number): TokenNotes | undefined | Promise<TokenNotes | undefined> {
    checkTimes(this.#claims, now)
    return withObjects(this.#objects, this.#references, ([account, ...bound]) => {
      this.#checkAccount(account, now)
      this.#bound.forEach((wanted, i) => checkBound(wanted, bound[i], now))
      return this.#notes(now)
    })
  }

  #checkAccount(account: KubeObject | undefined, now: number): void {
    const { name, uid } = this.#account
    if (name === '') throw refused('resource name may not be empty')
    if (!account) throw refused(`serviceaccounts "${name}" not found`)
    const found = account.metadata.uid ?? ''
    if (found !== uid) throw refused(`service account UID (${found}) does not match claim (${uid})`)
    if (deletedBefore(account, now))
      throw refused(`service account ${this.#namespace}/${name} has been deleted`)
  }

  #notes(now: number): TokenNotes | undefined {
    const own = this.#claims['kubernetes.io']
    const warnAfter = isObject(own) ? own['warnafter'] : undefined
    if (typeof warnAfter !== 'number' || warnAfter === 0 || now <= warnAfter * 1000) return undefined
    const seconds = Math.floor(now / 1000) - warnAfter
    const subject = textOf(this.#claims['sub'])
    return { annotations: { [STALE]: `subject: ${subject}, seconds after warning threshold: ${seconds}` } }
  }
}

function checkTimes({ nbf, exp, iat }: JsonObject, now: number): void {
  if (typeof nbf === 'number' && now + LEEWAY_MS < nbf * 1000)
    throw refused('service account token is not valid yet')
  if (typeof exp === 'number' && now - LEEWAY_MS > exp * 1000)
    throw refused('service account token has expired')
  if (typeof iat === 'number' && now + LEEWAY_MS < iat * 1000)
    throw refused('service account token is issued in the future')
}

function checkBound({ kind, uid }: Bound, object: KubeObject | undefined, now: number): void {
  if (!object) throw refused(INVALIDATED)
  const found = object.metadata.uid ?? ''
  if (found !== uid)
    throw refused(`${kind} UID (${found}) does not match service account ${kind} ref claim (${uid})`)
  if (deletedBefore(object, now)) throw refused(INVALIDATED)
}

const deletedBefore = ({ metadata }: KubeObject, now: number): boolean =>
  metadata.deletionTimestamp !== undefined && Date.parse(metadata.deletionTimestamp) < now - LEEWAY_MS

/** What must still be there besides the account. The node of a pod's token is only told of. */
function boundObjects(own: JsonObject, namespace: string): Bound[] {
  const [secret, pod, node] = [named(own['secret']), named(own['pod']), named(own['node'])]
  return [
    ...(secret ? [{ kind: 'secret', resource: SECRETS, namespace, ...secret }] : []),
    ...(pod ? [{ kind: 'pod', resource: PODS, namespace, ...pod }] : []),
    ...(node && !pod ? [{ kind: 'node', resource: NODES, namespace: '', ...node }] : []),
  ]
}

function userOf(own: JsonObject, namespace: string, account: Named, jti: Json | undefined): UserInfo {
  const [pod, node] = [named(own['pod']), named(own['node'])]
  const extra = {
    ...(typeof jti === 'string' && jti !== '' ? { [CREDENTIAL_ID]: [`JTI=${jti}`] } : {}),
    ...(pod?.name && pod.uid ? { [POD_NAME]: [pod.name], [POD_UID]: [pod.uid] } : {}),
    ...(node?.name ? { [NODE_NAME]: [node.name], ...(node.uid ? { [NODE_UID]: [node.uid] } : {}) } : {}),
  }
  return {
    name: serviceAccountUsername(namespace, account.name),
    ...(account.uid ? { uid: account.uid } : {}),
    groups: serviceAccountGroups(namespace),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  }
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

const named = (value: Json | undefined): Named | undefined =>
  isObject(value) ? { name: textOf(value['name']), uid: textOf(value['uid']) } : undefined
