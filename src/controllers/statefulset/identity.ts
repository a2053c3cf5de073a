// Who a pod of a StatefulSet is: its ordinal, name, labels, volumes and claims, and which claims go with what.
// Follows k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_utils.go.
import type { StatefulSet } from '../../client/kinds/apps.v1.gen.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec } from '../../client/kinds/core.v1.gen.ts'
import type { OwnerReference } from '../../client/kinds/meta.v1.gen.ts'
import { controllerRef } from '../../client/ownership.ts'
import { podOfTemplate } from '../../client/podcontrol.ts'
import { type ApiObject, apiVersionOfResource, type Resource } from '../../client/resource.ts'
import { PODS, STATEFUL_SETS } from '../../client/resources.ts'

export const REVISION_LABEL = 'controller-revision-hash'
const NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const INDEX_LABEL = 'apps.kubernetes.io/pod-index'
const MAX_ORDINAL = 2 ** 31 - 1

export const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[REVISION_LABEL] ?? ''
export const firstOrdinal = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0
export const replicasOf = ({ spec }: StatefulSet): number => spec.replicas ?? 1

/** The set that a pod's name speaks of, and the ordinal; -1 without one. */
function parsed({ metadata: { name = '' } }: Pod): { parent: string; ordinal: number } {
  const [, parent = '', digits = ''] = /^(.*)-(\d+)$/.exec(name) ?? []
  const ordinal = Number(digits)
  return { parent, ordinal: digits === '' || ordinal > MAX_ORDINAL ? -1 : ordinal }
}

export const ordinalOf = (pod: Pod): number => parsed(pod).ordinal
export const isMember = ({ metadata }: StatefulSet, pod: Pod): boolean => parsed(pod).parent === metadata.name

export function isInRange(set: StatefulSet, pod: Pod): boolean {
  const index = ordinalOf(pod) - firstOrdinal(set)
  return index >= 0 && index < replicasOf(set)
}

/** The pod of an ordinal, made of a revision's template. */
export function podOf(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Pod {
  const pod = podOfTemplate(template, { resource: STATEFUL_SETS, object: set })
  const name = `${set.metadata.name}-${ordinal}`
  const { generateName: _, ...metadata } = pod.metadata
  const named: Pod = { ...pod, metadata: { ...metadata, name } }
  const spec = { ...pod.spec, hostname: name, subdomain: set.spec.serviceName }
  return withStorage(set, {
    ...named,
    metadata: {
      ...named.metadata,
      labels: { ...identityLabels(named), [REVISION_LABEL]: revision },
    },
    spec,
  })
}

const identityLabels = (pod: Pod): Record<string, string> => ({
  ...pod.metadata.labels,
  [NAME_LABEL]: pod.metadata.name ?? '',
  [INDEX_LABEL]: String(ordinalOf(pod)),
})

function withStorage(set: StatefulSet, pod: Pod): Pod {
  const claims = set.spec.volumeClaimTemplates ?? []
  if (claims.length === 0) return pod
  const names = new Set(claims.map(({ metadata }) => metadata.name))
  const own = claims.map((claim) => ({
    name: claim.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, claim, ordinalOf(pod)) },
  }))
  const others = (pod.spec.volumes ?? []).filter(({ name }) => !names.has(name))
  return { ...pod, spec: { ...pod.spec, volumes: [...own, ...others] } }
}

const claimName = ({ metadata }: StatefulSet, claim: PersistentVolumeClaim, ordinal: number): string =>
  `${claim.metadata.name}-${metadata.name}-${ordinal}`

/** The pod with the labels and volumes that it should have; undefined where it has them. */
export function corrected(set: StatefulSet, pod: Pod): Pod | undefined {
  const isIdentified = pod.metadata.labels?.[NAME_LABEL] === pod.metadata.name
  const volumes = new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, volume]))
  const isStored = (set.spec.volumeClaimTemplates ?? []).every(
    (claim) =>
      volumes.get(claim.metadata.name ?? '')?.persistentVolumeClaim?.claimName ===
      claimName(set, claim, ordinalOf(pod)),
  )
  if (isIdentified && isStored) return undefined
  return withStorage(set, { ...pod, metadata: { ...pod.metadata, labels: identityLabels(pod) } })
}

/** The claims of a pod, as they are to be made. */
export function claimsOf(set: StatefulSet, pod: Pod): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((claim) => ({
    ...claim,
    metadata: {
      ...claim.metadata,
      name: claimName(set, claim, ordinalOf(pod)),
      namespace: set.metadata.namespace,
      labels: { ...claim.metadata.labels, ...set.spec.selector.matchLabels },
    },
  }))
}

const isNamed = (ref: OwnerReference, resource: Resource, { metadata }: ApiObject): boolean =>
  ref.apiVersion === apiVersionOfResource(resource) &&
  ref.kind === resource.kind &&
  ref.name === metadata.name

/** Whether a claim goes with another object of the owner's name, which is gone or is about to go. */
export const isStale = (claim: PersistentVolumeClaim, resource: Resource, owner: ApiObject): boolean =>
  (claim.metadata.ownerReferences ?? []).some(
    (ref) => isNamed(ref, resource, owner) && ref.uid !== owner.metadata.uid,
  )

export const whenScaled = ({ spec }: StatefulSet): string =>
  spec.persistentVolumeClaimRetentionPolicy?.whenScaled ?? 'Retain'
const whenDeleted = ({ spec }: StatefulSet): string =>
  spec.persistentVolumeClaimRetentionPolicy?.whenDeleted ?? 'Retain'

/** Whether somebody else controls the claim, where the policy would have the set or pod do it. */
export function hasOtherController(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (whenScaled(set) === 'Retain' && whenDeleted(set) === 'Retain') return false
  return (claim.metadata.ownerReferences ?? []).some((ref) => {
    if (isNamed(ref, STATEFUL_SETS, set)) return ref.uid !== set.metadata.uid
    if (isNamed(ref, PODS, pod)) return ref.uid !== pod.metadata.uid
    return ref.controller === true
  })
}

/** The owners that a claim should have by the set's policy; undefined where it has them, or is none of ours. */
export function claimOwners(
  set: StatefulSet,
  pod: Pod,
  claim: PersistentVolumeClaim,
): OwnerReference[] | undefined {
  if (isStale(claim, STATEFUL_SETS, set) || isStale(claim, PODS, pod)) return undefined
  const refs = claim.metadata.ownerReferences ?? []
  const owners = hasOtherController(set, pod, claim) ? [] : wantedOwners(set, pod)
  const ours = refs.filter((ref) => isNamed(ref, STATEFUL_SETS, set) || isNamed(ref, PODS, pod))
  const isRight =
    ours.length === owners.length &&
    owners.every(({ uid }) => ours.some((ref) => ref.uid === uid && ref.controller === true))
  if (isRight) return undefined
  return [...refs.filter((ref) => !ours.includes(ref)), ...owners]
}

function wantedOwners(set: StatefulSet, pod: Pod): OwnerReference[] {
  const isScaledDown = !isInRange(set, pod)
  if (whenScaled(set) === 'Delete' && isScaledDown) return [controllerRef({ resource: PODS, object: pod })]
  return whenDeleted(set) === 'Delete' ? [controllerRef({ resource: STATEFUL_SETS, object: set })] : []
}
