// A token that somebody else was shown: whom it stands for. Follows k8s.io/kubernetes/pkg/registry/authentication/tokenreview.
import type { UserInfo } from '../machinery/user.ts'
import { refusalOf, refused, type TokenAuthenticator } from './authenticator.ts'
import { authenticateToken, tokenOf, UNKNOWN_TOKEN } from './bearer.ts'
import { withAuthenticatedGroup } from './chain.ts'

/** Answers token reviews; `audiences` empty means those of the server. */
export function tokenReviewer(
  tokens: readonly TokenAuthenticator[],
  apiAudiences: readonly string[],
): (
  token: string,
  audiences: readonly string[],
) => Promise<{ user: UserInfo; audiences: readonly string[] } | { error: string }> {
  return async (token, audiences) => {
    try {
      // As it would stand in the header: what follows a space is no part of it.
      const bearer = tokenOf(`Bearer ${token}`)
      // DEVIATION: upstream answers that a token which begins with a space is authenticated, as system:anonymous.
      if (!bearer) throw refused(UNKNOWN_TOKEN)
      const wanted = audiences.length === 0 ? apiAudiences : audiences
      const answer = await authenticateToken(tokens, bearer, wanted)
      return { user: withAuthenticatedGroup(answer.user), audiences: answer.audiences }
    } catch (error) {
      const reason = refusalOf(error)
      if (reason === undefined) throw error
      return { error: reason }
    }
  }
}
