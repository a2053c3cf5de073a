// What the local cloud knows of nodes' machines. Those of simulated nodes are as the Node says: annotations switch them off
// and take them away. Follows the role of InstancesV2 of k8s.io/cloud-provider.
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { isSimulated, machineOf } from '../../client/simulated.ts'
import type { InstanceMetadata, Instances } from '../provider.ts'

export const PROVIDER = 'dinghy'
const REGION = 'local'
/** Labels' values hold nothing else. */
const NOT_IN_LABELS = /[^A-Za-z0-9._-]/g

/** `zones` is how many there are: local-a, local-b, … */
export function localInstances(zones: number): Instances {
  return {
    exists: (node) => Promise.resolve(machineOf(node) !== 'deleted'),
    isShutDown: (node) => Promise.resolve(machineOf(node) === 'off'),
    metadata: (node) => Promise.resolve(metadataOf(node, zones)),
  }
}

export function metadataOf(node: Node, zones: number): InstanceMetadata {
  const { name = '' } = node.metadata
  const { cpu, memory } = node.status.capacity ?? {}
  const size = [cpu && `${cpu}cpu`, memory].filter(Boolean).join('-')
  return {
    providerId: `${PROVIDER}://${name}`,
    type: isSimulated(node) ? `simulated-${size}`.replace(NOT_IN_LABELS, '') : PROVIDER,
    region: REGION,
    zone: `${REGION}-${zoneLetter(name, zones)}`,
    // Its own kubelet knows them best.
    addresses: [],
  }
}

/** node-0 in a, node-1 in b, …: as many in each zone. */
const zoneLetter = (name: string, zones: number): string => {
  const number = Number(/(\d{1,9})$/.exec(name)?.[1] ?? 0)
  return String.fromCharCode('a'.charCodeAt(0) + (number % zones))
}
