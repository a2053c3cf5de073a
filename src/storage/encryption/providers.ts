// The transformers that a configuration asks for, by resource, and the key services behind them.
// Follows k8s.io/apiserver/pkg/server/options/encryptionconfig (config.go).
import { type GroupResource, qualifiedResource } from '../../machinery/gvk.ts'
import { goQuote } from '../../machinery/quote.ts'
import { cbc, gcm } from './aes.ts'
import { type KmsChoice, type NamedKey, type Provider, readEncryptionConfiguration } from './configuration.ts'
import type { ResourceRule } from './configuration.ts'
import type { Json } from '../../machinery/json.ts'
import type { KeyProvider } from './kms/provider.ts'
import type { Note } from './meter.ts'
import { aggregate, identity, prefixed, type Prefixed, type Transformer } from './transformer.ts'
import { decodeSecret, parseGroupResource, validateEncryption } from './validation.ts'

export interface Encryption {
  transformerOf(resource: GroupResource): Transformer
  /** Why a key service is not well; undefined: all are, or there are none. */
  check(): Promise<string | undefined>
  readonly usesKeyServices: boolean
  close(): void
}

/**
 * `value` is the configuration's JSON. Throws Errors in one line; waits for each key service's first answer, for as long
 * as its timeout. `note` hears of each value that is turned.
 */
export async function encryptionOf(
  value: Json,
  reload: boolean,
  note: Note = () => undefined,
): Promise<Encryption> {
  const rules = readEncryptionConfiguration(value)
  const faults = validateEncryption(rules, reload).map(({ field, message }) => `${field}: ${message}`)
  if (faults.length > 0) throw new Error(aggregate(faults))
  const services: KeyProvider[] = []
  try {
    const byResource = await transformersOf(rules, { services, note })
    return {
      transformerOf: (resource) => find(byResource, resource),
      check: () => checkAll(services),
      usesKeyServices: services.length > 0,
      close: () => closeAll(services),
    }
  } catch (error) {
    closeAll(services)
    throw error
  }
}

const closeAll = (services: readonly KeyProvider[]): void => {
  for (const service of services) service.close()
}

async function checkAll(services: readonly KeyProvider[]): Promise<string | undefined> {
  const faults: string[] = []
  for (const [i, service] of services.entries()) {
    const fault = await service.check()
    if (fault !== undefined) faults.push(`kms-provider-${i}: ${fault}`)
  }
  return faults.length > 0 ? aggregate(faults) : undefined
}

const nameOf = ({ group, resource }: GroupResource): string => `${resource}.${group}`

function find(byResource: ReadonlyMap<string, Transformer>, resource: GroupResource): Transformer {
  return (
    byResource.get(nameOf(resource)) ??
    byResource.get(nameOf({ group: resource.group, resource: '*' })) ??
    byResource.get('*.*') ??
    identity
  )
}

/** What transformers are made with; services are added to. */
interface Making {
  readonly services: KeyProvider[]
  readonly note: Note
}

async function transformersOf(
  rules: readonly ResourceRule[],
  making: Making,
): Promise<ReadonlyMap<string, Transformer>> {
  const lists = new Map<string, Prefixed[]>()
  for (const rule of rules) {
    const made: Prefixed[] = []
    for (const provider of rule.providers) made.push(await providerTransformer(provider, making))
    for (const text of rule.resources) {
      const resource = parseGroupResource(text)
      checkMask(lists, resource)
      lists.set(nameOf(resource), [...(lists.get(nameOf(resource)) ?? []), ...made])
    }
  }
  return new Map(
    [...lists].map(([name, list]) => [name, prefixed('no matching prefix found', list, making.note)]),
  )
}

/** An earlier rule for all of a group leaves nothing to a later one for a part of it. */
function checkMask(lists: ReadonlyMap<string, unknown>, resource: GroupResource): void {
  for (const mask of [
    { group: resource.group, resource: '*' },
    { group: '*', resource: '*' },
  ])
    if (lists.has(nameOf(mask)))
      throw new Error(`resource ${shown(resource)} is masked by earlier rule ${shown(mask)}`)
}

const shown = (resource: GroupResource): string =>
  goQuote(resource.group === '' && resource.resource === '*' ? '*.' : qualifiedResource(resource))

async function providerTransformer(provider: Provider, { services, note }: Making): Promise<Prefixed> {
  const { aesgcm, aescbc, secretbox, kms } = provider
  if (aesgcm)
    return {
      prefix: Buffer.from('k8s:enc:aesgcm:v1:'),
      transformer: keyed(aesgcm, gcm, { what: 'AES', note }),
    }
  if (aescbc)
    return {
      prefix: Buffer.from('k8s:enc:aescbc:v1:'),
      transformer: keyed(aescbc, cbc, { what: 'AES', note }),
    }
  if (secretbox) {
    const box = (await import('./secretbox.ts')).secretbox
    return {
      prefix: Buffer.from('k8s:enc:secretbox:v1:'),
      transformer: keyed(secretbox, box, { what: 'Secretbox', note }),
    }
  }
  if (kms) return keyServiceTransformer(kms, services)
  return { prefix: Buffer.alloc(0), transformer: identity }
}

/** The first key writes; each reads what was written under its name. */
function keyed(
  keys: readonly NamedKey[],
  cipher: (secret: Buffer) => Transformer,
  { what, note }: { readonly what: string; readonly note: Note },
): Transformer {
  const each = keys.map(({ name, secret }) => ({
    prefix: Buffer.from(`${name}:`),
    // Validated: it is base64.
    transformer: cipher(decodeSecret(secret) as Buffer),
  }))
  return prefixed(`no matching key was found for the provided ${what} transformer`, each, note)
}

async function keyServiceTransformer(kms: KmsChoice, services: KeyProvider[]): Promise<Prefixed> {
  if (kms.apiVersion === 'v1')
    throw new Error(
      'KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.',
    )
  const { keyService } = await import('./kms/service.ts')
  const { keyProvider } = await import('./kms/provider.ts')
  const provider = await keyProvider(kms.name, keyService(kms.endpoint, kms.timeoutMs))
  services.push(provider)
  return { prefix: Buffer.from(`k8s:enc:kms:v2:${kms.name}:`), transformer: provider.transformer }
}
