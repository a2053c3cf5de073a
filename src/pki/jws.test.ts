// Signatures by keys of each kind, checked with the public half.
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { expect, it } from 'vitest'
import { tokenSigner } from './jws.ts'

const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }): string =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString()
const ec = (namedCurve: string): string => pem(generateKeyPairSync('ec', { namedCurve }).privateKey)

it.each([
  ['RS256', 'sha256', pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)],
  ['ES256', 'sha256', ec('P-256')],
  ['ES384', 'sha384', ec('P-384')],
  ['ES512', 'sha512', ec('P-521')],
])('%s', (alg, digest, key) => {
  const token = tokenSigner(key)({ sub: 'jo' })
  const [header = '', claims = '', signature = ''] = token.split('.')
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  expect(read(header)).toEqual({ alg, kid: expect.stringMatching(/^[\w-]{43}$/) as string })
  expect(read(claims)).toEqual({ sub: 'jo' })
  const signed = Buffer.from(`${header}.${claims}`)
  const half = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' as const }
  expect(verify(digest, signed, half, Buffer.from(signature, 'base64url'))).toBe(true)
})

it('takes no key that signs no tokens', () => {
  expect(() => tokenSigner(pem(generateKeyPairSync('ed25519').privateKey))).toThrow('cannot sign tokens')
})
