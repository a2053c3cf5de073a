// What is remembered of a pod's resize, as its conditions tell it. Follows the conditions that
// k8s.io/kubernetes/pkg/kubelet/status/status_manager.go keeps of one.
import type { Pod, ResourceRequirements } from '../client/kinds/core.v1.gen.ts'

/** One of the two conditions that tell of a resize. */
export interface ResizeNote {
  readonly reason?: string
  readonly message?: string
  /** Of the pod's spec that asked for it. */
  readonly generation: number | undefined
  readonly since: number
}

export interface Resizing {
  /** It is not granted. */
  pending?: ResizeNote | undefined
  /** It is granted, and containers run that do not have it yet. */
  inProgress?: ResizeNote | undefined
}

export const RESIZE_CONDITIONS = [
  ['PodResizePending', 'pending'],
  ['PodResizeInProgress', 'inProgress'],
] as const

type Resources = ResourceRequirements | undefined

/** For a pod whose node starts again: the notes that its conditions are. */
export function notesOf({ status }: Pod, timeOf: (text: string | undefined) => number): Resizing | undefined {
  const notes: Resizing = {}
  for (const [type, key] of RESIZE_CONDITIONS) {
    const known = status.conditions?.find((one) => one.type === type && one.status === 'True')
    if (!known) continue
    const { reason, message, observedGeneration: generation, lastTransitionTime } = known
    notes[key] = {
      ...(reason && { reason }),
      ...(message && { message }),
      generation,
      since: timeOf(lastTransitionTime),
    }
  }
  return notes.pending || notes.inProgress ? notes : undefined
}

const isSameList = (
  a: Readonly<Record<string, string>> = {},
  b: Readonly<Record<string, string>> = {},
): boolean => {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

export const isSameResources = (a: Resources, b: Resources): boolean =>
  a === b || (isSameList(a?.requests, b?.requests) && isSameList(a?.limits, b?.limits))
