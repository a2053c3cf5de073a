// Pods: born pending, with their quality of service; deleted with grace once a node has them.
// A strategy of this room. Follows pkg/registry/core/pod/strategy.go.
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { dropPodFeatures } from './podfeatures.ts'
import { adoptAppArmor } from './podprofiles.ts'
import { resetMetadataForStatus, timeText } from './generic.ts'
import { qosClassOf } from './qos.ts'
import { childOf, exactAt, numberAt, objectAt, objectsAt, present, textAt, textsAt } from './reading.ts'
import type { DeleteDecision, Strategy, WriteContext } from './strategy.ts'
import { validatePod, validatePodUpdate } from './validation/pods.ts'
import { podStatusWarnings, podWarnings } from './warnings/pods.ts'

const specOf = (pod: KubeObject): JsonObject => objectAt(pod['spec'])

const AFFINITIES = ['podAffinity', 'podAntiAffinity'] as const
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

/** The pod's own values of the labels that a term names become part of its selector. */
function mergeLabelKeys(term: JsonObject, pod: KubeObject): void {
  if (!present(term['labelSelector'])) return
  const labels = pod.metadata.labels ?? {}
  const merge = (keys: readonly string[], operator: string): JsonObject[] =>
    keys
      .filter((key) => labels[key] !== undefined)
      .map((key) => ({ key, operator, values: [labels[key] as string] }))
  const added = [
    ...merge(textsAt(term['matchLabelKeys']), 'In'),
    ...merge(textsAt(term['mismatchLabelKeys']), 'NotIn'),
  ]
  if (!added.length) return
  const selector = objectAt(term['labelSelector'])
  term['labelSelector'] = {
    ...selector,
    matchExpressions: [...objectsAt(selector['matchExpressions']), ...added],
  }
}

function settleSelectors(pod: KubeObject): void {
  const spec = specOf(pod)
  for (const constraint of objectsAt(spec['topologySpreadConstraints'])) mergeLabelKeys(constraint, pod)
  for (const kind of AFFINITIES) {
    const affinity = objectAt(objectAt(spec['affinity'])[kind])
    for (const term of objectsAt(affinity[REQUIRED])) mergeLabelKeys(term, pod)
    for (const term of objectsAt(affinity[PREFERRED])) mergeLabelKeys(objectAt(term['podAffinityTerm']), pod)
  }
}

function prepareForCreate(pod: KubeObject, context: WriteContext): void {
  const spec = specOf(pod)
  dropPodFeatures(spec)
  adoptAppArmor(pod, context)
  settleSelectors(pod)
  const given = textAt(objectAt(pod['status'])['qosClass'])
  const status: JsonObject = { phase: 'Pending', qosClass: given || qosClassOf(spec) }
  if (objectsAt(spec['schedulingGates']).length) {
    status['conditions'] = [
      {
        lastProbeTime: null,
        lastTransitionTime: timeText(context.now),
        message: 'Scheduling is blocked due to non-empty scheduling gates',
        reason: 'SchedulingGated',
        status: 'False',
        type: 'PodScheduled',
      },
    ]
  }
  pod['status'] = status
}

/** A status write that leaves out observedGeneration keeps the stored one, in the status and in each condition. */
function keepObservedGenerations(pod: KubeObject, old: KubeObject): void {
  const status = childOf(pod, 'status')
  const before = objectAt(old['status'])
  if (!numberAt(status['observedGeneration']) && before['observedGeneration'] !== undefined) {
    status['observedGeneration'] = before['observedGeneration']
  }
  const known = [...objectsAt(before['conditions'])]
  for (const condition of objectsAt(status['conditions'])) {
    const index = known.findIndex((other) => other['type'] === condition['type'])
    if (index < 0) continue
    const [match] = known.splice(index, 1)
    const generation = numberAt(match?.['observedGeneration'])
    if (generation && !numberAt(condition['observedGeneration'])) condition['observedGeneration'] = generation
  }
}

/** Of the new pod only one part of the spec counts; all else is as stored. */
function keepOnly(
  pod: KubeObject,
  old: KubeObject,
  take: (spec: JsonObject, given: JsonObject) => void,
): void {
  const spec: JsonObject = { ...specOf(old) }
  take(spec, specOf(pod))
  pod['spec'] = spec
  if (old['status'] !== undefined) pod['status'] = old['status']
  resetMetadataForStatus(pod, old)
}

function takeEphemeralContainers(spec: JsonObject, given: JsonObject): void {
  if (given['ephemeralContainers'] === undefined) delete spec['ephemeralContainers']
  else spec['ephemeralContainers'] = given['ephemeralContainers']
}

function takeResources(spec: JsonObject, given: JsonObject): void {
  for (const key of ['containers', 'initContainers']) {
    const wanted = objectsAt(given[key])
    const stored = objectsAt(spec[key])
    const isSame =
      wanted.length === stored.length && wanted.every(({ name }, i) => name === stored[i]?.['name'])
    if (!isSame) {
      // Containers that came, went or changed places: that is told by whoever validates.
      if (given[key] === undefined) delete spec[key]
      else spec[key] = given[key]
      continue
    }
    spec[key] = stored.map((container, i) => {
      const resized: JsonObject = { ...container }
      for (const part of ['resources', 'resizePolicy']) {
        const value = wanted[i]?.[part]
        if (value === undefined) delete resized[part]
        else resized[part] = value
      }
      return resized
    })
  }
  if (given['resources'] !== undefined) spec['resources'] = given['resources']
}

const hasSameCounts = (spec: JsonObject, old: JsonObject): boolean =>
  ['containers', 'initContainers'].every(
    (list) => objectsAt(spec[list]).length === objectsAt(old[list]).length,
  )

function prepareForUpdate(pod: KubeObject, old: KubeObject, context: { readonly subresource: string }): void {
  if (context.subresource === '') dropPodFeatures(specOf(pod), specOf(old))
  if (context.subresource === 'ephemeralcontainers') keepOnly(pod, old, takeEphemeralContainers)
  else if (context.subresource === 'resize') {
    // A pod with more containers, or fewer, is refused with all else that is wrong with it.
    if (hasSameCounts(specOf(pod), specOf(old))) keepOnly(pod, old, takeResources)
  } else if (context.subresource === 'status') {
    const status = childOf(pod, 'status')
    const before = textAt(objectAt(old['status'])['qosClass'])
    if (!textAt(status['qosClass']) && before) status['qosClass'] = before
    // The feature DRANodeAllocatableResources, off by default in 1.36.
    const claimed = 'nodeAllocatableResourceClaimStatuses'
    if (!objectsAt(objectAt(old['status'])[claimed]).length) delete status[claimed]
    keepObservedGenerations(pod, old)
  }
}

/** Grace: what the caller says, else the pod's own; none for a pod that no node has or that is over. */
function graceful(pod: KubeObject, given: number | bigint | undefined): DeleteDecision {
  const spec = specOf(pod)
  const phase = textAt(objectAt(pod['status'])['phase'])
  const period = given ?? exactAt(spec['terminationGracePeriodSeconds'])
  const over = !textAt(spec['nodeName']) || phase === 'Failed' || phase === 'Succeeded'
  return { gracePeriodSeconds: over ? 0 : period < 0 ? 1 : period }
}

export const pods: Strategy = {
  hasGeneration: true,
  takesStatus: true,
  resetFields: { '': ['status'], status: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'] },
  metadataOnUpdate: ['update', 'create'],
  prepareForCreate,
  prepareForUpdate,
  warnings: podWarnings,
  statusWarnings: podStatusWarnings,
  validateCreate: validatePod,
  validateUpdate: validatePodUpdate,
  graceful,
  returnsDeleted: true,
}
