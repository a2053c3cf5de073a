// The one kind of pod that a kubelet creates: the image in the API of one that it read from a file.
// Follows plugin/pkg/admission/noderestriction (admitPodCreate) and pkg/api/pod (HasAPIObjectReference).
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import { goQuote } from '../../machinery/quote.ts'
import { notFound } from '../../machinery/status.ts'
import { NODES, type Pod } from '../shapes.ts'

const MIRROR = 'kubernetes.io/config.mirror'

interface Owner {
  apiVersion?: string
  kind?: string
  name?: string
  uid?: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** Why the node may not create it; undefined where it may. Throws 404 for a node that is not there. */
export function mirrorPodFault(node: string, pod: Pod, lister: Lister): string | undefined {
  const who = `node ${goQuote(node)}`
  if (pod.metadata.annotations?.[MIRROR] === undefined) {
    return `pod does not have ${goQuote(MIRROR)} annotation, ${who} can only create mirror pods`
  }
  if (pod.spec.nodeName !== node) return `${who} can only create pods with spec.nodeName set to itself`
  const fault = ownersFault(node, (pod.metadata['ownerReferences'] ?? []) as Owner[], lister)
  if (fault !== undefined) return fault
  const referred = referenceOf(pod)
  return referred === undefined ? undefined : `${who} can not create pods that reference ${referred}`
}

function ownersFault(node: string, owners: readonly Owner[], lister: Lister): string | undefined {
  const who = `node ${goQuote(node)}`
  const [owner] = owners
  if (owners.length > 1) return `${who} can only create pods with a single owner reference set to itself`
  if (!owner || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    return `${who} can only create pods with an owner reference set to itself`
  }
  if (!owner.controller) return `${who} can only create pods with a controller owner reference set to itself`
  if (owner.blockOwnerDeletion) return `${who} must not set blockOwnerDeletion on an owner reference`
  const found = lister.get(NODES, '', node)
  if (!found) throw notFound({ group: '', resource: 'node' }, node)
  const { uid = '' } = found.metadata
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`
}

/** Where a pod's volumes refer to an object, and how that is told. */
const VOLUMES: readonly (readonly [source: string, what: string])[] = [
  ['configMap', 'configmaps (via configmap volumes)'],
  ['secret', 'secrets (via secret volumes)'],
  ['csi', 'csidrivers (via CSI volumes)'],
  ['glusterfs', 'endpoints (via glusterFS volumes)'],
  ['persistentVolumeClaim', 'persistentvolumeclaims'],
  ['ephemeral', 'persistentvolumeclaims (via ephemeral volumes)'],
  ['azureFile', 'secrets (via azureFile volumes)'],
]
const PROJECTED: readonly (readonly [source: string, what: string])[] = [
  ['configMap', 'configmaps (via projected volumes)'],
  ['secret', 'secrets (via projected volumes)'],
  ['serviceAccountToken', 'serviceaccounts (via projected volumes)'],
  ['clusterTrustBundle', 'clustertrustbundles'],
  ['podCertificate', 'podcertificates'],
]
const SECRET_KEYS = ['secretRef', 'secretKeyRef', 'nodePublishSecretRef', 'secret', 'azureFile']
const CONFIG_KEYS = ['configMap', 'configMapRef', 'configMapKeyRef']

/** The first kind of object that the pod needs from the API. */
function referenceOf({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'serviceaccounts'
  const parts: Json[] = [
    spec.volumes ?? [],
    spec.containers ?? [],
    spec.initContainers ?? [],
    spec.ephemeralContainers ?? [],
  ] as Json[]
  if ((spec.imagePullSecrets ?? []).length > 0 || parts.some((part) => holds(part, SECRET_KEYS)))
    return 'secrets'
  if (parts.some((part) => holds(part, CONFIG_KEYS))) return 'configmaps'
  const claims = spec['resourceClaims']
  if (Array.isArray(claims) && claims.length > 0) return 'resourceclaims'
  return spec.volumes
    ?.map((volume) => volumeReference(volume as JsonObject))
    .find((what) => what !== undefined)
}

function volumeReference(volume: JsonObject): string | undefined {
  const direct = VOLUMES.find(([source]) => isObject(volume[source]))
  if (direct) return direct[1]
  const projected = volume['projected']
  const sources = isObject(projected) ? projected['sources'] : undefined
  for (const source of Array.isArray(sources) ? sources.filter(isObject) : []) {
    const found = PROJECTED.find(([key]) => isObject(source[key]))
    if (found) return found[1]
  }
  return undefined
}

/** Whether one of these keys holds an object, however deep. */
function holds(value: Json | undefined, keys: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((item) => holds(item, keys))
  if (!isObject(value)) return false
  return Object.entries(value).some(
    ([key, inner]) => (isObject(inner) && keys.includes(key)) || holds(inner, keys),
  )
}
