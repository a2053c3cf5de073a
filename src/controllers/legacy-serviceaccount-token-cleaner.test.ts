// Which tokens in secrets are marked, and which are deleted.
import { expect, it } from 'vitest'
import { fateOf, isTrackedLongEnough, secretsOf } from './legacy-serviceaccount-token-cleaner.ts'

const NOW = Date.parse('2026-06-15T12:00:00Z')
const DAY = 86_400_000
const secret = (labels: object = {}, more: object = {}) =>
  ({
    type: 'kubernetes.io/service-account-token',
    metadata: { name: 's', creationTimestamp: '2025-01-01T00:00:00Z', labels, ...more },
  }) as never
const lists = { metadata: {}, secrets: [{ name: 's' }] } as never
const use = { now: NOW, unusedMs: 30 * DAY, account: lists, isMounted: () => false }
const used = (day: string) => ({ 'kubernetes.io/legacy-token-last-used': day })
const invalid = (day: string) => ({ 'kubernetes.io/legacy-token-invalid-since': day })

it.each([
  ['never used', secret(), use, 'mark'],
  ['used long ago', secret(used('2026-05-15')), use, 'mark'],
  ['used on the last day that counts', secret(used('2026-05-16')), use, undefined],
  ['whose use cannot be read', secret(used('yesterday')), use, undefined],
  ['young', secret({}, { creationTimestamp: '2026-06-01T00:00:00Z' }), use, undefined],
  ['on its way out', secret({}, { deletionTimestamp: '2026-06-01T00:00:00Z' }), use, undefined],
  ['made by hand', secret(), { ...use, account: { metadata: {} } as never }, undefined],
  ['of no account', secret(), { ...use, account: undefined }, undefined],
  ['in a pod', secret(), { ...use, isMounted: () => true }, undefined],
  ['marked long ago', secret(invalid('2026-05-01')), use, 'delete'],
  ['marked of late', secret(invalid('2026-06-01')), use, undefined],
  ['marked with nonsense', secret(invalid('2026-02-31')), use, 'mark'],
  [
    'of another type',
    { type: 'Opaque', metadata: { creationTimestamp: '2025-01-01T00:00:00Z' } } as never,
    use,
    undefined,
  ],
])('one that is %s: %s', (_what, one, uses, fate) => {
  expect(fateOf(one, uses)).toBe(fate)
})

it('waits until uses were noted for long enough', () => {
  expect(isTrackedLongEnough('2026-05-15', NOW, 30 * DAY)).toBe(true)
  expect(isTrackedLongEnough('2026-05-16', NOW, 30 * DAY)).toBe(false)
  expect(isTrackedLongEnough(undefined, NOW, 30 * DAY)).toBe(false)
})

it('finds the secrets of a pod', () => {
  const spec = {
    imagePullSecrets: [{ name: 'pull' }],
    containers: [
      {
        name: 'no',
        env: [{ name: 'no', valueFrom: { secretKeyRef: { name: 'env', key: 'no' } } }],
        envFrom: [{ secretRef: { name: 'from' } }],
      },
    ],
    volumes: [
      { name: 'no', secret: { secretName: 'volume' } },
      {
        name: 'no',
        projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'no' } }] },
      },
      { name: 'no', csi: { driver: 'no', nodePublishSecretRef: { name: 'driver' } } },
    ],
  }
  expect([...secretsOf(spec)].sort()).toEqual(['driver', 'env', 'from', 'projected', 'pull', 'volume'])
})
