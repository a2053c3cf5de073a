// The authenticators in turn, and the group that everyone who is known belongs to.
// Follows k8s.io/apiserver/pkg/authentication/request/union and group.
import { aggregate } from '../machinery/aggregate.ts'
import { unauthorized } from '../machinery/status.ts'
import { ANONYMOUS, AUTHENTICATED_GROUP, UNAUTHENTICATED_GROUP, type UserInfo } from '../machinery/user.ts'
import { type Authenticator, type AuthnRequest, refusalOf, refused } from './authenticator.ts'

/**
 * Asks one after the other; the first that knows the user wins, even when an earlier one refused a credential (a
 * wrong certificate beside a good token). `fallback` is asked only where no credential was shown at all: a wrong one
 * never makes an anonymous request. Without a user it throws a 401.
 */
export function authenticatorChain(
  authenticators: readonly Authenticator[],
  fallback?: Authenticator,
): { authenticate(request: AuthnRequest): UserInfo | Promise<UserInfo> } {
  const authenticate = (request: AuthnRequest): UserInfo | Promise<UserInfo> =>
    ask({ authenticators, fallback, request, refusals: undefined }, 0)
  return { authenticate }
}

interface Question {
  readonly authenticators: readonly Authenticator[]
  readonly fallback: Authenticator | undefined
  readonly request: AuthnRequest
  refusals: string[] | undefined
}

function ask(question: Question, from: number): UserInfo | Promise<UserInfo> {
  const { authenticators, request } = question
  for (let i = from; i < authenticators.length; i++) {
    try {
      const user = (authenticators[i] as Authenticator).authenticate(request)
      if (user instanceof Promise) return later(question, user, i + 1)
      if (user !== undefined) return authenticated(user)
    } catch (error) {
      refuse(question, error)
    }
  }
  if (question.refusals !== undefined) throw refused(aggregate(question.refusals))
  return unknown(question)
}

async function later(
  question: Question,
  pending: Promise<UserInfo | undefined>,
  next: number,
): Promise<UserInfo> {
  try {
    const user = await pending
    if (user !== undefined) return authenticated(user)
  } catch (error) {
    refuse(question, error)
  }
  return await ask(question, next)
}

function unknown({ fallback, request }: Question): UserInfo | Promise<UserInfo> {
  const user = fallback?.authenticate(request)
  if (user === undefined) throw unauthorized()
  return user instanceof Promise ? user.then((known) => known ?? Promise.reject(unauthorized())) : user
}

function refuse(question: Question, error: unknown): void {
  const reason = refusalOf(error)
  if (reason === undefined) throw error
  question.refusals = [...(question.refusals ?? []), reason]
}

/** Users with their groups complete, by the object that the authenticator hands out again and again. */
const completed = new WeakMap<UserInfo, UserInfo>()

function authenticated(user: UserInfo): UserInfo {
  const known = completed.get(user)
  if (known !== undefined) return known
  const complete = withAuthenticatedGroup(user)
  completed.set(user, complete)
  return complete
}

/** The user, as a member of system:authenticated unless anonymous. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  const { groups } = user
  if (user.name === ANONYMOUS) return user
  if (groups.includes(AUTHENTICATED_GROUP) || groups.includes(UNAUTHENTICATED_GROUP)) return user
  return { ...user, groups: [...groups, AUTHENTICATED_GROUP] }
}
