// Claims of a type that they cannot have, in a token that our own key signed.
// Follows gopkg.in/go-jose/go-jose.v2 (its fork of encoding/json, and jwt/claims.go) and k8s.io/kubernetes/pkg/serviceaccount.
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'

const LIBRARY = 'go-jose/go-jose/jwt'
const TEXTS = ['iss', 'sub', 'jti']
const DATES = ['exp', 'nbf', 'iat']
const REFERENCES = ['serviceaccount', 'pod', 'secret', 'node']
const LEGACY = ['namespace', 'secret.name', 'service-account.name', 'service-account.uid']

/** The first claim that does not fit, in upstream's words; undefined where all do. */
export function claimFault(claims: JsonObject): string | undefined {
  const { aud } = claims
  const audiences = Array.isArray(aud) ? aud : [aud ?? '']
  if (aud === null || audiences.some((one) => typeof one !== 'string'))
    return `${LIBRARY}: expected string or array value to unmarshal to Audience`
  return first([
    ...TEXTS.map((name) => text(claims[name])),
    ...DATES.map((name) => date(claims[name])),
    own(claims['kubernetes.io']),
    ...LEGACY.map((name) => text(claims[`kubernetes.io/serviceaccount/${name}`])),
  ])
}

const first = (faults: readonly (string | undefined)[]): string | undefined =>
  faults.find((fault) => fault !== undefined)
const isAbsent = (value: Json | undefined): boolean => value === undefined || value === null

const text = (value: Json | undefined): string | undefined =>
  isAbsent(value) || typeof value === 'string' ? undefined : unfit(value, 'string')

const date = (value: Json | undefined): string | undefined =>
  isAbsent(value) || typeof value === 'number'
    ? undefined
    : `${LIBRARY}: expected number value to unmarshal NumericDate`

/** What tells of the account, and of what the token is bound to. */
function own(value: Json | undefined): string | undefined {
  if (isAbsent(value)) return undefined
  if (!isObject(value)) return unfit(value, 'serviceaccount.kubernetes')
  return first([
    text(value['namespace']),
    ...REFERENCES.map((name) => reference(value[name])),
    date(value['warnafter']),
  ])
}

function reference(value: Json | undefined): string | undefined {
  if (isAbsent(value)) return undefined
  if (!isObject(value)) return unfit(value, 'serviceaccount.ref')
  return first([text(value['name']), text(value['uid'])])
}

function unfit(value: Json | undefined, type: string): string {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${kind} into Go value of type ${type}`
}
