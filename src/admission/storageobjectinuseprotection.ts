// StorageObjectInUseProtection: storage that is in use outlives its deletion, by a finalizer from its first day.
// Follows plugin/pkg/admission/storage/storageobjectinuseprotection.
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from './plugin.ts'

const FINALIZERS = new Map([
  ['/persistentvolumes', 'kubernetes.io/pv-protection'],
  ['/persistentvolumeclaims', 'kubernetes.io/pvc-protection'],
  ['storage.k8s.io/volumeattributesclasses', 'kubernetes.io/vac-protection'],
])

export class StorageObjectInUseProtection implements AdmissionPlugin {
  readonly name = 'StorageObjectInUseProtection'

  handles(target: AdmissionTarget): boolean {
    return target.operation === 'CREATE' && target.subresource === '' && finalizerOf(target) !== undefined
  }

  admit(attributes: AdmissionAttributes): void {
    const finalizer = finalizerOf(attributes)
    const metadata = attributes.object?.metadata
    if (!finalizer || !metadata || metadata.finalizers?.includes(finalizer)) return
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
  }
}

const finalizerOf = ({ resource }: AdmissionTarget): string | undefined =>
  FINALIZERS.get(`${resource.group}/${resource.name}`)
