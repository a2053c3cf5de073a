// Defaults of volume sources, as pods, PersistentVolumes and VolumeAttachments share them.
// Follows k8s.io/kubernetes/pkg/apis/core/v1/defaults.go and the +default markers of k8s.io/api/core/v1.
import type { JsonObject } from '../../machinery/json.ts'
import { imageTag } from './image.ts'
import { roundedIn } from './quantities.ts'
import { type Rules, structAt } from './rules.ts'

/** rw-r--r--, in decimal as JSON has it. */
const FILE_MODE = 0o644

const FIELD_REF: Rules = { empty: { apiVersion: 'v1' } }
export const FIELD_REF_ITEMS: Rules = { present: { fieldRef: FIELD_REF } }

/** Sources that a PersistentVolume has as well. */
export const PERSISTENT_SOURCES: Readonly<Record<string, Rules>> = {
  hostPath: { absent: { type: '' } },
  iscsi: { empty: { iscsiInterface: 'default' } },
  rbd: { empty: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' } },
  azureDisk: { absent: { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' } },
  scaleIO: { empty: { storageMode: 'ThinProvisioned', fsType: 'xfs' } },
}

/** PersistentVolumeClaimSpec. */
export const CLAIM_SPEC: Rules = {
  absent: { volumeMode: 'Filesystem' },
  embedded: { resources: { last: roundedIn('limits', 'requests') } },
}

const PROJECTION: Rules = {
  present: {
    downwardAPI: { items: { items: FIELD_REF_ITEMS } },
    serviceAccountToken: { absent: { expirationSeconds: 3600 } },
  },
}

/** One volume of a pod. */
export const VOLUME: Rules = {
  first: defaultSource,
  present: {
    ...PERSISTENT_SOURCES,
    secret: { absent: { defaultMode: FILE_MODE } },
    configMap: { absent: { defaultMode: FILE_MODE } },
    downwardAPI: { absent: { defaultMode: FILE_MODE }, items: { items: FIELD_REF_ITEMS } },
    projected: { absent: { defaultMode: FILE_MODE }, items: { sources: PROJECTION } },
    ephemeral: { present: { volumeClaimTemplate: { embedded: { spec: CLAIM_SPEC } } } },
  },
}

function defaultSource(volume: JsonObject): void {
  if (!hasSource(volume)) volume.emptyDir = {}
  const image = structAt(volume, 'image')
  if (image && !image.pullPolicy) image.pullPolicy = pullPolicyOf(image.reference)
}

function hasSource(volume: JsonObject): boolean {
  for (const key in volume) {
    if (key !== 'name' && volume[key] !== undefined && volume[key] !== null) return true
  }
  return false
}

/** Always for images that may move under their name, IfNotPresent for the others. */
export function pullPolicyOf(image: unknown): string {
  return imageTag(typeof image === 'string' ? image : '') === 'latest' ? 'Always' : 'IfNotPresent'
}
