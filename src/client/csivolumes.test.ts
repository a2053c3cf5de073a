// Volumes of the plugins of old, as the drivers that took their place know them.
import { expect, it } from 'vitest'
import { driverVolumeOf, uniqueVolumeName } from './csivolumes.ts'
import type { PersistentVolume } from './kinds/core.v1.gen.ts'

const azureFile = { secretName: 'azure-storage-account-acc-secret', shareName: 'share' }
const zoned = (zone: string): object => ({ labels: { 'topology.kubernetes.io/zone': zone } })
const disk = { gcePersistentDisk: { pdName: 'd' } }

it.each<[object, string | undefined, object?]>([
  [{ csi: { driver: 'd.example.com', volumeHandle: 'h' } }, 'd.example.com^h'],
  [{ awsElasticBlockStore: { volumeID: 'vol-1' } }, 'ebs.csi.aws.com^vol-1'],
  [{ awsElasticBlockStore: { volumeID: 'aws://us-east-1a/vol-1' } }, 'ebs.csi.aws.com^vol-1'],
  [{ awsElasticBlockStore: { volumeID: 'aws://us-east-1a/disk' } }, undefined],
  [disk, 'pd.csi.storage.gke.io^projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d'],
  [disk, 'pd.csi.storage.gke.io^projects/UNSPECIFIED/zones/us-central1-a/disks/d', zoned('us-central1-a')],
  [
    disk,
    'pd.csi.storage.gke.io^projects/UNSPECIFIED/regions/us-central1/disks/d',
    zoned('us-central1-a__us-central1-b'),
  ],
  [disk, undefined, zoned('us-central1-a__us-east1-b')],
  [{ azureDisk: { diskName: 'd', diskURI: '/uri', kind: 'Managed' } }, 'disk.csi.azure.com^/uri'],
  [{ azureDisk: { diskName: 'd', diskURI: '/uri', kind: 'Shared' } }, undefined],
  [{ azureFile, claimRef: { namespace: 'n' } }, 'file.csi.azure.com^#acc#share#v#n'],
  [{ azureFile }, undefined],
  [{ cinder: { volumeID: 'c' } }, 'cinder.csi.openstack.org^c'],
  [{ vsphereVolume: { volumePath: '[a] b' } }, 'csi.vsphere.vmware.com^[a] b'],
  [{ portworxVolume: { volumeID: 'p' } }, 'pxd.portworx.com^p'],
  [{ hostPath: { path: '/' } }, undefined],
])('%j is %s', (spec, name, metadata = {}) => {
  const found = driverVolumeOf({ metadata: { name: 'v', ...metadata }, spec } as unknown as PersistentVolume)
  expect(found && uniqueVolumeName(found)).toBe(name && `kubernetes.io/csi/${name}`)
})
