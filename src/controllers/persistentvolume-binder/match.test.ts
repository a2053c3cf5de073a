// Which volume a claim gets.
import { expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../../client/kinds/core.v1.gen.ts'
import { bestVolume, keysWith, mismatch, modesKey } from './match.ts'

const claim = (spec: object = {}): PersistentVolumeClaim =>
  ({
    metadata: { namespace: 'n', name: 'c', uid: 'u' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } }, ...spec },
    status: {},
  }) as PersistentVolumeClaim
const volume = (name: string, storage: string, spec: object = {}, more: object = {}): PersistentVolume =>
  ({
    metadata: { name, ...more },
    spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], ...spec },
    status: { phase: 'Available' },
  }) as PersistentVolume
const ours = { claimRef: { namespace: 'n', name: 'c' } }

it.each<[string, PersistentVolumeClaim, PersistentVolume[], string | undefined]>([
  [
    'the smallest that is large enough',
    claim(),
    [volume('a', '4Gi'), volume('b', '8Gi'), volume('c', '6Gi')],
    'c',
  ],
  ['the first of equals', claim(), [volume('a', '6Gi'), volume('b', '6144Mi')], 'a'],
  ['the one that is kept for it', claim(), [volume('a', '5Gi'), volume('b', '9Gi', ours)], 'b'],
  ['none that is kept too small', claim(), [volume('b', '1Gi', ours)], undefined],
  [
    'none that is another’s',
    claim(),
    [volume('a', '5Gi', { claimRef: { namespace: 'n', name: 'd' } })],
    undefined,
  ],
  [
    'none of an older claim of its name',
    claim(),
    [volume('a', '5Gi', { claimRef: { ...ours.claimRef, uid: 'old' } })],
    undefined,
  ],
  [
    'one of its class',
    claim({ storageClassName: 's' }),
    [volume('a', '5Gi'), volume('b', '5Gi', { storageClassName: 's' })],
    'b',
  ],
  [
    'one of its mode',
    claim({ volumeMode: 'Block' }),
    [volume('a', '5Gi'), volume('b', '5Gi', { volumeMode: 'Block' })],
    'b',
  ],
  [
    'one of its attributes',
    claim({ volumeAttributesClassName: 'gold' }),
    [volume('a', '5Gi'), volume('b', '5Gi', { volumeAttributesClassName: 'gold' })],
    'b',
  ],
  [
    'one with its labels',
    claim({ selector: { matchLabels: { k: 'v' } } }),
    [volume('a', '5Gi'), volume('b', '5Gi', {}, { labels: { k: 'v' } })],
    'b',
  ],
  ['none that is being deleted', claim(), [volume('a', '5Gi', {}, { deletionTimestamp: 'now' })], undefined],
  [
    'none that is not available',
    claim(),
    [{ ...volume('a', '5Gi'), status: { phase: 'Released' } }],
    undefined,
  ],
])('takes %s', (_what, wanted, volumes, name) => {
  expect(bestVolume(wanted, volumes, false)?.metadata.name).toBe(name)
})

it('takes only what is kept for it while it waits for its pod', () => {
  const volumes = [volume('a', '5Gi'), volume('b', '5Gi', ours)]
  expect(bestVolume(claim(), volumes, true)?.metadata.name).toBe('b')
  expect(bestVolume(claim(), volumes.slice(0, 1), true)).toBe(undefined)
})

it('looks at volumes with the fewest modes first', () => {
  expect(modesKey(['ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOnce'])).toBe('ReadWriteOnce,ReadWriteMany')
  const keys = keysWith(['ReadWriteMany', 'ReadWriteOnce'])
  expect(keys).toHaveLength(4)
  expect(keys[0]).toBe('ReadWriteOnce,ReadWriteMany')
  expect(keysWith([])).toHaveLength(16)
})

it.each<[object, object, string | undefined]>([
  [{}, {}, undefined],
  [{}, { capacity: { storage: '1Gi' } }, 'requested PV is too small'],
  [{ storageClassName: 's' }, {}, 'storageClassName does not match'],
  [{ volumeAttributesClassName: 's' }, {}, 'volumeAttributesClassName does not match'],
  [{ volumeMode: 'Block' }, {}, 'incompatible volumeMode'],
  [{ accessModes: ['ReadWriteMany'] }, {}, 'incompatible accessMode'],
])('a claim of %j and a volume of %j: %s', (wanted, has, why) => {
  expect(mismatch(claim(wanted), volume('a', '5Gi', has))).toBe(why)
})
