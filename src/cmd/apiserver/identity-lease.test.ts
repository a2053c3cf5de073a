import { describe, expect, it } from 'vitest'
import { identityOf, isExpired } from './identity-lease.ts'

describe('the identity of a server', () => {
  it('is that which upstream gives a host of this name', () => {
    expect(identityOf('vm')).toBe('apiserver-wlv32tlttr4jl3gtroqexyxapa')
  })
})

describe('a lease', () => {
  const now = new Date('2026-01-01T01:00:00Z')
  const lease = (spec: Record<string, string | number>) => ({ metadata: {}, spec })
  it.each([
    [{ renewTime: '2026-01-01T00:00:01.000000Z', leaseDurationSeconds: 3600 }, false],
    [{ renewTime: '2025-12-31T23:59:59.000000Z', leaseDurationSeconds: 3600 }, true],
    [{ leaseDurationSeconds: 3600 }, true],
    [{ renewTime: '2026-01-01T00:00:01.000000Z' }, true],
  ])('of %j is over: %s', (spec, over) => {
    expect(isExpired(lease(spec), now)).toBe(over)
  })
})
