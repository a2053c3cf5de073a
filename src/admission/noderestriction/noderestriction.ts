// NodeRestriction: a kubelet writes its own node, the status of its own pods, and what belongs to both.
// Follows plugin/pkg/admission/noderestriction. The node authorizer (src/authz/node.ts) sees to what needs no objects.
import type { Authorizer } from '../../machinery/attributes.ts'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import type { Lister } from '../../machinery/lister.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { goQuote } from '../../machinery/quote.ts'
import { notFound, type StatusError } from '../../machinery/status.ts'
import { NODES_GROUP, parseNodeUsername } from '../../machinery/user.ts'
import { sameStruct, structDiff } from '../../schema/gostructs.ts'
import { commonNameOf } from '../certificaterequest.ts'
import { forbid } from '../forbid.ts'
import type { AdmissionAttributes, AdmissionPlugin, AdmissionTarget } from '../plugin.ts'
import { CLAIMS, NODES, PODS, type Pod } from '../shapes.ts'
import { forbiddenLabels } from './labels.ts'
import { mirrorPodFault } from './mirrorpod.ts'
import { CSI_DRIVERS, requireToken, VOLUMES } from './token.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
const KUBELET_SIGNERS: readonly Json[] = [
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/kube-apiserver-client-kubelet',
]

/** Throws where the node may not do it. */
type Rule = (node: string, attributes: AdmissionAttributes, lister: Lister) => void | Promise<void>

/** Of what a kubelet writes; everything else is left to authorization. */
const RULES: Readonly<Record<string, Rule>> = {
  'pods.': onPods,
  'nodes.': onNodes,
  'persistentvolumeclaims.': onClaims,
  'leases.coordination.k8s.io': onLeases,
  'csinodes.storage.k8s.io': onCsiNodes,
  'resourceslices.resource.k8s.io': onSlices,
  'certificatesigningrequests.certificates.k8s.io': onRequests,
}
const ACCOUNTS = 'serviceaccounts.'

export class NodeRestriction implements AdmissionPlugin {
  readonly name = 'NodeRestriction'
  readonly #authorizer: Authorizer

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer
  }

  /** Everything: who is of the nodes and none of them writes nothing at all. */
  handles({ operation }: AdmissionTarget): boolean {
    return operation !== 'CONNECT'
  }

  async #ask(node: string, attributes: AdmissionAttributes, lister: Lister): Promise<void> {
    const key = `${attributes.resource.name}.${attributes.resource.group}`
    const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined
    if (!rule && key !== ACCOUNTS) return
    // Only kubelets wait for these; that is why they are not among those that everybody waits for.
    await lister.ready(PODS, NODES)
    if (rule) return rule(node, attributes, lister)
    if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return
    await lister.ready(CSI_DRIVERS, CLAIMS, VOLUMES)
    await requireToken({ node, attributes, lister, authorizer: this.#authorizer })
  }

  admit(attributes: AdmissionAttributes, lister: Lister): void | Promise<void> {
    const { user } = attributes
    if (!user.groups.includes(NODES_GROUP) || !user.name.startsWith('system:node:')) return
    const node = parseNodeUsername(user.name)
    if (node === undefined)
      throw forbid(attributes, `could not determine node from user ${goQuote(user.name)}`)
    return this.#ask(node, attributes, lister)
  }
}

const unexpected = (attributes: AdmissionAttributes): StatusError =>
  forbid(attributes, `unexpected operation ${goQuote(attributes.operation)}`)

const nodeOf = (pod: KubeObject | undefined): string | undefined => (pod as Pod | undefined)?.spec.nodeName

function existing(attributes: AdmissionAttributes, lister: Lister): KubeObject {
  const pod = lister.get(PODS, attributes.namespace, attributes.name)
  if (!pod) throw notFound({ group: '', resource: 'pod' }, attributes.name)
  return pod
}

function onPods(node: string, attributes: AdmissionAttributes, lister: Lister): void {
  const { operation, subresource } = attributes
  if (subresource === 'status') return onPodStatus(node, attributes)
  if (subresource === 'eviction') {
    if (operation !== 'CREATE') throw forbid(attributes, `unexpected operation ${operation}`)
    if (nodeOf(existing(attributes, lister)) === node) return
    throw forbid(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`)
  }
  if (subresource !== '') {
    const only = "only 'status' and 'eviction' are allowed"
    throw forbid(attributes, `unexpected pod subresource ${goQuote(subresource)}, ${only}`)
  }
  if (operation === 'CREATE') {
    const fault = mirrorPodFault(node, attributes.object as Pod, lister)
    if (fault !== undefined) throw forbid(attributes, fault)
  } else if (operation === 'DELETE') {
    if (nodeOf(existing(attributes, lister)) === node) return
    throw forbid(attributes, `node ${goQuote(node)} can only delete pods with spec.nodeName set to itself`)
  } else {
    const only = `node ${goQuote(node)} can only create and delete mirror pods`
    throw forbid(attributes, `unexpected operation ${goQuote(operation)}, ${only}`)
  }
}

/** What the scheduler and controllers say in a pod's status. */
function onPodStatus(node: string, attributes: AdmissionAttributes): void {
  if (attributes.operation !== 'UPDATE') throw unexpected(attributes)
  const { object, old } = attributes
  const who = `node ${goQuote(node)}`
  if (nodeOf(old) !== node) {
    throw forbid(attributes, `${who} can only update pod status for pods with spec.nodeName set to itself`)
  }
  if (!same(object?.metadata.labels ?? {}, old?.metadata.labels ?? {})) {
    throw forbid(attributes, `${who} cannot update labels through pod status`)
  }
  const [now, before] = [objectOf(object?.status), objectOf(old?.status)]
  if (!same(now['resourceClaimStatuses'] ?? [], before['resourceClaimStatuses'] ?? [])) {
    throw forbid(attributes, `${who} cannot update resource claim statues`)
  }
  if (!same(now['extendedResourceClaimStatus'] ?? null, before['extendedResourceClaimStatus'] ?? null)) {
    throw forbid(attributes, `${who} cannot update extended resource claim status`)
  }
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

/** Whatever the order of keys. */
function same(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]))
  }
  if (!isObject(a)) return a === b
  if (!isObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
  )
}

function onNodes(node: string, attributes: AdmissionAttributes): void {
  const { operation, object, old } = attributes
  const who = `node ${goQuote(node)}`
  const name = attributes.name || (object?.metadata.name ?? '')
  if (name !== node) throw forbid(attributes, `${who} is not allowed to modify node ${goQuote(name)}`)
  if (operation === 'DELETE') return
  const spec = objectOf(object?.['spec'])
  const before = objectOf(old?.['spec'])
  const labels = forbiddenLabels(object?.metadata.labels, old?.metadata.labels)
  if (operation === 'CREATE') {
    if (spec['configSource']) {
      throw forbid(attributes, `${who} is not allowed to create pods with a non-nil configSource`)
    }
    if (labels.length === 0) return
    throw forbid(attributes, `${who} is not allowed to set the following labels: ${labels.join(', ')}`)
  }
  if (spec['configSource'] && !same(spec['configSource'], before['configSource'])) {
    throw forbid(attributes, `${who} is not allowed to update configSource to a new non-nil configSource`)
  }
  if (!same(spec['taints'] ?? [], before['taints'] ?? [])) {
    throw forbid(attributes, `${who} is not allowed to modify taints`)
  }
  if (!same(object?.metadata['ownerReferences'] ?? [], old?.metadata['ownerReferences'] ?? [])) {
    throw forbid(attributes, `${who} is not allowed to modify ownerReferences`)
  }
  if (labels.length > 0) throw forbid(attributes, `is not allowed to modify labels: ${labels.join(', ')}`)
}

/** Fields of a claim's status that say how far its volume has grown. */
const CLAIM = 'core.PersistentVolumeClaim'
const CLAIM_STATUS = ['capacity', 'conditions', 'allocatedResourceStatuses', 'allocatedResources']

function onClaims(node: string, attributes: AdmissionAttributes): void {
  if (attributes.subresource !== 'status') throw forbid(attributes, 'may only update PVC status')
  if (attributes.operation !== 'UPDATE') throw unexpected(attributes)
  const [now, before] = [restOfClaim(attributes.object), restOfClaim(attributes.old)]
  if (sameStruct(CLAIM, now, before)) return
  const why = 'is not allowed to update fields other than status.quantity and status.conditions'
  throw forbid(attributes, `node ${goQuote(node)} ${why}: ${structDiff(CLAIM, before, now)}`)
}

function restOfClaim(claim: KubeObject | undefined): JsonObject {
  const { resourceVersion: _, managedFields: __, ...metadata } = objectOf(claim?.metadata as JsonObject)
  const status = { ...objectOf(claim?.status) }
  for (const field of CLAIM_STATUS) delete status[field]
  return { metadata, spec: claim?.['spec'] ?? {}, status }
}

const nameOf = ({ operation, name, object }: AdmissionAttributes): string | undefined =>
  operation === 'CREATE' ? object?.metadata.name : name

function onLeases(node: string, attributes: AdmissionAttributes): void {
  if (attributes.namespace !== LEASE_NAMESPACE) {
    throw forbid(attributes, `can only access leases in the ${goQuote(LEASE_NAMESPACE)} system namespace`)
  }
  if (nameOf(attributes) === node) return
  throw forbid(attributes, 'can only access node lease with the same name as the requesting node')
}

function onCsiNodes(node: string, attributes: AdmissionAttributes): void {
  if (nameOf(attributes) === node) return
  throw forbid(attributes, 'can only access CSINode with the same name as the requesting node')
}

function onSlices(node: string, attributes: AdmissionAttributes): void {
  const { operation, object, old } = attributes
  if (operation === 'UPDATE') return
  const slice = objectOf((operation === 'CREATE' ? object : old)?.['spec'])
  if (slice['nodeName'] === node) return
  const verb = operation === 'CREATE' ? 'create' : 'delete'
  throw forbid(attributes, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`)
}

function onRequests(node: string, attributes: AdmissionAttributes): void {
  if (attributes.operation !== 'CREATE') return
  const { signerName = '', request } = objectOf(attributes.object?.['spec'])
  if (!KUBELET_SIGNERS.includes(signerName)) return
  const name = typeof request === 'string' ? commonNameOf(request) : undefined
  if (name === undefined) {
    throw forbid(attributes, 'unable to parse csr: PEM block type must be CERTIFICATE REQUEST')
  }
  if (name === `system:node:${node}`) return
  throw forbid(attributes, `can only create a node CSR with CN=system:node:${node}`)
}
