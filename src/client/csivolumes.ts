// Volumes as CSI drivers know them: those of drivers, and those of the plugins of old that drivers took the place of.
// Follows k8s.io/csi-translation-lib/plugins and GetUniqueVolumeName of k8s.io/kubernetes/pkg/volume/csi.
import type { PersistentVolume } from './kinds/core.v1.gen.ts'

/** What names a volume to its driver. */
export interface DriverVolume {
  readonly driver: string
  readonly volumeHandle: string
}

const UNSPECIFIED = 'UNSPECIFIED'
const ZONE_LABELS = ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone']
const ZONE_DIVIDER = '__'
const RESOURCE_GROUP = 'kubernetes.io/azure-file-resource-group'
const ACCOUNT = /azure-storage-account-(.+)-secret/
/** "us-central1-a" is in "us-central1". */
const REGION = /^([^-]*-[^-]*)-[^-]*$/
const AWS_VOLUME = /^vol-[^/]*$/

type Translation = (volume: PersistentVolume) => DriverVolume | undefined

const of = (driver: string, volumeHandle: string | undefined): DriverVolume | undefined =>
  volumeHandle === undefined ? undefined : { driver, volumeHandle }

const TRANSLATIONS: readonly Translation[] = [
  ({ spec: { awsElasticBlockStore: ebs } }) => ebs && of('ebs.csi.aws.com', awsHandle(ebs.volumeID)),
  (volume) => volume.spec.gcePersistentDisk && of('pd.csi.storage.gke.io', googleHandle(volume)),
  ({ spec: { azureDisk } }) => {
    const isManaged = (azureDisk?.kind ?? 'Managed').toLowerCase() === 'managed'
    return azureDisk && of('disk.csi.azure.com', isManaged ? azureDisk.diskURI : undefined)
  },
  (volume) => volume.spec.azureFile && of('file.csi.azure.com', azureFileHandle(volume)),
  ({ spec: { cinder } }) => cinder && of('cinder.csi.openstack.org', cinder.volumeID),
  ({ spec: { vsphereVolume } }) => vsphereVolume && of('csi.vsphere.vmware.com', vsphereVolume.volumePath),
  ({ spec: { portworxVolume } }) => portworxVolume && of('pxd.portworx.com', portworxVolume.volumeID),
]

/** The volume of a driver that this one is; undefined: no driver has to do with it, or it cannot be translated. */
export function driverVolumeOf(volume: PersistentVolume): DriverVolume | undefined {
  if (volume.spec.csi) return volume.spec.csi
  for (const translation of TRANSLATIONS) {
    const found = translation(volume)
    if (found) return found
  }
  return undefined
}

/** As the statuses of nodes name it. */
export const uniqueVolumeName = ({ driver, volumeHandle }: DriverVolume): string =>
  `kubernetes.io/csi/${driver}^${volumeHandle}`

/** "vol-1", or "aws://zone/vol-1". */
function awsHandle(id: string): string | undefined {
  if (!id.startsWith('aws://')) return id
  const path = id.slice('aws://'.length)
  const name = path.slice(path.indexOf('/')).replace(/^\/+|\/+$/g, '')
  return AWS_VOLUME.test(name) ? name : undefined
}

function googleHandle({ metadata: { labels = {} }, spec }: PersistentVolume): string | undefined {
  const label = ZONE_LABELS.map((key) => labels[key]).find(Boolean) ?? ''
  const disk = spec.gcePersistentDisk?.pdName ?? ''
  const zones = label.split(ZONE_DIVIDER)
  if (zones.length === 1) return `projects/${UNSPECIFIED}/zones/${label || UNSPECIFIED}/disks/${disk}`
  const regions = new Set(zones.map((zone) => REGION.exec(zone)?.[1]))
  const [region] = regions
  if (regions.size > 1 || region === undefined) return undefined
  return `projects/${UNSPECIFIED}/regions/${region}/disks/${disk}`
}

function azureFileHandle({ metadata, spec: { azureFile, claimRef } }: PersistentVolume): string | undefined {
  if (!azureFile) return undefined
  const account = ACCOUNT.exec(azureFile.secretName)?.[1] ?? azureFile.secretName
  const namespace = azureFile.secretNamespace ?? claimRef?.namespace ?? ''
  if (namespace === '') return undefined
  const group = metadata.annotations?.[RESOURCE_GROUP] ?? ''
  return [group, account, azureFile.shareName, metadata.name ?? '', namespace].join('#')
}
