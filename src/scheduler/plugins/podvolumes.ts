// The claims of a pod, and where their volumes can be reached.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding/binder.go.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { StorageClass } from '../../client/kinds/storage.v1.gen.ts'
import { isControlledBy } from '../../client/ownership.ts'
import { compareQuantities, parseQuantity } from '../../machinery/quantity.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import { selectorOrNothing } from '../podinfo.ts'
import type { ObjectSources } from '../sources.ts'
import { anyTerm, termTest } from './nodeselection.ts'

export interface PodVolumes {
  readonly bound: readonly {
    readonly claim: PersistentVolumeClaim
    readonly volume: PersistentVolume | undefined
  }[]
  /** Wait for the node that the pod will be on. */
  readonly waiting: readonly { readonly claim: PersistentVolumeClaim; readonly storageClass: StorageClass }[]
}

const BOUND = 'pv.kubernetes.io/bind-completed'
const NO_PROVISIONER = 'kubernetes.io/no-provisioner'
const SELECTED_NODE = 'volume.kubernetes.io/selected-node'

/** The names of the pod's claims; those of ephemeral volumes are named after pod and volume. */
export function claimNames({ metadata, spec }: Pod): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName]
    return ephemeral ? [`${metadata.name ?? ''}-${name}`] : []
  })
}

export const isBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[BOUND] !== undefined

/** What the pod's claims are; a text where no node will do. */
export function podVolumes(pod: Pod, sources: ObjectSources): PodVolumes | string {
  const namespace = pod.metadata.namespace ?? ''
  const bound: PodVolumes['bound'][number][] = []
  const waiting: PodVolumes['waiting'][number][] = []
  for (const name of claimNames(pod)) {
    const claim = sources.claim(namespace, name)
    const isOwn = isEphemeral(pod, name)
    if (!claim) return missing(name, isOwn)
    if (claim.status.phase === 'Lost') {
      const volume = JSON.stringify(claim.spec.volumeName ?? '')
      return `persistentvolumeclaim ${JSON.stringify(name)} bound to non-existent persistentvolume ${volume}`
    }
    if (claim.metadata.deletionTimestamp !== undefined) {
      return `persistentvolumeclaim ${JSON.stringify(name)} is being deleted`
    }
    if (isOwn && !isControlledBy(claim, pod)) {
      const key = `${namespace}/${pod.metadata.name}`
      return `PVC ${namespace}/${name} was not created for pod ${key} (pod is not owner)`
    }
    if (isBound(claim)) {
      bound.push({ claim, volume: sources.volume(claim.spec.volumeName ?? '') })
      continue
    }
    const storageClass = sources.storageClass(claim.spec.storageClassName ?? '')
    if (storageClass?.volumeBindingMode !== 'WaitForFirstConsumer') {
      return 'pod has unbound immediate PersistentVolumeClaims'
    }
    waiting.push({ claim, storageClass })
  }
  return { bound, waiting }
}

/** Whether it is made for a volume of the pod's own. */
const isEphemeral = ({ metadata, spec }: Pod, claim: string): boolean =>
  spec.volumes?.some(({ ephemeral, name }) => ephemeral && `${metadata.name ?? ''}-${name}` === claim) ===
  true

const missing = (name: string, isOwn: boolean): string =>
  isOwn
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${JSON.stringify(name)}`
    : `persistentvolumeclaim ${JSON.stringify(name)} not found`

export function reaches(volume: PersistentVolume, { node }: NodeInfo): boolean {
  const terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms
  return terms === undefined || anyTerm(terms)(node)
}

/** How the waiting claims would be met on the node: each by a volume that is there, or by one to be made. */
export interface Plan {
  readonly claim: PersistentVolumeClaim
  /** undefined: one is to be made. */
  readonly volume: PersistentVolume | undefined
}

/** Why there is no plan: no volume can be had there; what volumes are made of there is used up. */
export type NoPlan = 'none' | 'too little'

/** The smallest volume that is large enough is taken. */
export function planFor(
  waiting: PodVolumes['waiting'],
  node: NodeInfo,
  sources: ObjectSources,
): Plan[] | NoPlan {
  const taken = new Set<string>()
  const plans: Plan[] = []
  for (const { claim, storageClass } of waiting) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE]
    if (selected !== undefined && selected !== node.name) return 'none'
    const volume = sources
      .volumes()
      .filter((one) => !taken.has(one.metadata.name ?? '') && meets(one, claim) && reaches(one, node))
      .sort((a, b) => compareQuantities(sizeOf(a.spec.capacity), sizeOf(b.spec.capacity)))[0]
    if (volume) taken.add(volume.metadata.name ?? '')
    else if (storageClass.provisioner === NO_PROVISIONER || !isAllowed(storageClass, node)) return 'none'
    else if (!hasCapacity(claim, storageClass, node, sources)) return 'too little'
    plans.push({ claim, volume })
  }
  return plans
}

const sizeOf = (list: Readonly<Record<string, string>> | undefined) => parseQuantity(list?.['storage'] ?? '0')

function meets(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const {
    claimRef,
    storageClassName = '',
    accessModes = [],
    capacity,
    volumeMode = 'Filesystem',
  } = volume.spec
  const { name, namespace, uid } = claim.metadata
  if (claimRef) {
    const isOurs = claimRef.name === name && claimRef.namespace === namespace
    if (!isOurs || (claimRef.uid && claimRef.uid !== uid)) return false
  } else if (volume.status.phase !== 'Available') return false
  const { selector, resources, volumeMode: wantedMode = 'Filesystem' } = claim.spec
  return (
    storageClassName === (claim.spec.storageClassName ?? '') &&
    volumeMode === wantedMode &&
    volume.metadata.deletionTimestamp === undefined &&
    (claim.spec.accessModes ?? []).every((mode) => accessModes.includes(mode)) &&
    compareQuantities(sizeOf(capacity), sizeOf(resources?.requests)) >= 0 &&
    (selector === undefined || selectorOrNothing(selector).matches(volume.metadata.labels))
  )
}

/** Of drivers that tell how much they have left where: whether one volume of that size can be made for the node. */
function hasCapacity(
  { spec }: PersistentVolumeClaim,
  { metadata, provisioner }: StorageClass,
  { labels }: NodeInfo,
  sources: ObjectSources,
): boolean {
  const wanted = spec.resources?.requests?.['storage']
  if (wanted === undefined || !sources.csiDriver(provisioner)?.spec.storageCapacity) return true
  return sources.capacities().some(({ storageClassName, capacity, maximumVolumeSize, nodeTopology }) => {
    const limit = maximumVolumeSize ?? capacity
    return (
      storageClassName === metadata.name &&
      limit !== undefined &&
      compareQuantities(parseQuantity(limit), parseQuantity(wanted)) >= 0 &&
      nodeTopology !== undefined &&
      selectorOrNothing(nodeTopology).matches(labels)
    )
  })
}

/** Where volumes of the class may be made. */
function isAllowed({ allowedTopologies = [] }: StorageClass, { node }: NodeInfo): boolean {
  if (allowedTopologies.length === 0) return true
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    termTest({ matchExpressions: matchLabelExpressions.map((one) => ({ ...one, operator: 'In' })) })(node),
  )
}
