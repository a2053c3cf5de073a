// What is done about claims and volumes, and what they become.
import { describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { StorageClass } from '../../client/kinds/storage.v1.gen.ts'
import {
  boundClaim,
  claimStatus,
  deleterOf,
  freedVolume,
  givenVolume,
  migratedVolume,
  withProvisioner,
} from './changes.ts'
import { recyclerPod, recycleStep } from './recycler.ts'
import { claimStep, type ClaimView, volumeStep } from './steps.ts'

const claim = (spec: object = {}, annotations: Record<string, string> = {}): PersistentVolumeClaim =>
  ({
    metadata: { namespace: 'n', name: 'c', uid: 'u', resourceVersion: '7', annotations },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } }, ...spec },
    status: { phase: 'Pending' },
  }) as PersistentVolumeClaim
const volume = (spec: object = {}, annotations: Record<string, string> = {}): PersistentVolume =>
  ({
    metadata: { name: 'v', annotations },
    spec: { capacity: { storage: '6Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
    status: { phase: 'Available' },
  }) as PersistentVolume
const ref = (uid?: string, name = 'c') => ({ claimRef: { namespace: 'n', name, ...(uid ? { uid } : {}) } })
const COMPLETED = { 'pv.kubernetes.io/bind-completed': 'yes' }
const OURS = { 'pv.kubernetes.io/bound-by-controller': 'yes' }
const SELECTED = { 'volume.kubernetes.io/selected-node': 'a' }
const storageClass = (name: string, more: object = {}): StorageClass =>
  ({
    metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z' },
    provisioner: 'example.com/p',
    ...more,
  }) as StorageClass
const late = storageClass('late', { volumeBindingMode: 'WaitForFirstConsumer' })
const marked = storageClass('marked', {
  metadata: { name: 'marked', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
})
const view = (more: Partial<ClaimView> = {}): ClaimView => ({
  volume: () => undefined,
  free: () => undefined,
  class: (name) => [late, marked].find(({ metadata }) => metadata.name === name),
  classes: () => [late],
  unscheduled: () => [],
  ...more,
})

describe('a claim', () => {
  const found = volume()
  it.each<[string, PersistentVolumeClaim, Partial<ClaimView>, string]>([
    ['that finds a volume', claim(), { free: () => found }, 'bind'],
    [
      'that finds none',
      claim(),
      {},
      'pending FailedBinding no persistent volumes available for this claim and no storage class is set',
    ],
    ['without a class, where one is marked', claim(), { classes: () => [marked] }, 'classify'],
    [
      'that wants no class',
      claim({ storageClassName: '' }),
      { classes: () => [marked] },
      'pending FailedBinding no persistent volumes available for this claim and no storage class is set',
    ],
    ['of a class', claim({ storageClassName: 'marked' }), {}, 'provision'],
    [
      'that waits',
      claim({ storageClassName: 'late' }),
      {},
      'pending WaitForFirstConsumer waiting for first consumer to be created before binding',
    ],
    [
      'with a pod',
      claim({ storageClassName: 'late' }),
      { unscheduled: () => ['p'] },
      'pending WaitForPodScheduled waiting for pod p to be scheduled',
    ],
    [
      'with pods',
      claim({ storageClassName: 'late' }),
      { unscheduled: () => ['p', 'q'] },
      'pending WaitForPodScheduled waiting for pods p,q to be scheduled',
    ],
    ['whose node is known', claim({ storageClassName: 'late' }, SELECTED), {}, 'provision'],
    ['of a volume that is not there', claim({ volumeName: 'v' }), {}, 'pending'],
    ['of a free volume', claim({ volumeName: 'v' }), { volume: () => found }, 'bind'],
    ['of a volume kept for it', claim({ volumeName: 'v' }), { volume: () => volume(ref()) }, 'bind'],
    [
      'of a volume that does not suit',
      claim({ volumeName: 'v', volumeMode: 'Block' }),
      { volume: () => found },
      'pending VolumeMismatch Cannot bind to requested volume "v": incompatible volumeMode',
    ],
    [
      'of another’s volume',
      claim({ volumeName: 'v' }),
      { volume: () => volume(ref('x', 'd')) },
      'pending FailedBinding volume "v" already bound to a different claim.',
    ],
    [
      'of another’s volume by our mistake',
      claim({ volumeName: 'v' }, OURS),
      { volume: () => volume(ref('x', 'd')) },
      'fail FailedBinding volume "v" already bound to a different claim.',
    ],
    ['bound', claim({ volumeName: 'v' }, COMPLETED), { volume: () => volume(ref('u')) }, 'bind'],
    ['bound to what forgot it', claim({ volumeName: 'v' }, COMPLETED), { volume: () => found }, 'bind'],
    [
      'bound to what is gone',
      claim({ volumeName: 'v' }, COMPLETED),
      {},
      'lost ClaimLost Bound claim has lost its PersistentVolume. Data on the volume is lost!',
    ],
    [
      'bound to nothing',
      claim({}, COMPLETED),
      {},
      'lost ClaimLost Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    ],
    [
      'bound to another’s',
      claim({ volumeName: 'v' }, COMPLETED),
      { volume: () => volume(ref('x')) },
      'lost ClaimMisbound Two claims are bound to the same volume, this one is bound incorrectly',
    ],
  ])('%s', (_what, one, more, wanted) => {
    const step = claimStep(one, view(more))
    const tell = 'tell' in step ? step.tell : undefined
    expect([step.do, ...(tell ? [tell.reason, tell.message] : [])].join(' ')).toBe(wanted)
  })
})

it.each<[string, PersistentVolume, PersistentVolumeClaim | undefined, string]>([
  ['of nobody', volume(), undefined, 'available'],
  ['kept by name', volume(ref()), claim(), 'available'],
  ['whose claim is gone', volume(ref('u')), undefined, 'release'],
  ['whose claim does not know yet', volume(ref('u')), claim(), 'look at the claim'],
  ['whose claim is of another mode', volume({ ...ref('u'), volumeMode: 'Block' }), claim(), 'mismatch'],
  ['that is bound', volume(ref('u')), claim({ volumeName: 'v' }), 'bound'],
  ['whose claim has another', volume(ref('u')), claim({ volumeName: 'w' }), 'unbind'],
  [
    'made for a claim that has another',
    volume(
      { ...ref('u'), persistentVolumeReclaimPolicy: 'Delete' },
      { 'pv.kubernetes.io/provisioned-by': 'p' },
    ),
    claim({ volumeName: 'w' }),
    'release',
  ],
])('a volume %s', (_what, one, its, step) => {
  expect(volumeStep(one, its)).toBe(step)
})

describe('binding', () => {
  it('gives a volume to a claim, and takes it back', () => {
    const given = givenVolume(volume(), claim()) as PersistentVolume
    expect(given.spec.claimRef).toEqual({
      kind: 'PersistentVolumeClaim',
      apiVersion: 'v1',
      namespace: 'n',
      name: 'c',
      uid: 'u',
      resourceVersion: '7',
    })
    expect(given.metadata.annotations).toEqual(OURS)
    expect(givenVolume(given, claim())).toBe(undefined)
    expect(freedVolume(given)).toEqual(volume())
    const kept = givenVolume(volume(ref()), claim()) as PersistentVolume
    expect(kept.metadata.annotations).toEqual({})
    expect(freedVolume(kept).spec.claimRef).not.toHaveProperty('uid')
  })
  it('names the volume in the claim', () => {
    const bound = boundClaim(claim(), volume()) as PersistentVolumeClaim
    expect([bound.spec.volumeName, bound.metadata.annotations]).toEqual(['v', { ...OURS, ...COMPLETED }])
    expect(boundClaim(bound, volume())).toBe(undefined)
    expect(boundClaim(claim({ volumeName: 'v' }), volume())?.metadata.annotations).toEqual(COMPLETED)
  })
  it('tells size and modes', () => {
    const status = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '6Gi' } }
    expect(claimStatus(claim(), 'Bound', volume())).toEqual(status)
    const grows = volume({}, { 'volume.alpha.kubernetes.io/pre-resize-capacity': '5Gi' })
    expect(claimStatus(claim(), 'Bound', grows)?.capacity).toEqual({ storage: '5Gi' })
    const bound = { ...claim(), status }
    expect(claimStatus(bound, 'Bound', volume({ capacity: { storage: '9Gi' } }))).toBe(undefined)
    expect(claimStatus(bound, 'Lost')).toEqual({ phase: 'Lost' })
    expect(() => claimStatus(claim(), 'Bound', volume({ capacity: {} }))).toThrow(
      '"v" is without a storage capacity',
    )
  })
  it('names who makes a volume, and the driver that stands for a plugin', () => {
    const annotations = withProvisioner(claim(), 'example.com/p')?.metadata.annotations
    expect(annotations).toEqual({
      'volume.kubernetes.io/storage-provisioner': 'example.com/p',
      'volume.beta.kubernetes.io/storage-provisioner': 'example.com/p',
    })
    expect(withProvisioner(claim({}, annotations), 'example.com/p')).toBe(undefined)
    const old = migratedVolume(volume({}, { 'pv.kubernetes.io/provisioned-by': 'kubernetes.io/aws-ebs' }))
    expect(old?.metadata.annotations?.['pv.kubernetes.io/migrated-to']).toBe('ebs.csi.aws.com')
    const own = volume(
      { persistentVolumeReclaimPolicy: 'Delete' },
      { 'pv.kubernetes.io/provisioned-by': 'kubernetes.io/host-path' },
    )
    expect(migratedVolume(own)?.metadata.finalizers).toEqual(['kubernetes.io/pv-controller'])
    expect(migratedVolume(volume())).toBe(undefined)
  })
})

it.each<[PersistentVolume, unknown]>([
  [volume({ csi: {} }), 'external'],
  [
    volume({ hostPath: { path: '/tmp/a' } }, { 'pv.kubernetes.io/provisioned-by': 'example.com/p' }),
    'external',
  ],
  [volume({ hostPath: { path: '/tmp/a' } }), 'us'],
  [
    volume({ hostPath: { path: '/etc' } }),
    { error: 'host_path deleter only supports /tmp/.+ but received provided /etc' },
  ],
  [
    volume({ nfs: {} }),
    { error: 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched' },
  ],
  [
    volume({}, { 'pv.kubernetes.io/provisioned-by': 'kubernetes.io/gone' }),
    { error: 'no volume plugin matched name: kubernetes.io/gone' },
  ],
])('deletes %#', (one, deleter) => {
  expect(deleterOf(one)).toEqual(deleter)
})

describe('recycling', () => {
  it('is the work of a pod', () => {
    const pod = recyclerPod(volume({ hostPath: { path: '/tmp/a' }, capacity: { storage: '10Gi' } }))
    expect(pod).toMatchObject({
      metadata: { namespace: 'default', name: 'recycler-for-v' },
      spec: { activeDeadlineSeconds: 300, volumes: [{ hostPath: { path: '/tmp/a' } }] },
    })
    expect(recyclerPod(volume({ nfs: {} }))?.spec.activeDeadlineSeconds).toBe(300)
    expect(recyclerPod(volume({ hostPath: {} }))?.spec.activeDeadlineSeconds).toBe(180)
    expect(recyclerPod(volume({ csi: {} }))).toBe(undefined)
  })
  it.each([
    [undefined, { do: 'start' }],
    [{ phase: 'Running' }, { do: 'wait' }],
    [{ phase: 'Succeeded' }, { do: 'finish' }],
    [
      { phase: 'Failed', message: 'no' },
      { do: 'fail', message: 'Recycle failed: failed to recycle volume: no' },
    ],
    [
      { phase: 'Failed' },
      {
        do: 'fail',
        message: 'Recycle failed: failed to recycle volume: pod failed, pod.Status.Message unknown',
      },
    ],
  ])('of a pod with %j: %j', (status, step) => {
    expect(recycleStep(status && ({ metadata: {}, status } as Pod))).toEqual(step)
    if (status)
      expect(recycleStep({ metadata: { deletionTimestamp: 'now' }, status } as Pod)).toEqual({ do: 'wait' })
  })
})
