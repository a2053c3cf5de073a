// Each cipher on its own: what it writes it reads, bound to its place where it is, and what is no value of its is refused.
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { cbc, derivedGcm, gcm } from './aes.ts'
import { secretbox } from './secretbox.ts'
import { identity, type Opened, prefixed, type Transformer } from './transformer.ts'

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef')
const KEY = '/registry/secrets/default/one'

const CIPHERS: readonly [name: string, make: (secret: Buffer) => Transformer, bound: boolean][] = [
  ['aesgcm', gcm, true],
  ['aescbc', cbc, false],
  ['secretbox', secretbox, false],
  ['seed', derivedGcm, true],
]

const seal = (transformer: Transformer, value: Buffer | string): Buffer =>
  transformer.toStorage(Buffer.from(value), KEY) as Buffer
const open = (transformer: Transformer, data: Buffer, key = KEY): Opened =>
  transformer.fromStorage(data, key) as Opened

describe.each(CIPHERS)('%s', (_name, make, bound) => {
  it('reads what it wrote, of every length', () => {
    for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 1000, 100_000]) {
      const value = randomBytes(length)
      const data = seal(make(SECRET), value)
      expect(open(make(SECRET), data).value.equals(value)).toBe(true)
      if (length > 8) expect(data.includes(value)).toBe(false)
    }
  })

  it('writes the same value otherwise each time', () => {
    expect(seal(make(SECRET), 'value').equals(seal(make(SECRET), 'value'))).toBe(false)
  })

  it('refuses what another key wrote, what is cut off, and what is nothing of the kind', () => {
    const other = Buffer.from(SECRET).fill(1)
    const data = seal(make(SECRET), 'a value that is longer than one block of any cipher')
    expect(() => outcome(make(other), data)).toThrow(/authentication failed|padding|not large enough/)
    for (let length = 0; length < 40; length++)
      expect(() => open(make(SECRET), data.subarray(0, length))).toThrow(Error)
  })

  it(bound ? 'is bound to its key of the store' : 'can be moved to another key, as upstream’s can', () => {
    const data = seal(make(SECRET), 'value')
    const moved = (): Opened => open(make(SECRET), data, '/registry/secrets/default/two')
    if (bound) expect(moved).toThrow('cipher: message authentication failed')
    else expect(moved().value.toString()).toBe('value')
  })
})

/** CBC alone may take another key's value for one, if the padding happens to fit: then it is garbage. */
function outcome(transformer: Transformer, data: Buffer): void {
  const { value } = open(transformer, data)
  if (!value.includes('a value that is')) throw new Error('padding fits by chance')
}

describe('a provider with keys', () => {
  it('writes by the first, under its name', () => {
    const transformer = prefixed('no matching prefix found', [
      { prefix: Buffer.from('k8s:enc:aescbc:v1:'), transformer: keyed('new', 'old') },
      { prefix: Buffer.alloc(0), transformer: identity },
    ])
    const data = seal(transformer, '{"kind":"Secret"}')
    expect(data.subarray(0, 22).toString()).toBe('k8s:enc:aescbc:v1:new:')
    expect(open(transformer, data)).toEqual({ value: Buffer.from('{"kind":"Secret"}'), stale: false })
  })
})

const keyed = (...names: readonly string[]): Transformer =>
  prefixed(
    'no matching key was found for the provided AES transformer',
    names.map((name) => ({
      prefix: Buffer.from(`${name}:`),
      transformer: cbc(Buffer.from(name.padEnd(32, '.'))),
    })),
  )

describe('a list of transformers', () => {
  const aes = (...names: readonly string[]) => ({
    prefix: Buffer.from('k8s:enc:aescbc:v1:'),
    transformer: keyed(...names),
  })
  const plain = { prefix: Buffer.alloc(0), transformer: identity }
  const none = 'no matching prefix found'

  it('reads by all and calls stale what the first did not write', () => {
    const old = seal(prefixed(none, [aes('old')]), 'value')
    const bare = Buffer.from('value')
    const turned = prefixed(none, [aes('new', 'old'), plain])
    expect(open(turned, old)).toEqual({ value: bare, stale: true })
    expect(open(turned, bare)).toEqual({ value: bare, stale: true })
    expect(open(turned, seal(turned, 'value')).stale).toBe(false)
  })

  it('tries the next provider of the same prefix', () => {
    const old = seal(prefixed(none, [aes('old')]), 'value')
    expect(open(prefixed(none, [aes('new'), aes('old')]), old)).toMatchObject({ stale: true })
  })

  it('finds ciphertext behind identity, and says what nobody reads', () => {
    const old = seal(prefixed(none, [aes('old')]), 'value')
    expect(open(prefixed(none, [plain, aes('old')]), old).stale).toBe(true)
    expect(() => open(prefixed(none, [plain]), old)).toThrow('no matching prefix found')
    expect(() => open(prefixed(none, [aes('new'), plain]), old)).toThrow(
      'no matching key was found for the provided AES transformer',
    )
    expect(() => open(identity, old)).toThrow('identity transformer tried to read encrypted data')
    expect(() => open(prefixed(none, [aes('new')]), Buffer.from('{}'))).toThrow(none)
  })
})
