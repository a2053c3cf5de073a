// Taints that stand for what a cloud says of nodes, and how they are written.
// Follows k8s.io/cloud-provider/api/well_known_taints.go and node/helpers/taints.go.
import { type Api, isConflict, isNotFound } from '../client/api.ts'
import type { Node, Taint } from '../client/kinds/core.v1.gen.ts'
import { NODES } from '../client/resources.ts'
import type { Json } from '../machinery/json.ts'

/** Borne by nodes that the cloud has not told of yet; a kubelet with --cloud-provider=external comes with it. */
export const UNINITIALIZED = 'node.cloudprovider.kubernetes.io/uninitialized'
/** Borne by nodes whose machine is switched off. */
export const SHUTDOWN: Taint = { key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' }

export const hasTaint = ({ spec }: Node, { key, effect }: Taint): boolean =>
  spec.taints?.some((one) => one.key === key && one.effect === effect) === true

/** A node that others write to as well is tried this often before the next round. */
const TRIES = 5

/** Reads the node anew where its copy is old; a node that is gone is well. */
export async function setTaint(api: Api, node: Node, taint: Taint, wanted: boolean): Promise<void> {
  const { name = '' } = node.metadata
  for (let tries = 1, latest = node; ; tries++) {
    if (hasTaint(latest, taint) === wanted) return
    const rest = (latest.spec.taints ?? []).filter(
      ({ key, effect }) => key !== taint.key || effect !== taint.effect,
    )
    const { resourceVersion = '' } = latest.metadata
    const taints = wanted ? [...rest, taint] : rest
    const body = { metadata: { resourceVersion }, spec: { taints } } as unknown as Json
    try {
      return void (await api.patch(NODES, { name }, body, { type: 'merge' }))
    } catch (error) {
      if (isNotFound(error)) return
      if (!isConflict(error) || tries >= TRIES) throw error
      latest = await api.get(NODES, { name })
    }
  }
}
