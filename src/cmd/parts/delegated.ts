// Who a caller of a part's own port is, and what it may: as the API server says. Answers are remembered for a while.
// Follows k8s.io/apiserver/pkg/authentication/authenticatorfactory and pkg/authorization/authorizerfactory (delegating).
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { peerCertificate } from '../../authn/x509.ts'
import type { Api } from '../../client/api.ts'
import type { TokenReview } from '../../client/kinds/authentication.v1.gen.ts'
import type { SubjectAccessReview } from '../../client/kinds/authorization.v1.gen.ts'
import type { Resource } from '../../client/resource.ts'
import { ANONYMOUS, AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP, type UserInfo } from '../../machinery/user.ts'

const TOKEN_REVIEWS: Resource<TokenReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  resource: 'tokenreviews',
  kind: 'TokenReview',
  namespaced: false,
}
const SUBJECT_ACCESS_REVIEWS: Resource<SubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  resource: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
}

/** How long answers are good for, in ms. */
export interface Remembered {
  readonly tokens: number
  readonly allowed: number
  readonly denied: number
}

export interface DelegatedOptions {
  readonly api: Api
  readonly remembered: Remembered
  /** Callers that show nothing are let in as nobody. */
  readonly anonymous: boolean
  /** Tokens are shown to the API server. */
  readonly tokens: boolean
  /** Certificates count: those of the CAs that the port was opened with. */
  readonly certificates: boolean
}

/** What is asked about: a resource's attributes, or a path that is none. */
export type Asked = Pick<SubjectAccessReview['spec'], 'nonResourceAttributes' | 'resourceAttributes'>

/** More callers than anybody has; beyond it the oldest answers are forgotten. */
const MAX_REMEMBERED = 4096

export class Delegated {
  readonly #options: DelegatedOptions
  readonly #users = new Memory<UserInfo | undefined>()
  readonly #verdicts = new Memory<boolean>()

  constructor(options: DelegatedOptions) {
    this.#options = options
  }

  /** undefined: what was shown is not good, or nothing was shown and that does not do. Rejects where nobody can say. */
  async caller({ headers, socket }: IncomingMessage): Promise<UserInfo | undefined> {
    const { certificates, tokens, anonymous } = this.#options
    if (certificates) {
      const shown = peerCertificate(socket as TLSSocket)
      if (shown)
        return shown.fault === undefined && shown.notAfter > Date.now() ? known(shown.user) : undefined
    }
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (token !== undefined) return tokens ? this.#userOf(token) : undefined
    return anonymous ? { name: ANONYMOUS, groups: [UNAUTHENTICATED_GROUP] } : undefined
  }

  /** Rejects where nobody can say. */
  async allows(user: UserInfo, asked: Asked): Promise<boolean> {
    const { name, uid, groups, extra } = user
    const spec: SubjectAccessReview['spec'] = {
      user: name,
      groups: [...groups],
      ...(uid === undefined ? {} : { uid }),
      ...(extra === undefined ? {} : { extra: extra as Record<string, string[]> }),
      ...asked,
    }
    const key = JSON.stringify(spec)
    const known = this.#verdicts.get(key)
    if (known) return known.value
    const { api, remembered } = this.#options
    const body: SubjectAccessReview = { metadata: {}, spec, status: { allowed: false } }
    const { status } = await api.create(SUBJECT_ACCESS_REVIEWS, body)
    this.#verdicts.set(key, status.allowed, status.allowed ? remembered.allowed : remembered.denied)
    return status.allowed
  }

  async #userOf(token: string): Promise<UserInfo | undefined> {
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#users.get(key)
    if (known) return known.value
    const { api, remembered } = this.#options
    const body: TokenReview = { metadata: {}, spec: { token }, status: { user: {} } }
    const { authenticated, user = {} } = (await api.create(TOKEN_REVIEWS, body)).status
    const { username: name = '', uid, groups = [], extra } = user
    const found = authenticated
      ? { name, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) }
      : undefined
    this.#users.set(key, found, remembered.tokens)
    return found
  }
}

const known = (user: UserInfo | undefined): UserInfo | undefined =>
  user && { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] }

/** Answers by what was asked, each for its time. */
class Memory<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>()

  get(key: string): { readonly value: T } | undefined {
    const known = this.#entries.get(key)
    if (known && known.until > Date.now()) return known
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: T, ms: number): void {
    if (ms <= 0) return
    this.#entries.set(key, { value, until: Date.now() + ms })
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_REMEMBERED) return
      this.#entries.delete(oldest)
    }
  }
}
