// The bearer token of a browser's WebSocket, which can set no other header than its subprotocols.
// Follows k8s.io/apiserver/pkg/authentication/request/websocket.
import { type Authenticator, type AuthnRequest, refused, type TokenAuthenticator } from './authenticator.ts'
import { authenticateToken, userOf } from './bearer.ts'

const PREFIX = 'base64url.bearer.authorization.k8s.io.'
/** base64url without padding. */
const ENCODED = /^[A-Za-z0-9_-]*$/

/** Reads the subprotocol "base64url.bearer.authorization.k8s.io.<token>". It must not be the only one: one is answered. */
export function webSocketToken(
  tokens: readonly TokenAuthenticator[],
  apiAudiences: readonly string[],
): Authenticator {
  const authenticate = (request: AuthnRequest) => {
    const token = offeredToken(request)
    if (token === undefined) return undefined
    const answer = authenticateToken(tokens, token, apiAudiences)
    return answer instanceof Promise
      ? answer.then((known) => userOf(known, request))
      : userOf(answer, request)
  }
  return { authenticate }
}

function offeredToken({ headers }: AuthnRequest): string | undefined {
  const offered = headers['sec-websocket-protocol']
  if (offered === undefined || !isWebSocket(headers)) return undefined
  const protocols = offered.split(',').map((protocol) => protocol.trim())
  const [shown, ...more] = protocols.filter((protocol) => protocol.startsWith(PREFIX))
  if (shown === undefined) return undefined
  if (more.length > 0) throw refused('multiple base64.bearer.authorization tokens specified')
  const token = decoded(shown.slice(PREFIX.length))
  if (token === '') return undefined
  if (protocols.length === 1) throw refused('missing additional subprotocol')
  return token
}

const isWebSocket = ({ connection, upgrade }: AuthnRequest['headers']): boolean =>
  upgrade?.toLowerCase() === 'websocket' && /(^|[\s,])upgrade($|[\s,])/i.test(connection ?? '')

function decoded(text: string): string {
  if (!ENCODED.test(text) || text.length % 4 === 1)
    throw refused('invalid base64.bearer.authorization token encoding')
  const bytes = Buffer.from(text, 'base64url')
  const token = bytes.toString('utf8')
  if (!Buffer.from(token, 'utf8').equals(bytes)) throw refused('invalid base64.bearer.authorization token')
  return token
}
