// Which requests are signed, and how long certificates last.
import { describe, expect, it } from 'vitest'
import { lifetimeOf } from './lifetime.ts'
import { signerFor } from './signing.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOW = Date.parse('2026-01-01T00:00:00Z')
const life = (wantedSeconds: number | undefined, mostSeconds = 365 * 86_400, end = NOW + 3650 * 24 * HOUR) =>
  lifetimeOf({ wantedSeconds, mostSeconds, signerEnd: new Date(end), now: NOW })

describe('a lifetime', () => {
  it.each([
    ['of nothing said', life(undefined), 365 * 24 * HOUR - 5 * MINUTE],
    ['of more than is given', life(10 ** 9), 365 * 24 * HOUR - 5 * MINUTE],
    ['of a day', life(86_400), 24 * HOUR - 5 * MINUTE],
    ['that is short is not dated back', life(3600), HOUR],
    ['of too little', life(1), 10 * MINUTE],
    ['of a signer that gives little', life(undefined, 60), MINUTE],
    ['ends with the signer', life(undefined, 86_400, NOW + HOUR), HOUR],
  ])('%s', (_what, { notBefore, notAfter }, ms) => {
    expect(notBefore.getTime()).toBe(NOW - 5 * MINUTE)
    expect(notAfter.getTime() - NOW).toBe(ms)
  })

  it('there is none after the end of the signer', () => {
    expect(() => life(undefined, 3600, NOW)).toThrow(
      'refusing to sign a certificate that expired in the past',
    )
  })
})

describe('a signer', () => {
  const signers = new Set(['kubelet-serving'])
  const request = (signerName: string, types: string[], certificate?: string) =>
    ({
      spec: { signerName },
      status: { certificate, conditions: types.map((type) => ({ type, status: 'True' })) },
    }) as never
  it.each([
    ['approved', request('kubernetes.io/kubelet-serving', ['Approved']), 'kubelet-serving'],
    ['waiting', request('kubernetes.io/kubelet-serving', []), undefined],
    ['denied too', request('kubernetes.io/kubelet-serving', ['Approved', 'Denied']), undefined],
    ['failed', request('kubernetes.io/kubelet-serving', ['Approved', 'Failed']), undefined],
    ['signed', request('kubernetes.io/kubelet-serving', ['Approved'], 'x'), undefined],
    ['somebody else’s', request('example.com/kubelet-serving', ['Approved']), undefined],
    ['unknown', request('kubernetes.io/other', ['Approved']), undefined],
  ])('for a request that is %s', (_what, one, signer) => {
    expect(signerFor(one, signers)).toBe(signer)
  })
})
