// EncryptionConfiguration as an operator writes it: read strictly, defaulted. Whether it makes sense is validation.ts.
// Follows k8s.io/apiserver/pkg/apis/apiserver (types_encryption.go, v1) and the strict decoder.
import { DurationError, parseDuration } from '../../machinery/duration.ts'
import { parseGroupVersion } from '../../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { goQuote } from '../../machinery/quote.ts'

export interface NamedKey {
  readonly name: string
  /** Base64. */
  readonly secret: string
}

export interface KmsChoice {
  readonly apiVersion: string
  readonly name: string
  readonly endpoint: string
  readonly timeoutMs: number
  readonly cacheSize: number | undefined
}

/** Valid is what names exactly one. */
export interface Provider {
  readonly aesgcm?: readonly NamedKey[]
  readonly aescbc?: readonly NamedKey[]
  readonly secretbox?: readonly NamedKey[]
  readonly identity?: true
  readonly kms?: KmsChoice
}

export interface ResourceRule {
  /** "secrets", "deployments.apps", "*.apps", "*." or "*.*". */
  readonly resources: readonly string[]
  readonly providers: readonly Provider[]
}

const DEFAULT_TIMEOUT_MS = 3_000
const DEFAULT_CACHE_SIZE = 1000
const GROUP = 'apiserver.config.k8s.io'

/** Throws an Error in one line that says what is not of the kind. */
export function readEncryptionConfiguration(value: Json): readonly ResourceRule[] {
  if (!isObject(value)) throw new Error("couldn't get version/kind; json parse error: it holds no object")
  checkKind(value)
  const reader = new Reader()
  const root = reader.object(value, '', ['apiVersion', 'kind', 'resources'])
  const rules = reader.list(root, 'resources', '').map((rule, i) => ruleOf(reader, rule, `resources[${i}]`))
  reader.throwUnknown()
  return rules
}

function checkKind({ apiVersion, kind }: JsonObject): void {
  if (typeof kind !== 'string' || kind === '') throw new Error("Object 'Kind' is missing")
  if (typeof apiVersion !== 'string' || apiVersion === '') throw new Error("Object 'apiVersion' is missing")
  const isIt = apiVersion === `${GROUP}/v1` && kind === 'EncryptionConfiguration'
  // A name that stood in upstream's documentation once.
  if (isIt || (apiVersion === 'v1' && kind === 'EncryptionConfig')) return
  if (!parseGroupVersion(apiVersion)) throw new Error(`unexpected GroupVersion string: ${apiVersion}`)
  throw new Error(`no kind ${goQuote(kind)} is registered for version ${goQuote(apiVersion)}`)
}

function ruleOf(reader: Reader, value: Json, path: string): ResourceRule {
  const rule = reader.object(value, path, ['resources', 'providers'])
  return {
    resources: reader
      .list(rule, 'resources', path)
      .map((name, i) => reader.text({ name }, 'name', `${path}.resources[${i}]`)),
    providers: reader
      .list(rule, 'providers', path)
      .map((provider, i) => providerOf(reader, provider, `${path}.providers[${i}]`)),
  }
}

function providerOf(reader: Reader, value: Json, path: string): Provider {
  const provider = reader.object(value, path, ['aesgcm', 'aescbc', 'secretbox', 'identity', 'kms'])
  const found: { -readonly [K in keyof Provider]: Provider[K] } = {}
  for (const cipher of ['aesgcm', 'aescbc', 'secretbox'] as const) {
    const at = `${path}.${cipher}`
    if (!isSet(provider[cipher])) continue
    const { keys } = { keys: reader.list(reader.object(provider[cipher], at, ['keys']), 'keys', at) }
    found[cipher] = keys.map((key, i) => keyOf(reader, key, `${at}.keys[${i}]`))
  }
  if (isSet(provider['identity'])) {
    reader.object(provider['identity'], `${path}.identity`, [])
    found.identity = true
  }
  if (isSet(provider['kms'])) found.kms = kmsOf(reader, provider['kms'], `${path}.kms`)
  return found
}

const isSet = (value: Json | undefined): value is Exclude<Json, null> => value !== undefined && value !== null

function keyOf(reader: Reader, value: Json, path: string): NamedKey {
  const key = reader.object(value, path, ['name', 'secret'])
  return {
    name: reader.text(key, 'name', `${path}.name`),
    secret: reader.text(key, 'secret', `${path}.secret`),
  }
}

function kmsOf(reader: Reader, value: Json, path: string): KmsChoice {
  const kms = reader.object(value, path, ['apiVersion', 'name', 'cachesize', 'endpoint', 'timeout'])
  const apiVersion = reader.text(kms, 'apiVersion', `${path}.apiVersion`) || 'v1'
  const given = reader.integer(kms, 'cachesize', `${path}.cachesize`)
  return {
    apiVersion,
    name: reader.text(kms, 'name', `${path}.name`),
    endpoint: reader.text(kms, 'endpoint', `${path}.endpoint`),
    timeoutMs: reader.duration(kms, 'timeout', `${path}.timeout`) ?? DEFAULT_TIMEOUT_MS,
    cacheSize: given ?? (apiVersion === 'v1' ? DEFAULT_CACHE_SIZE : undefined),
  }
}

/** Takes values by their Go type; collects unknown fields, which strict decoding names together. Values are never shown. */
class Reader {
  private readonly unknown: string[] = []

  object(value: Json | undefined, path: string, known: readonly string[]): JsonObject {
    if (!isSet(value)) return {}
    if (!isObject(value)) throw mismatch(value, path, 'an object')
    for (const key of Object.keys(value))
      if (!known.includes(key)) this.unknown.push(`unknown field ${goQuote(path ? `${path}.${key}` : key)}`)
    return value
  }

  list(from: JsonObject, key: string, path: string): readonly Json[] {
    const value = from[key]
    if (!isSet(value)) return []
    if (!Array.isArray(value)) throw mismatch(value, path ? `${path}.${key}` : key, 'a list')
    return value
  }

  text(from: JsonObject, key: string, path: string): string {
    const value = from[key]
    if (!isSet(value)) return ''
    if (typeof value !== 'string') throw mismatch(value, path, 'a string')
    return value
  }

  integer(from: JsonObject, key: string, path: string): number | undefined {
    const value = from[key]
    if (!isSet(value)) return undefined
    if (typeof value !== 'number' || !Number.isInteger(value)) throw mismatch(value, path, 'an integer')
    return value
  }

  duration(from: JsonObject, key: string, path: string): number | undefined {
    if (!isSet(from[key])) return undefined
    try {
      return Number(parseDuration(this.text(from, key, path))) / 1e6
    } catch (error) {
      if (error instanceof DurationError) throw new Error(`${path}: ${error.message}`, { cause: error })
      throw error
    }
  }

  throwUnknown(): void {
    if (this.unknown.length > 0) throw new Error(`strict decoding error: ${this.unknown.join(', ')}`)
  }
}

function mismatch(value: Exclude<Json, null>, path: string, wanted: string): Error {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return new Error(`json: cannot unmarshal ${found}: ${path} is to be ${wanted}`)
}
