// Values encrypted by a key service: over its socket, through changes of its key, while it is ill, and after it is gone.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Opened } from '../transformer.ts'
import { decodeObject, encodeObject } from './envelope.ts'
import { type KeyProvider, keyProvider } from './provider.ts'
import { keyService } from './service.ts'
import { startKeyService, type TestKeyService } from './testing.suite.ts'
import { decodeMessage, encodeMap, encodeMessage } from './wire.ts'

const KEY = '/registry/secrets/default/one'
const TIMEOUT_MS = 5_000

let service: TestKeyService
let clock: number
const providers: KeyProvider[] = []

async function open(timeoutMs = TIMEOUT_MS): Promise<KeyProvider> {
  const provider = await keyProvider('local', keyService(service.endpoint, timeoutMs), () => clock)
  providers.push(provider)
  return provider
}

const seal = async ({ transformer }: KeyProvider, value: string): Promise<Buffer> =>
  transformer.toStorage(Buffer.from(value), KEY)
const unseal = async ({ transformer }: KeyProvider, data: Buffer, key = KEY): Promise<Opened> =>
  transformer.fromStorage(data, key)

/** Long enough for any answer to be asked for again. */
const later = (seconds: number): void => void (clock += seconds * 1000)

beforeEach(async () => {
  clock = Date.UTC(2026, 0, 1)
  service = await startKeyService()
})
afterEach(async () => {
  for (const provider of providers.splice(0)) provider.close()
  await service.stop()
})

describe('a key service', () => {
  it('encrypts one seed for all values, and is asked for it once by who reads', async () => {
    const writer = await open()
    const values = await Promise.all(['a', 'b', 'c'].map((value) => seal(writer, value)))
    expect(service.calls).toMatchObject({ encrypt: 1, decrypt: 0 })
    const reader = await open()
    const read = await Promise.all(values.map((data) => unseal(reader, data)))
    expect(read.map(({ value, stale }) => [value.toString(), stale])).toEqual([
      ['a', false],
      ['b', false],
      ['c', false],
    ])
    expect(service.calls.decrypt).toBe(1)
    expect(await unseal(writer, values[0] as Buffer)).toMatchObject({ stale: false })
    expect(service.calls.decrypt).toBe(1)
    await expect(unseal(reader, values[0] as Buffer, `${KEY}-moved`)).rejects.toThrow(
      'cipher: message authentication failed',
    )
  })

  it('that changes its key makes what it wrote stale, and is written by with the new one', async () => {
    const provider = await open()
    const old = await seal(provider, 'value')
    service.keyId = 'key-2'
    expect(await unseal(provider, old)).toMatchObject({ stale: false })
    later(30)
    expect(await provider.check()).toBeUndefined()
    expect(await unseal(provider, old)).toMatchObject({ value: Buffer.from('value'), stale: true })
    const fresh = await seal(provider, 'value')
    expect(decodeObject(fresh).keyId).toBe('key-2')
    expect(await unseal(provider, fresh)).toMatchObject({ stale: false })
  })

  it('that is ill is said to be, and is written by until its seed is too old', async () => {
    const provider = await open()
    const data = await seal(provider, 'value')
    service.healthz = 'no keys today'
    later(30)
    expect(await provider.check()).toBe(
      'kmsv2 Provider local is not healthy, error: got unexpected healthz status: no keys today',
    )
    service.keyId = ''
    later(10)
    expect(await provider.check()).toContain('got invalid KMSv2 KeyID hash "": keyID is empty')
    later(60)
    await seal(provider, 'value')
    later(180)
    await expect(seal(provider, 'value')).rejects.toThrow(
      /^encryptedDEKSource with keyID hash "sha256:[0-9a-f]{64}" expired at 2026-01-01T00:03:30Z \(current time is 2026-01-01T00:04:40Z\)$/,
    )
    expect(await unseal(provider, data)).toMatchObject({ stale: false })
    service.healthz = 'ok'
    service.keyId = 'key-1'
    later(10)
    expect(await provider.check()).toBeUndefined()
    await seal(provider, 'value')
  })

  it('is not believed when its version changes, or its keys differ', async () => {
    const provider = await open()
    service.version = 'v2beta1'
    later(30)
    expect(await provider.check()).toContain(
      'KMSv2 API version should not change after the initial status response version v2, got v2beta1',
    )
    service.version = 'v3'
    later(10)
    expect(await provider.check()).toContain('expected KMSv2 API version v2, got v3')
  })

  it('that refuses is quoted, and that is not there is waited for no longer than its timeout', async () => {
    const data = await seal(await open(), 'value')
    service.refuseToDecrypt = 'not for you'
    const reader = await open()
    await expect(unseal(reader, data)).rejects.toThrow(
      'failed to decrypt DEK, error: rpc error: code = InvalidArgument desc = not for you',
    )
    await service.stop()
    const late = await open(200)
    expect(await late.check()).toMatch(
      /^failed to perform status section of the healthz check for KMS Provider local, error: rpc error: code = DeadlineExceeded/,
    )
    await expect(seal(late, 'value')).rejects.toThrow('got unexpected nil transformer')
    await expect(unseal(late, data)).rejects.toThrow('got unexpected nil transformer')
  })
})

describe('an encrypted object', () => {
  const whole = {
    data: Buffer.from('data'),
    keyId: 'id',
    ciphertext: Buffer.from('dek'),
    annotations: new Map([['a.b', Buffer.from('x')]]),
    sourceType: 1,
  }

  it('has upstream’s bytes', () => {
    const bytes = encodeObject(whole)
    expect(bytes.toString('latin1')).toBe('\n\x04data\x12\x02id\x1a\x03dek"\x08\n\x03a.b\x12\x01x(\x01')
    expect(decodeObject(bytes)).toEqual(whole)
  })

  const broken: readonly [why: string, part: Partial<typeof whole>][] = [
    ['encrypted data is empty', { data: Buffer.alloc(0) }],
    ['unknown encryptedDEKSourceType: 2', { sourceType: 2 }],
    ['failed to validate key id: keyID is empty', { keyId: '' }],
    ['keyID is 1025 bytes, which exceeds the max size of 1024', { keyId: 'x'.repeat(1025) }],
    ['encrypted DEK source is empty', { ciphertext: Buffer.alloc(0) }],
    ['encrypted DEK source is 2000 bytes', { ciphertext: Buffer.alloc(2000) }],
    ['at least two segments separated by dots', { annotations: new Map([['nodots', Buffer.alloc(1)]]) }],
    ['total size of annotations is 40003', { annotations: new Map([['a.b', Buffer.alloc(40_000)]]) }],
  ]
  it.each(broken)('that is not whole is refused: %s', (why, part) => {
    expect(() => encodeObject({ ...whole, ...part })).toThrow(why)
  })

  it('is refused where it is no message, and keeps nothing of fields it does not know', () => {
    for (const text of ['\x0a\xff', '\x00', '\x0a\x05abc', '\xff'.repeat(12)])
      expect(() => decodeMessage(Buffer.from(text, 'latin1'))).toThrow('invalid wire-format data')
    const more = Buffer.concat([
      encodeMessage([
        [9, 300],
        [1, Buffer.from('x')],
      ]),
      Buffer.from('\x51\0\0\0\0\0\0\0\0\x5d\0\0\0\0', 'latin1'),
      encodeMap(4, new Map([['__proto__', Buffer.alloc(0)]])),
    ])
    const message = decodeMessage(more)
    expect([message.text(1), message.number(9), [...message.map(4)]]).toEqual([
      'x',
      300,
      [['__proto__', Buffer.alloc(0)]],
    ])
  })
})
