// Whose signatures cluster-info carries.
import { expect, it } from 'vitest'
import { timeLeft } from '../client/bootstraptokens.ts'
import { signed } from './bootstrap-signer.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const GOOD = { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true' }
const token = (data: Record<string, string>, name = 'bootstrap-token-abcdef') =>
  ({
    type: 'bootstrap.kubernetes.io/token',
    metadata: { namespace: 'kube-system', name },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
  }) as never
const map = (data: object) =>
  ({ metadata: { namespace: 'kube-public', name: 'cluster-info' }, data }) as never
// HMAC of the header {"alg":"HS256","kid":"abcdef"} and the content, made by another program.
const SIGNATURE = 'eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..psz1NayrXM3IaFzKZGsb5n_mBl7MjtlsZ1xE8MRmF_4'

it('signs with a token that may, as RFC 7515 says', () => {
  const done = signed(map({ kubeconfig: 'content', mine: 'x' }), [token(GOOD)], NOW)
  expect(done?.data).toMatchObject({ kubeconfig: 'content', mine: 'x' })
  expect(done?.data?.['jws-kubeconfig-abcdef']).toBe(SIGNATURE)
  expect(signed(done as never, [token(GOOD)], NOW)).toBeUndefined()
})

it.each([
  ['expired', { ...GOOD, expiration: '2025-12-31T23:59:59Z' }, 'bootstrap-token-abcdef'],
  ['not for signing', { ...GOOD, 'usage-bootstrap-signing': 'false' }, 'bootstrap-token-abcdef'],
  ['of another id', { ...GOOD, 'token-id': 'fedcba' }, 'bootstrap-token-abcdef'],
  ['of a wrong name', GOOD, 'token-abcdef'],
  ['without a secret', { ...GOOD, 'token-secret': '' }, 'bootstrap-token-abcdef'],
])('takes out the signature of a token that is %s', (_what, data, name) => {
  const before = map({ kubeconfig: 'content', 'jws-kubeconfig-abcdef': 'old' })
  expect(signed(before, [token(data, name)], NOW)?.data).toEqual({ kubeconfig: 'content' })
})

it('leaves alone what has nothing to sign', () => {
  expect(signed(map({ other: 'x', 'jws-kubeconfig-abcdef': 'old' }), [token(GOOD)], NOW)).toBeUndefined()
})

it.each([
  ['', Infinity],
  ['2026-01-01T00:00:10Z', 10_000],
  ['2026-01-01T00:00:00Z', 0],
  ['tomorrow', 0],
])('a token that ends %j has %s ms', (expiration, left) => {
  expect(timeLeft(token({ expiration }), NOW)).toBe(left)
})
