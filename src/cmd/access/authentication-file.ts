// The file of --authentication-config: read at the start, and again when it changes.
// Follows k8s.io/kubernetes/pkg/kubeapiserver/options/authentication.go.
import { setTimeout as delay } from 'node:timers/promises'
import type { AuthenticationConfig, JwtIssuer } from '../../authn/authenticationconfig.ts'
import type { TokenAuthenticator } from '../../authn/authenticator.ts'
import { fileText } from '../files.ts'
import type { Log } from '../log.ts'
import { StartError } from '../options.ts'
import { reloads } from '../apiserver/reloads.ts'
import { watchFiles } from '../filewatch.ts'
import { yamlObject } from './webhookfile.ts'

export interface ConfigText {
  readonly text: string
  readonly config: AuthenticationConfig
}

/** Rejects with StartError for a file that cannot be read, or that is not valid. */
export async function authenticationConfigIn(
  file: string,
  disallowed: readonly string[],
): Promise<ConfigText> {
  const { readAuthenticationConfig } = await import('../../authn/authenticationconfig.ts')
  const text = fileText(file)
  const value = await yamlObject(file, Buffer.from(text))
  try {
    return { text, config: await readAuthenticationConfig(value, disallowed) }
  } catch (error) {
    throw new StartError(`${file}: invalid authentication configuration: ${(error as Error).message}`, error)
  }
}

/** Knows the tokens of some issuers; `ready` rejects where one does not tell its keys. */
export interface IssuersTokens extends TokenAuthenticator {
  ready(): Promise<void>
}

export interface WatchedFile {
  readonly file: string
  /** What was read at the start. */
  readonly begun: ConfigText
  readonly disallowed: readonly string[]
  readonly log: Log
  made(issuers: readonly JwtIssuer[]): Promise<IssuersTokens>
}

/** How long issuers of a changed file have to tell their keys, and how often they are asked, as upstream. */
const READY_WITHIN_MS = 60_000
const ASK_EVERY_MS = 10_000

/** The tokens that the file's issuers sign, as it is now; answers how to stop looking at it. */
export async function watchedIssuers(watched: WatchedFile): Promise<{
  tokens: TokenAuthenticator
  stop: () => void
}> {
  const { file, begun, disallowed, log, made } = watched
  let { text } = begun
  let current = await made(begun.config.issuers)
  reloads.authentication.begin(text)
  const stopping = new AbortController()
  const look = async (): Promise<void> => {
    if (fileText(file) === text) return
    const next = await authenticationConfigIn(file, disallowed)
    if (JSON.stringify(next.config.anonymous) !== JSON.stringify(begun.config.anonymous))
      throw new Error('anonymous: Forbidden: changed from initial configuration file')
    const tokens = await made(next.config.issuers)
    await readyInTime(tokens, stopping.signal)
    text = next.text
    current = tokens
    reloads.authentication.succeeded(text)
    log.info({ file }, 'reloaded authentication config')
  }
  const failed = (error: unknown): void => {
    if (stopping.signal.aborted) return
    reloads.authentication.failed()
    log.error({ file, error: String(error) }, 'failed to reload the authentication config')
  }
  const end = watchFiles([file], look, failed)
  return {
    tokens: { authenticateToken: (token, audiences) => current.authenticateToken(token, audiences) },
    stop() {
      stopping.abort()
      end()
    },
  }
}

/** Rejects with the last failure where an issuer does not tell its keys in time: the old ones stay. */
async function readyInTime(tokens: IssuersTokens, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  for (;;) {
    try {
      return await tokens.ready()
    } catch (error) {
      if (performance.now() + ASK_EVERY_MS > deadline) throw error
    }
    await delay(ASK_EVERY_MS, undefined, { signal, ref: false })
  }
}
