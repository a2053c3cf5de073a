// Fills secrets of type kubernetes.io/service-account-token with tokens, and deletes them with their service accounts.
// Follows k8s.io/kubernetes/pkg/controller/serviceaccount/tokens_controller.go.
import { isConflict, isNotFound } from '../../client/api.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { Secret, ServiceAccount } from '../../client/kinds/core.v1.gen.ts'
import { SECRETS, SERVICE_ACCOUNTS } from '../../client/resources.ts'
import { tokenSigner } from '../../pki/jws.ts'
import { ACCOUNT_NAME, ACCOUNT_UID, filled, isComplete, isTokenOf, TOKEN_TYPE } from './secret.ts'

const NAME = 'serviceaccount-token-controller'
const QUEUE = 'serviceaccount_tokens_service'
/** How often a reference is taken out of an account that others write to meanwhile. */
const REFERENCE_TRIES = 10

export interface TokenControllerOptions {
  readonly workers: number
  /** The private key that signs. PEM. */
  readonly key: string
  /** PEM: what pods check the API server with. */
  readonly rootCa: string | undefined
}

/** An object by what it was when it was seen: another one of its name is not meant. */
interface Seen {
  readonly namespace: string
  readonly name: string
  /** Empty: any. */
  readonly uid: string
}

interface SeenSecret extends Seen {
  readonly account: Seen
}

const seen = ({ metadata: { namespace = '', name = '', uid = '' } }: Secret | ServiceAccount): Seen => ({
  namespace,
  name,
  uid,
})

function seenSecret(secret: Secret): SeenSecret {
  const { [ACCOUNT_NAME]: name = '', [ACCOUNT_UID]: uid = '' } = secret.metadata.annotations ?? {}
  return { ...seen(secret), account: { namespace: secret.metadata.namespace ?? '', name, uid } }
}

const isSame = ({ uid }: Seen, object: Secret | ServiceAccount | undefined): boolean =>
  object !== undefined && (uid === '' || object.metadata.uid === uid)

/** Keys are JSON of Seen and SeenSecret. */
export function tokenController(
  context: ControllerContext,
  { workers, key, rootCa }: TokenControllerOptions,
): Controller {
  const { informers, log } = context
  const options = { sign: tokenSigner(key), rootCa }
  const [ofAccounts, ofSecrets] = [queueOf(context, QUEUE), queueOf(context, QUEUE)]
  const accounts = informers.of(SERVICE_ACCOUNTS)
  const secrets = informers.of(SECRETS)
  const seeAccount = (account: ServiceAccount): void => ofAccounts.add(JSON.stringify(seen(account)))
  const seeSecret = (secret: Secret): void => {
    if (secret.type !== TOKEN_TYPE || !secret.metadata.annotations?.[ACCOUNT_NAME]) return
    ofSecrets.add(JSON.stringify(seenSecret(secret)))
  }
  accounts.handle({ added: seeAccount, updated: seeAccount, deleted: seeAccount })
  secrets.handle({ added: seeSecret, updated: seeSecret, deleted: seeSecret })
  const tokens = new Tokens(context, options)
  const shared = { name: NAME, workers, log }
  return {
    name: NAME,
    run: async (signal) => {
      await Promise.all([
        work(
          { ...shared, queue: ofAccounts, reconcile: (one) => tokens.syncAccount(JSON.parse(one) as Seen) },
          signal,
        ),
        work(
          {
            ...shared,
            queue: ofSecrets,
            reconcile: (one) => tokens.syncSecret(JSON.parse(one) as SeenSecret),
          },
          signal,
        ),
      ])
    },
  }
}

class Tokens {
  readonly #context: ControllerContext
  readonly #options: Parameters<typeof filled>[2]

  constructor(context: ControllerContext, options: Parameters<typeof filled>[2]) {
    this.#context = context
    this.#options = options
  }

  /** Of an account that is gone, the tokens go. */
  async syncAccount(account: Seen): Promise<void> {
    const { informers } = this.#context
    if (isSame(account, informers.of(SERVICE_ACCOUNTS).reader.get(`${account.namespace}/${account.name}`)))
      return
    const all = informers.of(SECRETS).reader.inNamespace(account.namespace)
    for (const secret of all.filter((one) => isTokenOf(one, { metadata: account })))
      await this.#delete(seen(secret))
  }

  async syncSecret(key: SeenSecret): Promise<void> {
    const secret = this.#context.informers.of(SECRETS).reader.get(`${key.namespace}/${key.name}`)
    if (!secret || !isSame(key, secret)) return this.#forget(key)
    const account = await this.#account(key.account)
    if (!account) return this.#delete(key)
    if (!isComplete(secret, this.#options.rootCa)) await this.#fill(secret, account)
  }

  /** The newest copy is filled, and only where nobody has changed it: a change leads here again. */
  async #fill(secret: Secret, account: ServiceAccount): Promise<void> {
    const { api } = this.#context
    const { namespace, name = '', resourceVersion } = secret.metadata
    try {
      const live = await api.get(SECRETS, { namespace, name })
      if (live.metadata.resourceVersion !== resourceVersion) return
      await api.update(SECRETS, filled(live, account, this.#options))
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }

  /** The account as the copy knows it, else as the server does. */
  async #account(wanted: Seen): Promise<ServiceAccount | undefined> {
    const { api, informers } = this.#context
    const known = informers.of(SERVICE_ACCOUNTS).reader.get(`${wanted.namespace}/${wanted.name}`)
    if (isSame(wanted, known)) return known
    try {
      const live = await api.get(SERVICE_ACCOUNTS, { namespace: wanted.namespace, name: wanted.name })
      return isSame(wanted, live) ? live : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #delete({ namespace, name, uid }: Seen): Promise<void> {
    try {
      await this.#context.api.delete(SECRETS, { namespace, name }, { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  /** A secret that is gone is taken out of its account's list. */
  async #forget({ name, account }: SeenSecret): Promise<void> {
    const { api, informers } = this.#context
    const { namespace, name: accountName } = account
    if (!isSame(account, informers.of(SERVICE_ACCOUNTS).reader.get(`${namespace}/${accountName}`))) return
    for (let tries = 1; ; tries++) {
      try {
        const live = await api.get(SERVICE_ACCOUNTS, { namespace, name: accountName })
        const listed = live.secrets ?? []
        if (!isSame(account, live) || !listed.some((one) => one.name === name)) return
        await api.update(SERVICE_ACCOUNTS, { ...live, secrets: listed.filter((one) => one.name !== name) })
        return
      } catch (error) {
        if (isNotFound(error)) return
        if (!isConflict(error) || tries === REFERENCE_TRIES) throw error
      }
    }
  }
}
