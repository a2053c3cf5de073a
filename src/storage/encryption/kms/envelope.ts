// Values encrypted by keys that a key service keeps: each carries, encrypted by the service, the seed of its own key.
// Follows k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2 (envelope.go, cache.go).
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { goQuote } from '../../../machinery/quote.ts'
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../../machinery/validation.ts'
import { derivedGcm, gcm, SEED_BYTES } from '../aes.ts'
import { aggregate, type Opened, type Transformer } from '../transformer.ts'
import type { EncryptedKey, KeyService } from './service.ts'
import { decodeMessage, encodeMap, encodeMessage } from './wire.ts'

const MAX_ANNOTATIONS_BYTES = 32 * 1024
const MAX_KEY_ID_BYTES = 1024
const MAX_ENCRYPTED_KEY_BYTES = 1024

/** Seeds that were decrypted once; one more for each key id and restart of a server. As upstream, a day. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000
/** A bound where upstream has none: what more there are is asked for again. */
const MAX_REMEMBERED = 10_000

/** How the key of a value comes of what the service has encrypted. */
const IS_KEY = 0
const IS_SEED = 1

export interface EncryptedObject extends EncryptedKey {
  readonly data: Buffer
  readonly sourceType: number
}

/** The seed that values are written by now. */
export interface WriteState {
  readonly transformer: Transformer
  readonly key: EncryptedKey
  /** Milliseconds since 1970, after which it is too old to write by: nobody knows whether its key still counts. */
  readonly expiresAt: number
}

/** A new seed, and what the service makes of it. Rejects with an Error. */
export async function newSeed(
  service: KeyService,
): Promise<{ readonly transformer: Transformer; readonly key: EncryptedKey }> {
  const seed = randomBytes(SEED_BYTES)
  const key = await service.encrypt(randomUUID(), seed).catch((error: Error) => {
    throw new Error(`failed to encrypt DEK, error: ${error.message}`)
  })
  checkObject({ ...key, sourceType: IS_SEED, data: Buffer.alloc(1) })
  return { transformer: derivedGcm(seed), key }
}

/** `state` throws where the service has never been well; reads need it too, to tell what is stale. */
export function envelope(service: KeyService, state: () => WriteState, now: () => number): Transformer {
  const seeds = new Seeds(service, now)
  return {
    toStorage(value, storageKey) {
      const { transformer, key, expiresAt } = state()
      if (now() > expiresAt) throw new Error(expiredMessage(key.keyId, expiresAt, now()))
      seeds.remember(key, IS_SEED, transformer)
      const data = transformer.toStorage(value, storageKey) as Buffer
      return encodeObject({ ...key, data, sourceType: IS_SEED })
    },
    fromStorage(data, storageKey) {
      const object = decodeObject(data)
      const current = state().key.keyId
      const stale = object.keyId !== current || object.sourceType !== IS_SEED
      const open = (transformer: Transformer): Opened => ({
        value: (transformer.fromStorage(object.data, storageKey) as Opened).value,
        stale,
      })
      const transformer = seeds.of(object)
      return transformer instanceof Promise ? transformer.then(open) : open(transformer)
    },
  }
}

const expiredMessage = (keyId: string, expiresAt: number, now: number): string =>
  `encryptedDEKSource with keyID hash ${goQuote(hashOf(keyId))} expired at ${rfc3339(expiresAt)} (current time is ${rfc3339(now)})`

export const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+/, '')

/** Key ids are shown by their digest alone. */
export const hashOf = (text: string): string =>
  text === '' ? '' : `sha256:${createHash('sha256').update(text).digest('hex')}`

/** Seeds by what they are encrypted to; each is asked for once, by whoever needs it first. */
class Seeds {
  private readonly service: KeyService
  private readonly now: () => number
  private readonly known = new Map<string, { transformer: Transformer; until: number }>()
  private readonly asked = new Map<string, Promise<Transformer>>()

  constructor(service: KeyService, now: () => number) {
    this.service = service
    this.now = now
  }

  of(object: EncryptedObject): Transformer | Promise<Transformer> {
    const name = nameOf(object, object.sourceType)
    const known = this.known.get(name)
    if (known && known.until > this.now()) return known.transformer
    let asked = this.asked.get(name)
    if (!asked) {
      asked = this.ask(object).finally(() => this.asked.delete(name))
      this.asked.set(name, asked)
    }
    return asked
  }

  remember(key: EncryptedKey, sourceType: number, transformer: Transformer): void {
    const name = nameOf(key, sourceType)
    if (!this.known.has(name) && this.known.size >= MAX_REMEMBERED) this.forgetOldest()
    this.known.set(name, { transformer, until: this.now() + REMEMBERED_MS })
  }

  private async ask(object: EncryptedObject): Promise<Transformer> {
    const secret = await this.service.decrypt(randomUUID(), object).catch((error: Error) => {
      throw new Error(`failed to decrypt DEK, error: ${error.message}`)
    })
    if (object.sourceType === IS_KEY && ![16, 24, 32].includes(secret.length))
      throw new Error(`crypto/aes: invalid key size ${secret.length}`)
    const transformer = object.sourceType === IS_SEED ? derivedGcm(secret) : gcm(secret)
    this.remember(object, object.sourceType, transformer)
    return transformer
  }

  private forgetOldest(): void {
    const oldest = this.known.keys().next()
    if (!oldest.done) this.known.delete(oldest.value)
  }
}

/** All that decrypting depends on, each part with its length, so that no two keys have one name. */
function nameOf({ ciphertext, keyId, annotations }: EncryptedKey, sourceType: number): string {
  const sorted = [...annotations].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([
    sourceType,
    ciphertext.toString('base64'),
    keyId,
    sorted.map(([key, value]) => [key, value.toString('base64')]),
  ])
}

/** Throws an Error where it is not whole. */
export function encodeObject(object: EncryptedObject): Buffer {
  checkObject(object)
  const { data, keyId, ciphertext, annotations, sourceType } = object
  const first = encodeMessage([
    [1, data],
    [2, Buffer.from(keyId)],
    [3, ciphertext],
  ])
  return Buffer.concat([first, encodeMap(4, annotations), encodeMessage([[5, sourceType]])])
}

/** Throws an Error for what is none. */
export function decodeObject(bytes: Buffer): EncryptedObject {
  const message = decodeMessage(bytes)
  const object = {
    data: message.bytes(1),
    keyId: message.text(2),
    ciphertext: message.bytes(3),
    annotations: message.map(4),
    sourceType: message.number(5),
  }
  checkObject(object)
  return object
}

function checkObject({ data, keyId, ciphertext, annotations, sourceType }: EncryptedObject): void {
  if (sourceType !== IS_KEY && sourceType !== IS_SEED)
    throw new Error(`unknown encryptedDEKSourceType: ${sourceType}`)
  if (data.length === 0) throw new Error('encrypted data is empty')
  const source = sizeFault('encrypted DEK source', ciphertext.length, MAX_ENCRYPTED_KEY_BYTES)
  if (source) throw new Error(`failed to validate encrypted DEK source: ${source}`)
  const id = keyIdFault(keyId)
  if (id) throw new Error(`failed to validate key id: ${id}`)
  const faults = annotationFaults(annotations)
  if (faults) throw new Error(`failed to validate annotations: ${faults}`)
}

/** Why a key id cannot be; undefined: it can. */
export const keyIdFault = (keyId: string): string | undefined =>
  sizeFault('keyID', Buffer.byteLength(keyId), MAX_KEY_ID_BYTES)

function sizeFault(what: string, size: number, max: number): string | undefined {
  if (size === 0) return `${what} is empty`
  return size > max ? `${what} is ${size} bytes, which exceeds the max size of ${max}` : undefined
}

function annotationFaults(annotations: ReadonlyMap<string, Buffer>): string {
  const faults: string[] = []
  let total = 0
  for (const [name, value] of annotations) {
    total += Buffer.byteLength(name) + value.length
    const fault = domainFault(name)
    if (fault) faults.push(fault)
  }
  if (total > MAX_ANNOTATIONS_BYTES)
    faults.push(
      `total size of annotations is ${total}, which exceeds the max size of ${MAX_ANNOTATIONS_BYTES}`,
    )
  return aggregate(faults)
}

function domainFault(name: string): string | undefined {
  if (name === '') return 'annotations: Required value'
  const domain = name.endsWith('.') ? name.slice(0, -1) : name
  const said = (value: string, why: string): string =>
    `annotations: Invalid value: ${JSON.stringify(value)}: ${why}`
  const errors = dns1123SubdomainErrors(domain)
  if (errors.length > 0) return said(domain, errors.join(','))
  const labels = domain.split('.')
  if (labels.length < 2)
    return said(domain, 'should be a domain with at least two segments separated by dots')
  const label = labels.find((one) => dns1123LabelErrors(one).length > 0)
  return label === undefined ? undefined : said(label, dns1123LabelErrors(label).join(','))
}
