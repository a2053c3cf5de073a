// Static tokens out of a file of lines "token,user,uid[,"group,group"]".
// Follows k8s.io/apiserver/pkg/authentication/token/tokenfile.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { UserInfo } from '../machinery/user.ts'
import type { TokenAnswer, TokenAuthenticator } from './authenticator.ts'
import { CsvError, parseCsv } from './csv.ts'

/** A token file that cannot be read; the message is one line that says why. */
export class TokenFileError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'TokenFileError'
  }
}

/** Answers kept by the token itself, so that a client's later requests cost no digest. */
const CACHE_SIZE = 256
const MIN_COLUMNS = 3

/** The authenticator of a file's tokens. `warn` hears of empty and repeated tokens. Throws TokenFileError. */
export function tokenFile(
  path: string,
  apiAudiences: readonly string[],
  warn: (message: string) => void = () => {},
): TokenAuthenticator {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : message
    throw new TokenFileError(`cannot read the token file ${path}: ${why}`, error)
  }
  return new TokenFile(parseTokens(path, text, warn), apiAudiences)
}

class TokenFile implements TokenAuthenticator {
  readonly #byDigest: ReadonlyMap<string, UserInfo>
  readonly #apiAudiences: readonly string[]
  readonly #known = new Map<string, TokenAnswer>()

  constructor(tokens: ReadonlyMap<string, UserInfo>, apiAudiences: readonly string[]) {
    this.#byDigest = new Map([...tokens].map(([token, user]) => [digest(token), user]))
    this.#apiAudiences = apiAudiences
  }

  authenticateToken(token: string, audiences: readonly string[]): TokenAnswer | undefined {
    if (audiences !== this.#apiAudiences) return this.#forAudiences(token, audiences)
    const known = this.#known.get(token)
    if (known !== undefined) return known
    const user = this.#user(token)
    if (user === undefined) return undefined
    const answer = { user, audiences }
    if (this.#known.size < CACHE_SIZE) this.#known.set(token, answer)
    return answer
  }

  /** Static tokens say nothing of audiences: they are good for those of the server. */
  #forAudiences(token: string, wanted: readonly string[]): TokenAnswer | undefined {
    const audiences = this.#apiAudiences.filter((audience) => wanted.includes(audience))
    if (audiences.length === 0 && this.#apiAudiences.length > 0) return undefined
    const user = this.#user(token)
    return user && { user, audiences }
  }

  /**
   * Compared by digest, so that the time tells nothing of how much of a wrong token is right. The map of known tokens
   * tells nothing either: it compares characters only after the whole of a hash with a secret seed is the same.
   */
  #user(token: string): UserInfo | undefined {
    return this.#byDigest.get(digest(token))
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('base64')

function parseTokens(path: string, text: string, warn: (message: string) => void): Map<string, UserInfo> {
  const tokens = new Map<string, UserInfo>()
  records(path, text).forEach((record, i) => {
    if (record.length < MIN_COLUMNS) {
      throw new TokenFileError(
        `token file '${path}' must have at least ${MIN_COLUMNS} columns (token, user name, user uid), found ${record.length}`,
      )
    }
    const [token = '', name = '', uid = '', groups] = record
    if (token === '') {
      warn(`empty token has been found in token file '${path}', record number '${i + 1}'`)
      return
    }
    if (tokens.has(token)) {
      warn(`duplicate token has been found in token file '${path}', record number '${i + 1}'`)
    }
    tokens.set(token, {
      name,
      ...(uid === '' ? {} : { uid }),
      groups: groups === undefined ? [] : groups.split(','),
    })
  })
  return tokens
}

function records(path: string, text: string): string[][] {
  try {
    return parseCsv(text)
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new TokenFileError(`token file '${path}': ${error.message}`, error)
  }
}
