// Tokens of paged lists. Follows k8s.io/apiserver/pkg/storage/continue.go, whose tokens these are.
import { badRequest } from '../machinery/status.ts'
import { isObject } from '../machinery/json.ts'
import { syntaxErrorOf } from '../schema/json/syntax.ts'
import type { Revision } from '../storage/interface.ts'

const TOKEN_VERSION = 'meta.k8s.io/v1'
const BASE64URL = /^[A-Za-z0-9_-]*$/

export interface ContinueToken {
  /** Where the rest of the list begins, relative to the collection. */
  readonly start: string
  /** The revision of the whole list; -1: whatever is newest. */
  readonly revision: Revision
}

export function encodeContinue(start: string, revision: Revision): string {
  return Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: revision, start })).toString('base64url')
}

const refuse = (why: string): Error => badRequest(`invalid continue token: continue key is not valid: ${why}`)

/** As Go's decoder refuses a value of another type; what is absent or null is left as it was. */
function requireGoType(field: string, value: unknown, type: 'string' | 'int64'): void {
  if (value === undefined || value === null) return
  const is = typeof value === 'boolean' ? 'bool' : Array.isArray(value) ? 'array' : typeof value
  if (is === (type === 'int64' ? 'number' : type)) return
  throw refuse(`json: cannot unmarshal ${is} into Go struct field continueToken.${field} of type ${type}`)
}

/** Throws 400 for what no server of this kind has handed out. */
export function decodeContinue(text: string): ContinueToken {
  const bad = [...text].findIndex((c) => !BASE64URL.test(c))
  if (bad >= 0 || text.length % 4 === 1) {
    throw refuse(`illegal base64 data at input byte ${bad >= 0 ? bad : text.length - 1}`)
  }
  const bytes = Buffer.from(text, 'base64url')
  const syntax = syntaxErrorOf(bytes)
  if (syntax) throw refuse(syntax)
  const token: unknown = JSON.parse(bytes.toString())
  const { v, rv, start } = isObject(token) ? token : {}
  for (const [field, value, type] of [
    ['v', v, 'string'],
    ['rv', rv, 'int64'],
    ['start', start, 'string'],
  ] as const)
    requireGoType(field, value, type)
  if (v !== TOKEN_VERSION)
    throw refuse(`server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`)
  if (typeof rv !== 'number' || rv === 0)
    throw refuse(`incorrect encoded start resourceVersion (version ${TOKEN_VERSION})`)
  if (typeof start !== 'string' || start === '')
    throw refuse(`encoded start key empty (version ${TOKEN_VERSION})`)
  if (start.split('/').some((part) => part === '..' || part === '.' || part === '')) throw refuse(start)
  return { start, revision: rv }
}
