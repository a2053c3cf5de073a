// Rows of storage.k8s.io.
// Follows kubernetes/pkg/printers/internalversion/printers.go.
import type { Json } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import {
  age,
  flag,
  NAME_AND_CREATED,
  nameOf,
  part,
  parts,
  type Printers,
  size,
  text,
  texts,
} from './cells.ts'

const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

function driverCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  const audiences = parts(spec, 'tokenRequests').map((request) => text(request, 'audience'))
  return [
    nameOf(object),
    flag(spec, 'attachRequired', true),
    flag(spec, 'podInfoOnMount'),
    flag(spec, 'storageCapacity'),
    Array.isArray(spec.tokenRequests) ? audiences.join(',') : '<unset>',
    flag(spec, 'requiresRepublish'),
    texts(spec, 'volumeLifecycleModes').join(',') || '<none>',
    age(object, now),
  ]
}

function classCells(object: KubeObject, now: number): Json[] {
  const mark = DEFAULT_CLASS.some((key) => object.metadata.annotations?.[key] === 'true') ? ' (default)' : ''
  return [
    nameOf(object) + mark,
    text(object, 'provisioner'),
    text(object, 'reclaimPolicy', 'Delete'),
    text(object, 'volumeBindingMode', 'Immediate'),
    flag(object, 'allowVolumeExpansion'),
    age(object, now),
  ]
}

function attachmentCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  return [
    nameOf(object),
    text(spec, 'attacher'),
    text(part(spec, 'source'), 'persistentVolumeName'),
    text(spec, 'nodeName'),
    flag(part(object, 'status'), 'attached'),
    age(object, now),
  ]
}

export const storage: Printers = {
  csidrivers: { cells: driverCells },
  csinodes: { cells: (o, now) => [nameOf(o), size(part(o, 'spec'), 'drivers'), age(o, now)] },
  csistoragecapacities: NAME_AND_CREATED,
  storageclasses: { cells: classCells },
  volumeattachments: { cells: attachmentCells },
  volumeattributesclasses: { cells: (o, now) => [nameOf(o), text(o, 'driverName'), age(o, now)] },
}
