// The authorizers in turn: the first that has an opinion decides.
// Follows k8s.io/apiserver/pkg/authorization/union and authorizerfactory, and k8s.io/kubernetes/pkg/kubeapiserver/authorizer.
import type { AuthorizationAttributes, Authorizer, Decision } from '../machinery/attributes.ts'
import { aggregate } from '../machinery/aggregate.ts'
import { goQuoteList } from '../machinery/quote.ts'
import { MASTERS_GROUP, NODES_GROUP, parseNodeUsername, type UserInfo } from '../machinery/user.ts'
import type { NodeAuthorizer } from './node.ts'
import type { PolicyRule } from './policy.ts'
import type { RbacAuthorizer, UserRules } from './rbac.ts'

const ALLOWED: Decision = { decision: 'allow', reason: '' }
const DENIED: Decision = { decision: 'noOpinion', reason: 'Everything is forbidden.' }
const NO_OPINION: Decision = { decision: 'noOpinion', reason: '' }

/** Everything, for members of system:masters: the way in when the policy is broken. */
const masters: Authorizer = {
  authorize: ({ user }) => (user.groups.includes(MASTERS_GROUP) ? ALLOWED : NO_OPINION),
}

export const AUTHORIZATION_MODES = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const
export type AuthorizationMode = (typeof AUTHORIZATION_MODES)[number]
/** Those that need nothing but what the server has anyway. */
export type BuiltinMode = Exclude<AuthorizationMode, 'ABAC' | 'Webhook'>

/** An authorizer that can also be asked what it would allow. */
export interface RuleAuthorizer extends Authorizer {
  /** What it grants a user in a namespace, as far as that can be listed. */
  rulesFor(user: UserInfo, namespace: string): UserRules
}

/** The modes of a flag's value "RBAC,AlwaysDeny". Throws an Error with upstream's wording for unknown or repeated ones. */
export function parseModes(flag: string): AuthorizationMode[] {
  const modes = flag.split(',').map((mode) => mode.trim())
  if (flag.trim() === '') throw new Error('at least one authorization-mode must be passed')
  for (const mode of modes) {
    if (!isMode(mode)) throw new Error(`authorization-mode ${JSON.stringify(mode)} is not a valid mode`)
  }
  if (new Set(modes).size < modes.length) {
    throw new Error(`authorization-mode ${goQuoteList(modes)} has mode specified more than once`)
  }
  return modes as AuthorizationMode[]
}

export const isMode = (mode: string): mode is AuthorizationMode =>
  (AUTHORIZATION_MODES as readonly string[]).includes(mode)

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]
const NOTHING: UserRules = { rules: [], errors: [] }
const NODE_RULES: UserRules = {
  rules: [],
  errors: ['node authorizer does not support user rule resolution'],
  incomplete: true,
}

const isNode = ({ name, groups }: UserInfo): boolean =>
  groups.includes(NODES_GROUP) && parseNodeUsername(name) !== undefined

interface Builtins {
  readonly rbac: RbacAuthorizer
  readonly node: NodeAuthorizer
}

/** The authorizer of one mode. */
export function builtinAuthorizer(mode: BuiltinMode, { rbac, node }: Builtins): RuleAuthorizer {
  if (mode === 'RBAC') return rbac
  if (mode === 'AlwaysAllow')
    return { authorize: () => ALLOWED, rulesFor: () => ({ rules: EVERYTHING, errors: [] }) }
  if (mode === 'AlwaysDeny') return { authorize: () => DENIED, rulesFor: () => NOTHING }
  return {
    authorize: (attributes) => node.authorize(attributes),
    rulesFor: (user) => (isNode(user) ? NODE_RULES : NOTHING),
  }
}

/** What a server asks about every request: these in order, behind the way in for system:masters. */
export function authorizerChain(authorizers: readonly RuleAuthorizer[]): RuleAuthorizer {
  const { authorize } = union([masters, ...authorizers])
  return {
    authorize,
    rulesFor(user, namespace) {
      const granted = authorizers.map((authorizer) => authorizer.rulesFor(user, namespace))
      return {
        rules: granted.flatMap(({ rules }) => rules),
        errors: granted.flatMap(({ errors }) => errors),
        ...(granted.some(({ incomplete }) => incomplete) ? { incomplete: true } : {}),
      }
    },
  }
}

/** Asks in order; without any opinion, tells all reasons. */
export function union(authorizers: readonly Authorizer[]): Authorizer {
  return { authorize: (attributes) => ask({ authorizers, attributes, heard: [] }, 0) }
}

interface Question {
  readonly authorizers: readonly Authorizer[]
  readonly attributes: AuthorizationAttributes
  readonly heard: Decision[]
}

function ask(question: Question, from: number): Decision | Promise<Decision> {
  const { authorizers, attributes, heard } = question
  for (let i = from; i < authorizers.length; i++) {
    const decision = (authorizers[i] as Authorizer).authorize(attributes)
    if (decision instanceof Promise) {
      return decision.then((late) => (late.decision === 'noOpinion' ? hear(late) : late))
      function hear(late: Decision): Decision | Promise<Decision> {
        heard.push(late)
        return ask(question, i + 1)
      }
    }
    if (decision.decision !== 'noOpinion') return decision
    heard.push(decision)
  }
  return together(heard)
}

function together(heard: readonly Decision[]): Decision {
  const reasons = heard.flatMap(({ reason }) => (reason === '' ? [] : [reason]))
  const errors = heard.flatMap(({ error }) => (error === undefined ? [] : [error]))
  const decision = { decision: 'noOpinion', reason: reasons.join('\n') } as const
  return errors.length === 0 ? decision : { ...decision, error: aggregate(errors) }
}
