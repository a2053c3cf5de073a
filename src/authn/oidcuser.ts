// The user that the claims of an OpenID token become, as its issuer's configuration maps them.
// Follows getUsername, getGroups, getUID and getExtra in k8s.io/apiserver/plugin/pkg/authenticator/token/oidc.
import type { Value } from '../cel/values.ts'
import type { JsonObject } from '../machinery/json.ts'
import { goQuote } from '../machinery/quote.ts'
import { CREDENTIAL_ID, type UserInfo } from '../machinery/user.ts'
import type { JwtIssuer } from './authenticationconfig.ts'
import { refused } from './authenticator.ts'
import type * as ClaimExpressions from './claimexpressions.ts'
import type { PrefixedClaim } from './claimmappings.ts'

/** What evaluates expressions, and the claims as they see them; undefined where the issuer has none. */
interface Evaluation {
  readonly expressions: typeof ClaimExpressions
  readonly value: Value
}

/** Rejects with the 401 of `refused` for claims that lack something, or that a rule does not let pass. */
export async function userOfClaims(claims: JsonObject, issuer: JwtIssuer): Promise<UserInfo> {
  const evaluation = hasExpressions(issuer) ? await evaluationOf(claims) : undefined
  const name = nameOf(claims, issuer, evaluation)
  const groups = groupsOf(claims, issuer, evaluation)
  const uid = uidOf(claims, issuer, evaluation)
  const extra = extraOf(claims, issuer, evaluation)
  const user: UserInfo = {
    name,
    ...(uid === '' ? {} : { uid }),
    groups,
    ...(extra.length > 0 ? { extra: Object.fromEntries(extra) } : {}),
  }
  checkRequired(claims, issuer)
  const { claimRules = [], userRules = [] } = issuer
  if (evaluation) {
    const { expressions, value } = evaluation
    inTurn('error evaluating claim validation expression', () => expressions.checkClaims(claimRules, value))
    inTurn('error evaluating user info validation rule', () => expressions.checkUser(userRules, user))
  }
  return user
}

function hasExpressions({ username, groups, uid, extra, claimRules, userRules }: JwtIssuer): boolean {
  const mapped = [username, groups, uid].some((mapping) => mapping && 'expression' in mapping)
  return mapped || extra !== undefined || claimRules !== undefined || userRules !== undefined
}

async function evaluationOf(claims: JsonObject): Promise<Evaluation> {
  const expressions = await import('./claimexpressions.ts')
  return { expressions, value: expressions.claimsValue(claims) }
}

/** What is thrown within is a refusal. */
function inTurn<T>(what: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    throw refused(`oidc: ${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function nameOf(claims: JsonObject, { username }: JwtIssuer, evaluation: Evaluation | undefined): string {
  if ('expression' in username) {
    const name = inTurn('error evaluating username claim expression', () =>
      evaluated(evaluation, ({ textFrom }, value) => textFrom(username.expression, value, 'username')),
    )
    if (name === '') throw refused('oidc: empty username via CEL expression is not allowed')
    return name
  }
  const given = textClaim(claims, username.claim, `oidc: parse username claims ${goQuote(username.claim)}`)
  if (username.claim === 'email' && Object.hasOwn(claims, 'email_verified')) {
    const { email_verified: verified } = claims
    if (typeof verified !== 'boolean') throw refused("oidc: parse 'email_verified' claim: it is no boolean")
    if (!verified) throw refused('oidc: email not verified')
  }
  return username.prefix + given
}

function evaluated<T>(
  evaluation: Evaluation | undefined,
  step: (expressions: Evaluation['expressions'], value: Value) => T,
): T {
  if (!evaluation) throw new Error('an expression was not loaded')
  return step(evaluation.expressions, evaluation.value)
}

function groupsOf(claims: JsonObject, { groups }: JwtIssuer, evaluation: Evaluation | undefined): string[] {
  if (!groups) return []
  if (!('expression' in groups)) return claimedGroups(claims, groups)
  return inTurn('error evaluating group claim expression', () =>
    evaluated(evaluation, ({ textsFrom }, value) => textsFrom(groups.expression, value)),
  )
}

function uidOf(claims: JsonObject, { uid }: JwtIssuer, evaluation: Evaluation | undefined): string {
  if (!uid) return ''
  if ('claim' in uid) return textClaim(claims, uid.claim, `oidc: parse uid claim ${goQuote(uid.claim)}`)
  return inTurn('error evaluating uid claim expression', () =>
    evaluated(evaluation, ({ textFrom }, value) => textFrom(uid.expression, value, 'uid')),
  )
}

function extraOf(
  claims: JsonObject,
  { extra = [] }: JwtIssuer,
  evaluation: Evaluation | undefined,
): [string, string[]][] {
  const { jti } = claims
  const entries: [string, string[]][] =
    typeof jti === 'string' && jti !== '' ? [[CREDENTIAL_ID, [`JTI=${jti}`]]] : []
  for (const { key, expression } of extra) {
    const values = inTurn(`error evaluating extra claim expression: ${expression.source}`, () =>
      evaluated(evaluation, ({ textsFrom }, value) => textsFrom(expression, value)),
    )
    if (values.length > 0) entries.push([key, values])
  }
  return entries
}

function checkRequired(claims: JsonObject, { requiredClaims }: JwtIssuer): void {
  for (const [claim, value] of requiredClaims) {
    if (!Object.hasOwn(claims, claim)) throw refused(`oidc: required claim ${claim} not present in ID token`)
    const given = claims[claim]
    if (given === value) continue
    const shown = typeof given === 'string' ? given : JSON.stringify(given)
    throw refused(`oidc: required claim ${claim} value does not match. Got = ${shown}, want = ${value}`)
  }
}

function textClaim(claims: JsonObject, claim: string, what: string): string {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (value === undefined) throw refused(`${what}: claim not present`)
  if (typeof value !== 'string') throw refused(`${what}: it is no text`)
  return value
}

/** A list of texts, or one text; none where the claim is absent. */
function claimedGroups(claims: JsonObject, { claim, prefix }: PrefixedClaim): string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (value === undefined || value === null) return []
  const groups = Array.isArray(value) ? value : [value]
  return groups.map((group) => {
    if (typeof group === 'string') return prefix + group
    throw refused(`oidc: parse groups claim ${goQuote(claim)}: it is no list of texts`)
  })
}
