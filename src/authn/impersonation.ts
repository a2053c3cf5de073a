// Acting as somebody else, for those who may: between authentication and authorization.
// Follows k8s.io/apiserver/pkg/endpoints/filters/impersonation, whose constrained modes are on by default since 1.36.
import type { AuthorizationAttributes, Authorizer } from '../machinery/attributes.ts'
import type { StatusError } from '../machinery/status.ts'
import {
  ANONYMOUS,
  AUTHENTICATED_GROUP,
  MASTERS_GROUP,
  NODES_GROUP,
  parseNodeUsername,
  parseServiceAccountUsername,
  serviceAccountGroups,
  UNAUTHENTICATED_GROUP,
  type UserInfo,
} from '../machinery/user.ts'
import { extraFault } from './extra.ts'

export interface ImpersonationOptions {
  readonly authorizer: Authorizer
  /** The 403 for what is not allowed. */
  forbidden(attributes: AuthorizationAttributes, reason: string): StatusError
}

/** One way to be allowed: constrained modes are bound to what is done, legacy allows whatever the other user may do. */
interface Mode {
  /** Of the verb "impersonate:<name>"; undefined for legacy. */
  readonly name: string | undefined
  applies(wanted: UserInfo, requester: UserInfo): boolean
}

const AUTHENTICATION_GROUP = 'authentication.k8s.io'
const NODE_NAME = 'authentication.kubernetes.io/node-name'
const ASSOCIATED_NODE_KEYS = 'authentication.kubernetes.io/associated-node-keys'

const ASSOCIATED_NODE: Mode = {
  name: 'associated-node',
  applies: (wanted, requester) => bare(wanted) && isOwnNode(wanted, requester),
}
const MODES: readonly Mode[] = [
  ASSOCIATED_NODE,
  {
    name: 'arbitrary-node',
    applies: (wanted) => bare(wanted) && parseNodeUsername(wanted.name) !== undefined,
  },
  {
    name: 'serviceaccount',
    applies: (wanted) => bare(wanted) && parseServiceAccountUsername(wanted.name) !== undefined,
  },
  {
    name: 'user-info',
    applies: ({ name }) =>
      parseNodeUsername(name) === undefined && parseServiceAccountUsername(name) === undefined,
  },
  { name: undefined, applies: () => true },
]

/** How many requesters' last mode is remembered, at about 100 bytes each. */
const REMEMBERED = 10_000
/** From so many checks on, one for all ("*") is tried first. */
const MANY = 4

export class Impersonation {
  readonly #options: ImpersonationOptions
  /** By requester: the mode that allowed last is tried first, and its refusal is the one that is told. */
  readonly #lastMode = new Map<string, Mode>()

  constructor(options: ImpersonationOptions) {
    this.#options = options
  }

  /**
   * The user to go on with: the wanted one, with the groups that belong to it. `attributes` are those of the request,
   * with the requester as its user. Rejects with 403 where no mode allows it. `constrained` hears the verb of the mode
   * that allowed it, where that is bound to what is done.
   */
  async impersonate(
    wanted: UserInfo,
    attributes: AuthorizationAttributes,
    constrained?: (verb: string) => void,
  ): Promise<UserInfo> {
    const requester = attributes.user.name
    const last = this.#lastMode.get(requester)
    const modes = last ? [last, ...MODES.filter((mode) => mode !== last)] : MODES
    let refusal: unknown
    for (const mode of modes) {
      if (!mode.applies(wanted, attributes.user)) continue
      try {
        const user = await new Attempt(mode, this.#options, attributes).user(wanted)
        this.#remember(requester, mode)
        if (mode.name !== undefined) constrained?.(`impersonate:${mode.name}`)
        return user
      } catch (error) {
        refusal ??= error
      }
    }
    throw refusal
  }

  #remember(requester: string, mode: Mode): void {
    this.#lastMode.delete(requester)
    this.#lastMode.set(requester, mode)
    const [oldest] = this.#lastMode.keys()
    if (this.#lastMode.size > REMEMBERED && oldest !== undefined) this.#lastMode.delete(oldest)
  }
}

type Checked = Pick<AuthorizationAttributes, 'group' | 'resource' | 'name'> & {
  namespace?: string
  subresource?: string
}

/** The checks of one mode, in upstream's order: the request, the name, uid, groups, extra. */
class Attempt {
  readonly #mode: Mode
  readonly #options: ImpersonationOptions
  readonly #attributes: AuthorizationAttributes

  constructor(mode: Mode, options: ImpersonationOptions, attributes: AuthorizationAttributes) {
    this.#mode = mode
    this.#options = options
    this.#attributes =
      mode === ASSOCIATED_NODE ? { ...attributes, user: withoutExtra(attributes.user) } : attributes
  }

  async user(wanted: UserInfo): Promise<UserInfo> {
    const { name: mode } = this.#mode
    if (mode !== undefined) {
      await this.#check({ ...this.#attributes, verb: `impersonate-on:${mode}:${this.#attributes.verb}` })
    }
    const groups = await this.#name(wanted)
    if (wanted.uid) await this.#may({ group: AUTHENTICATION_GROUP, resource: 'uids', name: wanted.uid })
    if (wanted.groups.length > 0) await this.#groups(wanted.groups)
    if (wanted.extra) await this.#extra(wanted.extra)
    return { ...wanted, groups: completed(wanted.name, groups) }
  }

  /** The groups that the name brings along where none are asked for. */
  async #name({ name, groups }: UserInfo): Promise<readonly string[]> {
    const account = parseServiceAccountUsername(name)
    if (account) {
      await this.#may({ group: this.#userGroup(), resource: 'serviceaccounts', ...account })
      return groups.length === 0 ? serviceAccountGroups(account.namespace) : groups
    }
    const node = this.#mode.name === undefined ? undefined : parseNodeUsername(name)
    if (node === undefined) {
      await this.#may({ group: this.#userGroup(), resource: 'users', name })
      return groups
    }
    const checked = this.#mode === ASSOCIATED_NODE ? '*' : node
    await this.#may({ group: AUTHENTICATION_GROUP, resource: 'nodes', name: checked })
    return [NODES_GROUP]
  }

  async #groups(groups: readonly string[]): Promise<void> {
    const of = (name: string): Checked => ({ group: this.#userGroup(), resource: 'groups', name })
    if (this.#mode.name !== undefined) {
      if (groups.includes(''))
        throw this.#forbidden(of(''), 'impersonating the empty string group is not allowed')
      if (groups.includes(MASTERS_GROUP)) {
        throw this.#forbidden(of(MASTERS_GROUP), 'impersonating the system:masters group is not allowed')
      }
      if (groups.length >= MANY && (await this.#allows(of('*')))) return
    }
    for (const group of groups) await this.#may(of(group))
  }

  async #extra(extra: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const of = (subresource: string, name: string): Checked => ({
      group: AUTHENTICATION_GROUP,
      resource: 'userextras',
      subresource,
      name,
    })
    const pairs = Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => [key, value] as const),
    )
    if (this.#mode.name !== undefined) {
      const fault = extraFault(extra)
      if (fault !== undefined) throw this.#forbidden(of('', ''), fault)
      if (pairs.length >= MANY && (await this.#allows(of('*', '*')))) return
    }
    for (const [key, value] of pairs) await this.#may(of(key, value))
  }

  /** Users and groups are of the core group for legacy, where they never were resources. */
  #userGroup(): string {
    return this.#mode.name === undefined ? '' : AUTHENTICATION_GROUP
  }

  async #may(checked: Checked): Promise<void> {
    await this.#check(this.#attributesOf(checked))
  }

  async #allows(checked: Checked): Promise<boolean> {
    const { decision } = await this.#options.authorizer.authorize(this.#attributesOf(checked))
    return decision === 'allow'
  }

  async #check(attributes: AuthorizationAttributes): Promise<void> {
    const { decision, reason, error } = await this.#options.authorizer.authorize(attributes)
    if (decision === 'allow') return
    throw this.#options.forbidden(attributes, [error, reason].filter(Boolean).join(': '))
  }

  #forbidden(checked: Checked, why: string): StatusError {
    return this.#options.forbidden(this.#attributesOf(checked), why)
  }

  #attributesOf(checked: Checked): AuthorizationAttributes {
    const verb = this.#mode.name === undefined ? 'impersonate' : `impersonate:${this.#mode.name}`
    const { user } = this.#attributes
    return {
      user,
      verb,
      isResourceRequest: true,
      path: '',
      version: 'v1',
      namespace: '',
      subresource: '',
      ...checked,
    }
  }
}

const bare = ({ uid, groups, extra }: UserInfo): boolean => !uid && groups.length === 0 && !extra

/** A pod's service account may act as the node that its token says the pod is on. */
function isOwnNode(wanted: UserInfo, requester: UserInfo): boolean {
  const node = parseNodeUsername(wanted.name)
  const own = requester.extra?.[NODE_NAME]
  if (node === undefined || parseServiceAccountUsername(requester.name) === undefined) return false
  return own?.length === 1 && own[0] === node
}

/** The same account on every node, so that a rule for one holds on all. */
function withoutExtra(user: UserInfo): UserInfo {
  return { ...user, extra: { [ASSOCIATED_NODE_KEYS]: Object.keys(user.extra ?? {}).sort() } }
}

function completed(name: string, groups: readonly string[]): readonly string[] {
  const add = (group: string): readonly string[] => (groups.includes(group) ? groups : [...groups, group])
  if (name === ANONYMOUS) return add(UNAUTHENTICATED_GROUP)
  return groups.includes(UNAUTHENTICATED_GROUP) ? groups : add(AUTHENTICATED_GROUP)
}
