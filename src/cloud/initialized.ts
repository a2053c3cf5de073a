// What a node looks like once its cloud has told of its machine. Follows k8s.io/cloud-provider/controllers/node
// (getNodeModifiersFromCloudProvider, reconcileNodeLabels) and node/helpers/address.go.
import type { Node, NodeAddress } from '../client/kinds/core.v1.gen.ts'
import { UNINITIALIZED } from './cloudtaint.ts'
import type { InstanceMetadata } from './provider.ts'

/** The addresses that the kubelet was told to have, with commas between them. */
const PROVIDED_IP = 'alpha.kubernetes.io/provided-node-ip'

/** Labels of old, and those that took their places. */
const LABELS = [
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type'],
] as const

export const isUninitialized = ({ spec }: Node): boolean =>
  spec.taints?.some(({ key }) => key === UNINITIALIZED) === true

/** What the labels of a node say of its machine. */
export function machineLabels({ zone, region, type }: InstanceMetadata): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [index, value] of [zone, region, type].entries())
    if (value !== '') for (const label of LABELS[index] ?? []) labels[label] = value
  return labels
}

/** The node with its provider's id and labels, without the taint. */
export function initialized(node: Node, metadata: InstanceMetadata): Node {
  const { providerId } = metadata
  const labels = { ...node.metadata.labels, ...machineLabels(metadata) }
  const { providerID: known } = node.spec
  const taints = (node.spec.taints ?? []).filter(({ key }) => key !== UNINITIALIZED)
  return {
    ...node,
    metadata: { ...node.metadata, labels },
    spec: { ...node.spec, taints, providerID: known || providerId || undefined },
  }
}

/** Labels that follow their older names; undefined where they do already. */
export function labelsToFollow({ metadata: { labels = {} } }: Node): Record<string, string> | undefined {
  const wanted = LABELS.flatMap(([older, newer]) => {
    const value = labels[older]
    return value === undefined || labels[newer] === value ? [] : [[newer, value] as const]
  })
  return wanted.length === 0 ? undefined : Object.fromEntries(wanted)
}

/**
 * The addresses that the node is to have; undefined where it has them, or the cloud knows none. Throws where the kubelet was
 * told to have one that the cloud does not know.
 */
export function addressesToSet(node: Node, told: readonly NodeAddress[]): NodeAddress[] | undefined {
  if (told.length === 0) return undefined
  const known = node.status.addresses ?? []
  const names = told.some(({ type }) => type === 'Hostname')
    ? []
    : known.filter(({ type }) => type === 'Hostname')
  const wanted = providedFirst(node.metadata.annotations?.[PROVIDED_IP], [...told, ...names])
  const byType = new Map(known.map(({ type, address }) => [type, address]))
  const isSame =
    known.length === wanted.length && wanted.every(({ type, address }) => byType.get(type) === address)
  return isSame ? undefined : wanted
}

/** Of the types that the provided ones have, these alone; all of the other types. */
function providedFirst(provided: string | undefined, addresses: readonly NodeAddress[]): NodeAddress[] {
  if (provided === undefined) return [...addresses]
  const kept: NodeAddress[] = []
  for (const ip of provided.split(',')) {
    const found = addresses.filter(({ address }) => address === ip.trim())
    if (found.length === 0)
      throw new Error(`failed to get node address from cloud provider that matches ip: ${ip.trim()}`)
    kept.push(...found)
  }
  const types = new Set(kept.map(({ type }) => type))
  return [...kept, ...addresses.filter(({ type }) => !types.has(type))]
}
