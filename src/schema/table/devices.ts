// Rows of resource.k8s.io: devices, claims on them and what nodes offer.
// Follows kubernetes/pkg/printers/internalversion/printers.go.
import type { Json } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { age, deleting, NAME_AND_AGE, nameOf, part, type Printers, size, text } from './cells.ts'

function claimState(object: KubeObject): string {
  const status = part(object, 'status')
  const gone = deleting(object) ? ['deleted'] : []
  if (status.allocation === undefined || status.allocation === null) {
    return deleting(object) ? 'deleted' : 'pending'
  }
  return [...gone, 'allocated', ...(size(status, 'reservedFor') > 0 ? ['reserved'] : [])].join(',')
}

function sliceCells(object: KubeObject, now: number): Json[] {
  const spec = part(object, 'spec')
  return [
    nameOf(object),
    text(spec, 'nodeName'),
    text(spec, 'driver'),
    text(part(spec, 'pool'), 'name'),
    age(object, now),
  ]
}

export const resource: Printers = {
  deviceclasses: NAME_AND_AGE,
  resourceclaims: { cells: (o, now) => [nameOf(o), claimState(o), age(o, now)] },
  resourceclaimtemplates: NAME_AND_AGE,
  resourceslices: { cells: sliceCells },
}
