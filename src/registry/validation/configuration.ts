// Rules of ConfigMaps and Secrets: keys that can be file names, a bounded size, and what an immutable one keeps.
// Follows pkg/apis/core/validation.
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { configMapKeyErrors } from '../../machinery/validation.ts'
import { semanticEqual } from '../equality.ts'
import { textAt } from '../reading.ts'
import { Spot } from './spot.ts'

/** What etcd takes in one object. */
const MAX_BYTES = 1024 * 1024
const ACCOUNT_NAME = 'kubernetes.io/service-account.name'

const base64Length = (text: string): number => {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return (text.length * 3) / 4 - padding
}

function keys(map: Spot): void {
  for (const key of map.keys()) for (const fault of configMapKeyErrors(key)) map.key(key).invalid(fault, key)
}

function sizeOf(map: JsonObject, encoded: boolean): number {
  let bytes = 0
  for (const key of Object.keys(map)) {
    const text = textAt(map[key])
    bytes += encoded ? base64Length(text) : Buffer.byteLength(text)
  }
  return bytes
}

function configMap(spot: Spot): void {
  const [data, binary] = [spot.at('data'), spot.at('binaryData')]
  for (const key of data.keys()) {
    for (const fault of configMapKeyErrors(key)) data.key(key).invalid(fault, key)
    if (Object.hasOwn(binary.object, key))
      data.key(key).invalid('duplicate of key present in binaryData', key)
  }
  keys(binary)
  if (sizeOf(data.object, false) + sizeOf(binary.object, true) > MAX_BYTES) spot.tooLong(MAX_BYTES)
}

export function validateConfigMap(map: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  configMap(Spot.of(map, causes))
  return causes
}

const SEALED = 'field is immutable when `immutable` is set'

function sealed(spot: Spot, old: KubeObject, fields: readonly string[]): void {
  if (old['immutable'] !== true) return
  if (spot.at('immutable').value !== true) spot.at('immutable').forbidden(SEALED)
  for (const field of fields)
    if (!semanticEqual(spot.at(field).value, old[field])) spot.at(field).forbidden(SEALED)
}

export function validateConfigMapUpdate(map: KubeObject, old: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(map, causes)
  sealed(spot, old, ['data', 'binaryData'])
  configMap(spot)
  return causes
}

/** Why the text is no JSON object, as Go says it of its first wrong character. */
function jsonFault(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return value === null || (typeof value === 'object' && !Array.isArray(value))
      ? undefined
      : `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type map[string]interface {}`
  } catch {
    return firstFault(text)
  }
}

const LITERALS = ['null', 'true', 'false']

function firstFault(text: string): string {
  const trimmed = text.trimStart()
  if (!trimmed) return 'unexpected end of JSON input'
  const literal = LITERALS.find((word) => word[0] === trimmed[0])
  if (!literal) return `invalid character '${trimmed[0]}' looking for beginning of value`
  const at = [...literal].findIndex((char, i) => trimmed[i] !== char)
  if (at < 0 || trimmed[at] === undefined) return 'unexpected end of JSON input'
  return `invalid character '${trimmed[at]}' in literal ${literal} (expecting '${literal[at]}')`
}

function holdsJson(data: Spot, name: string): void {
  const entry = data.key(name)
  if (!entry.isSet) return entry.required()
  const fault = jsonFault(Buffer.from(entry.text, 'base64').toString())
  if (fault) entry.invalid(fault, '<secret contents redacted>')
}

/** What each type of secret must hold. */
const TYPES: Readonly<Record<string, (secret: Spot) => void>> = {
  'kubernetes.io/service-account-token'(secret) {
    const name = secret.at('metadata').at('annotations').key(ACCOUNT_NAME)
    name.needed()
  },
  'kubernetes.io/dockercfg': (secret) => holdsJson(secret.at('data'), '.dockercfg'),
  'kubernetes.io/dockerconfigjson': (secret) => holdsJson(secret.at('data'), '.dockerconfigjson'),
  'kubernetes.io/basic-auth'(secret) {
    const entries = ['username', 'password'].map((name) => secret.at('data').key(name))
    if (entries.every((entry) => !entry.isSet)) for (const entry of entries) entry.required()
  },
  'kubernetes.io/ssh-auth': (secret) => void secret.at('data').key('ssh-privatekey').needed(),
  'kubernetes.io/tls'(secret) {
    for (const name of ['tls.crt', 'tls.key']) {
      if (!secret.at('data').key(name).isSet) secret.at('data').key(name).required()
    }
  },
}

function secret(spot: Spot): void {
  const data = spot.at('data')
  keys(data)
  if (sizeOf(data.object, true) > MAX_BYTES) data.tooLong(MAX_BYTES)
  const type = spot.at('type').text
  if (Object.hasOwn(TYPES, type)) TYPES[type]?.(spot)
}

export function validateSecret(object: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  secret(Spot.of(object, causes))
  return causes
}

export function validateSecretUpdate(object: KubeObject, old: KubeObject): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(object, causes)
  spot.at('type').unchanged(old['type'])
  sealed(spot, old, ['data'])
  return causes
}
