// Rules of pods: what may be created, what may change, and what a status may say.
// Follows pkg/apis/core/validation (ValidatePodCreate, ValidatePodUpdate, ValidatePodStatusUpdate).
import type { KubeObject } from '../../machinery/object.ts'
import type { StatusCause } from '../../machinery/status.ts'
import { objectAt } from '../reading.ts'
import type { WriteContext } from '../strategy.ts'
import { trimmedImage } from './containers.ts'
import { podAnnotations, podAnnotationsUpdate, profilesMatch } from './podannotations.ts'
import { resizeUpdate } from './podresize.ts'
import { podSpec } from './podspec.ts'
import { podStatus } from './podstatus.ts'
import { ephemeralUpdate, specUpdate } from './podupdates.ts'
import { Spot } from './spot.ts'

function specOfPod(spec: Spot): void {
  podSpec(spec, true)
  if (!spec.at('serviceAccountName').text) {
    for (const volume of spec.itemsOf('volumes')) {
      for (const source of volume.at('projected').itemsOf('sources')) {
        source.at('serviceAccountToken').absent('must not be specified when serviceAccountName is not set')
      }
    }
  }
  for (const list of ['containers', 'initContainers']) {
    for (const container of spec.itemsOf(list)) trimmedImage(container)
  }
}

export function validatePod(pod: KubeObject, context?: WriteContext): StatusCause[] {
  const causes: StatusCause[] = []
  const spot = Spot.of(pod, causes, context?.settings)
  const spec = spot.at('spec')
  const annotations = spot.at('metadata').at('annotations')
  podAnnotations(annotations, spec)
  specOfPod(spec)
  const ephemeral = spec.at('ephemeralContainers')
  if (!ephemeral.isEmpty) ephemeral.forbidden('cannot be set on create')
  if (spec.at('nodeName').text && !spec.at('schedulingGates').isEmpty) {
    spec.at('nodeName').forbidden('cannot be set until all schedulingGates have been cleared')
  }
  profilesMatch(annotations, spec)
  return causes
}

export function validatePodUpdate(pod: KubeObject, old: KubeObject, context: WriteContext): StatusCause[] {
  const causes: StatusCause[] = []
  const before = objectAt(old['spec'])
  const allowPrivileged = context.settings?.allowPrivileged ?? true
  const spot = Spot.of(pod, causes, { allowPrivileged, formerSpec: before })
  const spec = spot.at('spec')
  const annotations = spot.at('metadata').at('annotations')
  const stay = (): void => podAnnotationsUpdate(annotations, old.metadata.annotations, spec)
  if (context.subresource === 'status') {
    stay()
    podStatus(spot, old)
  } else {
    podAnnotations(annotations, spec)
    specOfPod(spec)
    if (context.subresource === 'ephemeralcontainers') ephemeralUpdate(spot, old)
    else if (context.subresource === 'resize') resizeUpdate(spot, old)
    else {
      stay()
      specUpdate(spec, before)
    }
  }
  return causes
}
