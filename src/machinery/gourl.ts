// URLs as Go reads them: more is taken than by WHATWG's rules, nothing is put right, and what is wrong is said in Go's words.
// Follows net/url of Go (Parse), and apiserver pkg/util/webhook/validation.go for what may be the address of a webhook.
import { isIPv4, isIPv6 } from 'node:net'
import { goQuote } from './quote.ts'

/** The parts of a URL, with escapes undone where Go undoes them. */
export interface GoUrl {
  /** In lower case; "" where there is none. */
  readonly scheme: string
  /** What follows a scheme without a slash. */
  readonly opaque: string
  /** Who stands before the host, with escapes; undefined: no "@". */
  readonly user: string | undefined
  /** With the port. */
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fragment: string
}

/** Throws an Error: `parse "…": …`. */
export function parseGoUrl(text: string): GoUrl {
  const [before, fragment] = cut(text, '#')
  const parts = said(before, () => partsOf(before))
  return { ...parts, fragment: said(text, () => unescaped(fragment)) }
}

/** Errors name what was read. */
function said<T>(text: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new Error(`parse ${goQuote(text)}: ${(error as Error).message}`)
  }
}

const CONTROL = /[\x00-\x1f\x7f]/
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/

function partsOf(text: string): Omit<GoUrl, 'fragment'> {
  if (CONTROL.test(text)) throw new Error('net/url: invalid control character in URL')
  if (text.startsWith(':')) throw new Error('missing protocol scheme')
  const written = SCHEME.exec(text)?.[1] ?? ''
  const scheme = written.toLowerCase()
  const [rest, query] = cut(written === '' ? text : text.slice(written.length + 1), '?')
  const none = { scheme, opaque: '', user: undefined, host: '', path: '', query }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...none, opaque: rest }
    if (cut(rest, '/')[0].includes(':')) throw new Error('first path segment in URL cannot contain colon')
  }
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) {
    return { ...none, path: unescaped(rest) }
  }
  const slash = rest.indexOf('/', 2)
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash)
  const at = authority.lastIndexOf('@')
  const host = hostOf(scheme, authority.slice(at + 1))
  const user = at < 0 ? undefined : userOf(authority.slice(0, at))
  return { ...none, user, host, path: slash < 0 ? '' : unescaped(rest.slice(slash)) }
}

function cut(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function userOf(text: string): string {
  if (!/^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/.test(text)) throw new Error('net/url: invalid userinfo')
  const [name, password] = cut(text, ':')
  const [first, second] = [name, password].map((part) => escapedUser(unescapedBytes(part)))
  return text.includes(':') ? `${first}:${second}` : `${first}`
}

const escapedUser = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replace(
      /[^A-Za-z0-9._~$&+,;=-]/g,
      (byte) => `%${Buffer.from(byte, 'latin1').toString('hex').toUpperCase()}`,
    )

const PORT = /^(:[0-9]*)?$/

/** What a port follows is a port to the end, but for schemes that Go knows nothing of. */
function hostOf(scheme: string, text: string): string {
  const open = text.lastIndexOf('[')
  if (open > 0) throw new Error('invalid IP-literal')
  const close = text.lastIndexOf(']')
  if (open === 0 && close < 0) throw new Error("missing ']' in host")
  const isWeb = scheme === 'http' || scheme === 'https'
  const colon = open === 0 ? close + 1 : isWeb ? text.indexOf(':') : text.lastIndexOf(':')
  const port = colon < 0 ? '' : text.slice(colon)
  if (!PORT.test(port)) throw new Error(`invalid port ${goQuote(port)} after host`)
  return open === 0 ? literalOf(text.slice(1, close)) + port : unescapedHost(text)
}

function literalOf(text: string): string {
  const zone = text.indexOf('%25')
  const host =
    zone < 0 ? unescapedHost(text) : unescapedHost(text.slice(0, zone)) + unescaped(text.slice(zone))
  if (isIPv4(host)) throw new Error('invalid IP-literal')
  if (!isIPv6(host)) throw new Error(`invalid host: ParseAddr(${goQuote(host)}): unable to parse IP`)
  return `[${host}]`
}

const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/
/** In a host nothing of ASCII is escaped but the percent itself. */
const BAD_IN_HOST = /%(?!25|[89A-Fa-f][0-9A-Fa-f])/
const NOT_OF_HOST = /[\x00-\x20\x7f\\^`{|}/?#@]/

function unescapedHost(text: string): string {
  const escape = BAD_IN_HOST.exec(text)
  const stray = NOT_OF_HOST.exec(text)
  if (stray && !(escape && escape.index < stray.index)) {
    throw new Error(`invalid character ${goQuote(stray[0])} in host name`)
  }
  if (escape) throw badEscape(text, escape.index)
  return unescaped(text)
}

const unescaped = (text: string): string => unescapedBytes(text).toString()

function unescapedBytes(text: string): Buffer {
  const escape = BAD_ESCAPE.exec(text)
  if (escape) throw badEscape(text, escape.index)
  const bytes = Buffer.from(text).toString('latin1')
  const plain = bytes.replace(/%(..)/gs, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1')
}

const ESCAPE_BYTES = 3
const badEscape = (text: string, at: number): Error =>
  new Error(`invalid URL escape ${goQuote(Buffer.from(text.slice(at)).subarray(0, ESCAPE_BYTES).toString())}`)

const FORM = '; desired format: https://host[/path]'

/** What is wrong with the address of a webhook: a value that is bad, or, without one, that none can be read. */
export function hookUrlFaults(text: string): { value?: string; why: string }[] {
  let url: GoUrl
  try {
    url = parseGoUrl(text)
  } catch (error) {
    return [{ why: `url must be a valid URL: ${(error as Error).message}${FORM}` }]
  }
  const { scheme, host, user, fragment, query } = url
  const faults: { value: string; why: string }[] = []
  const check = (isBad: boolean, value: string, why: string): void => {
    if (isBad) faults.push({ value, why })
  }
  check(scheme !== 'https', scheme, `'https' is the only allowed URL scheme${FORM}`)
  check(host === '', host, `host must be specified${FORM}`)
  check(user !== undefined, user ?? '', 'user information is not permitted in the URL')
  check(fragment !== '', fragment, 'fragments are not permitted in the URL')
  check(query !== '', query, 'query parameters are not permitted in the URL')
  return faults
}
