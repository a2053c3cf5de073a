// Who is told to make a volume larger.
import { expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../client/kinds/core.v1.gen.ts'
import { expansionOf } from './persistentvolume-expander.ts'

const claim = (asks: string, has: string): PersistentVolumeClaim =>
  ({
    metadata: { namespace: 'n', name: 'c', uid: 'u' },
    spec: { resources: { requests: { storage: asks } }, volumeName: 'v' },
    status: { capacity: { storage: has } },
  }) as PersistentVolumeClaim
const volume = (spec: object, annotations = {}): PersistentVolume =>
  ({
    metadata: { name: 'v', annotations },
    spec: { claimRef: { namespace: 'n', uid: 'u' }, ...spec },
  }) as PersistentVolume
const WAITS = { message: 'waiting for an external controller to expand this PVC' }

it.each<[PersistentVolumeClaim, PersistentVolume, unknown]>([
  [claim('1Gi', '1Gi'), volume({ csi: {} }), undefined],
  [claim('1Gi', '2Gi'), volume({ csi: {} }), undefined],
  [claim('2Gi', '1Gi'), volume({ csi: {} }), WAITS],
  [
    claim('1Gi', '1Gi'),
    volume({ csi: {} }, { 'volume.alpha.kubernetes.io/pre-resize-capacity': '1Gi' }),
    WAITS,
  ],
  [
    claim('2Gi', '1Gi'),
    volume({ gcePersistentDisk: {} }),
    {
      message:
        'CSI migration enabled for kubernetes.io/gce-pd; waiting for external resizer to expand the pvc',
      resizer: 'pd.csi.storage.gke.io',
    },
  ],
])('case %#', (one, its, expansion) => {
  expect(expansionOf(one, its)).toEqual(expansion)
})

it('refuses volumes of others', () => {
  const other = volume({ claimRef: { namespace: 'n', uid: 'x' } })
  expect(() => expansionOf(claim('2Gi', '1Gi'), other)).toThrow(
    'persistent Volume is not bound to PVC being updated : n/c',
  )
})
