// Rules that kinds with a selector and a pod template share.
// Follows pkg/apis/apps/validation.
import { selectorOfMap, selectorOfObject, type LabelSelector } from '../../machinery/labels.ts'
import { annotationCauses } from '../metadata.ts'
import type { Spot } from './spot.ts'

const MISMATCH = '`selector` does not match template `labels`'

const labelsOf = (template: Spot): Record<string, string> =>
  template.at('metadata').at('labels').object as Record<string, string>

/** The selector at a spot; undefined where it is none. */
export function selectorAt(spot: Spot): LabelSelector | undefined {
  try {
    return selectorOfObject(spot.value ?? null)
  } catch {
    return undefined
  }
}

/** The template has the labels that the selector asks for. */
export function templateMatches(template: Spot, selector: LabelSelector): void {
  const labels = template.at('metadata').at('labels')
  if (!selector.matches(labelsOf(template))) labels.invalid(MISMATCH)
}

export const plainSelector = (spot: Spot): LabelSelector =>
  selectorOfMap(spot.object as Record<string, string>)

/** A selector that must be there and must select something. */
export function neededSelector(spot: Spot, kind: string): void {
  if (!spot.isSet) return spot.required()
  spot.isSelector()
  const { matchLabels, matchExpressions } = spot.object
  const none = spot.with(matchLabels ?? null).isEmpty && spot.with(matchExpressions ?? null).isEmpty
  if (none) spot.invalid(`empty selector is invalid for ${kind}`)
}

/** Pods of this kind run until they are taken away. */
export function restartsAlways(template: Spot, kind: string): void {
  const spec = template.at('spec')
  spec.at('restartPolicy').oneOf(['Always'])
  const deadline = spec.at('activeDeadlineSeconds')
  if (deadline.isSet) deadline.forbidden(`activeDeadlineSeconds in ${kind} is not Supported`)
}

/** The fields of metadata that a template of claims leaves to those who make them, by Go's names. */
const GENERATED = [
  ...['name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'],
  ...['ownerReferences', 'finalizers', 'managedFields'],
]

/** Metadata of a template of claims: annotations and labels. */
export function templateMetadata(metadata: Spot): void {
  const annotations = metadata.at('annotations')
  annotationCauses(annotations.object as Record<string, string>, annotations.path, metadata.causes)
  metadata.at('labels').isLabels()
  for (const name of GENERATED) {
    const field = metadata.at(name).named(name === 'uid' ? 'uID' : name)
    const isZero = field.value === '' || (name === 'generation' && field.value === 0)
    // An empty list is one.
    if (field.shown !== null && !isZero) field.forbidden('cannot be set')
  }
}
