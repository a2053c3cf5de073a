// Configurations: which resource is written by what, and what is refused, in upstream's words.
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../machinery/json.ts'
import { encryptionOf } from './providers.ts'
import type { Opened } from './transformer.ts'

const SECRET = Buffer.alloc(32, 7).toString('base64')
const OTHER = Buffer.alloc(32, 8).toString('base64')
const PLAIN = { identity: {} }
const keys = (...names: readonly string[]): JsonObject => ({
  keys: names.map((name) => ({ name, secret: SECRET })),
})

const configuration = (...resources: Json[]): JsonObject => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources,
})
const rule = (resources: Json, ...providers: Json[]): JsonObject => ({ resources, providers })

async function prefixes(config: JsonObject, ...resources: readonly string[]): Promise<readonly string[]> {
  const encryption = await encryptionOf(config, false)
  const written = resources.map(async (name) => {
    const [resource = '', ...group] = name.split('.')
    const transformer = encryption.transformerOf({ resource, group: group.join('.') })
    const data = await transformer.toStorage(Buffer.from('{}'), '/registry/x')
    expect(((await transformer.fromStorage(data, '/registry/x')) as Opened).value.toString()).toBe('{}')
    return /^k8s:enc:[^:]*:v1:[^:]*:|^\{\}$/.exec(data.toString('latin1'))?.[0] ?? '?'
  })
  return Promise.all(written)
}

describe('a configuration', () => {
  it('finds the provider of a resource: its own, its group’s, everybody’s, or none', async () => {
    const config = configuration(
      rule(['secrets', 'pandas.example.com'], { aescbc: keys('a', 'b') }, PLAIN),
      rule(['*.apps'], { secretbox: keys('s') }),
      rule(['*.'], { aesgcm: keys('core') }),
    )
    expect(
      await prefixes(
        config,
        'secrets',
        'pandas.example.com',
        'deployments.apps',
        'pods',
        'leases.coordination.k8s.io',
      ),
    ).toEqual([
      'k8s:enc:aescbc:v1:a:',
      'k8s:enc:aescbc:v1:a:',
      'k8s:enc:secretbox:v1:s:',
      'k8s:enc:aesgcm:v1:core:',
      '{}',
    ])
    const everything = configuration(rule(['events'], PLAIN), rule(['*.*'], { aesgcm: keys('all') }))
    expect(await prefixes(everything, 'events', 'jobs.batch')).toEqual(['{}', 'k8s:enc:aesgcm:v1:all:'])
  })

  it('adds up what several rules say of one resource', async () => {
    const config = configuration(rule(['secrets'], PLAIN), rule(['secrets'], { aescbc: keys('a') }))
    const encryption = await encryptionOf(config, false)
    const writer = (
      await encryptionOf(configuration(rule(['secrets'], { aescbc: keys('a') })), false)
    ).transformerOf({ group: '', resource: 'secrets' })
    const data = await writer.toStorage(Buffer.from('{}'), '/x')
    expect(encryption.transformerOf({ group: '', resource: 'secrets' }).fromStorage(data, '/x')).toEqual({
      value: Buffer.from('{}'),
      stale: true,
    })
  })

  it('may be called as upstream’s documentation once did, and holds keys that are named as anything', async () => {
    const config = { ...configuration(rule(['secrets'], { aesgcm: keys('__proto__') })), apiVersion: 'v1' }
    expect(await prefixes({ ...config, kind: 'EncryptionConfig' }, 'secrets')).toEqual([
      'k8s:enc:aesgcm:v1:__proto__:',
    ])
    await expect(encryptionOf(config, false)).rejects.toThrow('no kind "EncryptionConfiguration"')
  })
})

const kms = (more: JsonObject): JsonObject => ({
  kms: { apiVersion: 'v2', name: 'foo', endpoint: 'unix:///tmp/x.sock', ...more },
})
const REFUSED: readonly [JsonObject, string][] = [
  [configuration(), 'resources: Required value: at least one resources is required'],
  [
    configuration(rule([], PLAIN)),
    'resources[0].resources: Required value: at least one resources[0].resources is required',
  ],
  [
    configuration(rule(['secrets'])),
    'resources[0].providers: Required value: at least one resources[0].providers is required',
  ],
  [
    configuration(rule(['secrets'], {})),
    'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity',
  ],
  [
    configuration(rule(['secrets'], { identity: {}, aesgcm: keys('a') })),
    'resources[0].providers[0]: Invalid value: "REDACTED": more than one provider specified in a single element, should split into different list elements',
  ],
  [
    configuration(rule(['secrets'], { aescbc: { keys: [{ name: 'a', secret: 'AAAA' }] } })),
    'resources[0].providers[0].aescbc.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 3, expected one of [16 24 32]',
  ],
  [
    configuration(rule(['secrets'], { secretbox: { keys: [{ secret: 'no base64' }] } })),
    '[resources[0].providers[0].secretbox.keys[0].name: Required value: name is a mandatory field for a key, resources[0].providers[0].secretbox.keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded]',
  ],
  [
    configuration(rule(['secrets'], { aesgcm: {} })),
    'resources[0].providers[0].aesgcm.keys: Required value: at least one keys is required',
  ],
  [
    configuration(rule(['secrets', 'secrets'], PLAIN)),
    'resources[0].resources: Invalid value: ["secrets","secrets"]: the same resource cannot be specified multiple times',
  ],
  [configuration(rule(['secrets', '*.'], PLAIN)), 'is not allowed as they will be masked'],
  [configuration(rule(['secrets', '*.*'], PLAIN)), 'is not allowed as they will be masked'],
  [configuration(rule(['*'], PLAIN)), "use '*.' to encrypt all the resources from core API group or *.* to"],
  [configuration(rule(['Secrets'], PLAIN)), 'resource name should not contain capital letters'],
  [configuration(rule(['pods.*'], PLAIN)), 'encrypting the same resource across groups is not supported'],
  [configuration(rule(['events.events.k8s.io'], PLAIN)), "objects are stored using the 'events' API group"],
  [configuration(rule(['serviceipallocations'], PLAIN)), 'do not have REST API/s cannot be encrypted'],
  [
    configuration(rule(['*.apps'], PLAIN), rule(['deployments.apps'], PLAIN)),
    'resource "deployments.apps" is masked by earlier rule "*.apps"',
  ],
  [configuration(rule(['*.*'], PLAIN), rule(['*.'], PLAIN)), 'resource "*." is masked by earlier rule "*.*"'],
  [
    configuration(rule(['secrets'], kms({ name: 'a:b' }))),
    "invalid KMS provider name a:b, must not contain ':'",
  ],
  [configuration(rule(['secrets'], kms({ timeout: '-1s' }))), 'timeout should be a positive value'],
  [
    configuration(rule(['secrets'], kms({ endpoint: 'tcp://localhost:1' }))),
    'unsupported scheme "tcp" for KMS provider, only unix is supported',
  ],
  [configuration(rule(['secrets'], kms({ cachesize: 5 }))), 'cachesize is not supported in v2'],
  [configuration(rule(['secrets'], kms({ apiVersion: 'v3' }))), 'only v1 and v2 are supported'],
  [configuration(rule(['secrets'], kms({ apiVersion: 'v1' }))), 'KMSv1 is deprecated'],
  [
    configuration(rule(['secrets'], kms({}), kms({}))),
    'duplicate KMS provider name foo, names must be unique',
  ],
  [
    configuration({ ...rule(['secrets'], PLAIN), extra: 1 }),
    'strict decoding error: unknown field "resources[0].extra"',
  ],
  [
    configuration(rule('secrets', PLAIN)),
    'json: cannot unmarshal string: resources[0].resources is to be a list',
  ],
  [{ kind: 'EncryptionConfiguration' }, "Object 'apiVersion' is missing"],
  [{ apiVersion: 'apiserver.config.k8s.io/v2', kind: 'EncryptionConfiguration' }, 'no kind "EncryptionConf'],
]

describe('a configuration that cannot be', () => {
  it.each(REFUSED)('is refused: %j', async (config, why) => {
    await expect(encryptionOf(config, false)).rejects.toThrow(why)
  })

  it('is told of without its keys', async () => {
    const leaky = configuration(
      rule(['secrets'], { aesgcm: { keys: [{ name: 'a', secret: SECRET }] }, aescbc: keys('b') }),
      rule(['*'], { secretbox: { keys: [{ name: 'a', secret: `${OTHER}x` }], more: OTHER } }),
      rule(['x'], { secretbox: { keys: [{ name: 'c', secret: OTHER.slice(0, 20) }] } }),
    )
    const error = await encryptionOf(leaky, true).then(
      () => '',
      (e: Error) => `${e.message}${e.stack}`,
    )
    expect(error).not.toBe('')
    for (const secret of [SECRET, OTHER.slice(0, 20)]) expect(error).not.toContain(secret)
  })
})
