// The Authorization header's bearer token, shown to the authenticators of tokens in turn.
// Follows k8s.io/apiserver/pkg/authentication/request/bearertoken and token/union.
import { aggregate } from '../machinery/aggregate.ts'
import type { UserInfo } from '../machinery/user.ts'
import {
  type Authenticator,
  type AuthnRequest,
  refusalOf,
  refused,
  type TokenAnswer,
  type TokenAuthenticator,
} from './authenticator.ts'

const EXTRA_SPACE =
  'the provided Authorization header contains extra space before the bearer token, and is ignored'
/** Why a token that nobody knows is refused. */
export const UNKNOWN_TOKEN = 'invalid bearer token'

/** Reads "Bearer <token>". Another scheme, or no token, is nothing to it; a token that nobody knows is a 401. */
export function bearerToken(
  tokens: readonly TokenAuthenticator[],
  apiAudiences: readonly string[],
): Authenticator {
  const authenticate = (request: AuthnRequest): UserInfo | undefined | Promise<UserInfo | undefined> => {
    const token = tokenOf(request.headers.authorization)
    if (token === '') request.warn?.(EXTRA_SPACE)
    if (!token) return undefined
    const answer = authenticateToken(tokens, token, apiAudiences)
    return answer instanceof Promise
      ? answer.then((known) => userOf(known, request))
      : userOf(answer, request)
  }
  return { authenticate }
}

/** The user of a token; the request hears what the token is remarked with. */
export function userOf({ user, warnings, annotations }: TokenAnswer, request: AuthnRequest): UserInfo {
  for (const warning of warnings ?? []) request.warn?.(warning)
  for (const [key, value] of Object.entries(annotations ?? {})) request.annotate?.(key, value)
  return user
}

/** The answer of the first that knows the token. Throws or rejects with a 401 that names every refusal. */
export function authenticateToken(
  tokens: readonly TokenAuthenticator[],
  token: string,
  audiences: readonly string[],
): TokenAnswer | Promise<TokenAnswer> {
  return ask({ tokens, token, audiences, refusals: [] }, 0)
}

interface Question {
  readonly tokens: readonly TokenAuthenticator[]
  readonly token: string
  readonly audiences: readonly string[]
  readonly refusals: string[]
}

function ask(question: Question, from: number): TokenAnswer | Promise<TokenAnswer> {
  const { tokens, token, audiences } = question
  for (let i = from; i < tokens.length; i++) {
    try {
      const answer = (tokens[i] as TokenAuthenticator).authenticateToken(token, audiences)
      if (answer instanceof Promise) return later(question, answer, i + 1)
      if (answer !== undefined) return answer
    } catch (error) {
      question.refusals.push(reasonOf(error))
    }
  }
  // Upstream asks for a token of its own first, which says this of every other.
  throw refused(aggregate([UNKNOWN_TOKEN, ...question.refusals]))
}

async function later(
  question: Question,
  pending: Promise<TokenAnswer | undefined>,
  next: number,
): Promise<TokenAnswer> {
  try {
    const answer = await pending
    if (answer !== undefined) return answer
  } catch (error) {
    question.refusals.push(reasonOf(error))
  }
  return await ask(question, next)
}

/** Why it was refused; an error that is no refusal is a fault of ours and goes on its way. */
function reasonOf(error: unknown): string {
  const reason = refusalOf(error)
  if (reason === undefined) throw error
  return reason
}

/** The token of an Authorization header: "" where there is a space too many, undefined where there is none. */
export function tokenOf(authorization: string | undefined): string | undefined {
  const header = authorization?.trim()
  if (header === undefined || header.length < 7 || header[6] !== ' ') return undefined
  if (header.slice(0, 6).toLowerCase() !== 'bearer') return undefined
  const end = header.indexOf(' ', 7)
  return end === -1 ? header.slice(7) : header.slice(7, end)
}
