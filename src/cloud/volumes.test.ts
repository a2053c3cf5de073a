import { describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../client/kinds/core.v1.gen.ts'
import { isLeftBehind, refusalOf, volumeFor, waitsFor } from './volumes.ts'

const OURS = 'ours/p'
const PROVISIONER = 'volume.kubernetes.io/storage-provisioner'

const claim = (spec: object = {}, metadata: object = {}): PersistentVolumeClaim => ({
  metadata: { name: 'c', namespace: 'n', uid: 'u', annotations: { [PROVISIONER]: OURS }, ...metadata },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  status: {},
})

const volume = (phase: string, spec: object = {}, provisionedBy = OURS): PersistentVolume => ({
  metadata: { name: 'v', annotations: { 'pv.kubernetes.io/provisioned-by': provisionedBy } },
  spec: { persistentVolumeReclaimPolicy: 'Delete', ...spec },
  status: { phase },
})

describe('a claim', () => {
  it.each([
    ['waits for who is to give it a volume', claim(), true],
    ['of another provisioner does not', claim({}, { annotations: { [PROVISIONER]: 'other' } }), false],
    ['that nobody was named for does not', claim({}, { annotations: {} }), false],
    ['that has a volume does not', claim({ volumeName: 'v' }), false],
    ['that goes does not', claim({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
  ])('%s', (_, given, expected) => expect(waitsFor(given, OURS)).toBe(expected))

  it.each([
    [claim(), undefined],
    [claim({ volumeMode: 'Block' }), 'block volumes are not supported'],
    [claim({ selector: {} }), 'claim Selector is not supported'],
    [
      claim({ dataSource: { kind: 'VolumeSnapshot', name: 's' } }),
      'a volume cannot be made from another source',
    ],
  ])('is refused what nobody can give', (given, expected) => expect(refusalOf(given)).toBe(expected))
})

describe('a volume', () => {
  it.each([
    ['that nobody claims any more', volume('Released'), true],
    ['that is in use', volume('Bound'), false],
    ['that is to stay', volume('Released', { persistentVolumeReclaimPolicy: 'Retain' }), false],
    ['of another provisioner', volume('Released', {}, 'other'), false],
  ])('%s', (_, given, expected) => expect(isLeftBehind(given, OURS)).toBe(expected))

  it('is made as its claim and its class have it', () => {
    const storageClass = {
      metadata: { name: 'standard' },
      provisioner: OURS,
      reclaimPolicy: 'Retain',
      mountOptions: ['ro'],
    }
    const source = { hostPath: { path: '/x' } }
    expect(
      volumeFor(claim({ volumeMode: 'Filesystem' }), storageClass, { provisioner: OURS, source }),
    ).toEqual({
      metadata: { name: 'pvc-u', annotations: { 'pv.kubernetes.io/provisioned-by': OURS } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          name: 'c',
          namespace: 'n',
          uid: 'u',
          resourceVersion: '',
        },
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: 'standard',
        volumeMode: 'Filesystem',
        mountOptions: ['ro'],
        hostPath: { path: '/x' },
      },
      status: {},
    })
  })
})
