// Whether a node still tells of itself: what was seen of it, when, and which conditions become Unknown when it is silent.
// Times are our own clock's, not the nodes'. Follows tryUpdateNodeHealth of k8s.io/kubernetes/pkg/controller/nodelifecycle.
import { timeOf, type Clock } from '../../client/clock.ts'
import type { Lease } from '../../client/kinds/coordination.v1.gen.ts'
import type { Node, NodeCondition } from '../../client/kinds/core.v1.gen.ts'

/** NetworkUnavailable is not the kubelet's to tell. */
const FROM_KUBELET = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** What is remembered of a node. */
export interface Health {
  readonly ready: NodeCondition | undefined
  /** When it was heard of last, ms since 1970. */
  readonly probedAt: number
  /** Of the lease that was seen last. */
  readonly renewTime: string | undefined
}

/** What a look at a node leads to. */
export interface Judged {
  readonly health: Health
  /** The condition Ready as the node had it; Unknown where it had none. */
  readonly observed: string
  /** As it ought to be; undefined: there is none yet, and the node has time left. */
  readonly current: string | undefined
  /** To be written. */
  readonly conditions?: NodeCondition[]
}

export interface Patience {
  readonly clock: Clock
  /** How long a node may be silent, in ms. */
  readonly graceMs: number
  /** The same for one that never told of itself. */
  readonly startupMs: number
}

export const readyOf = ({ status }: Node): NodeCondition | undefined =>
  status.conditions?.find(({ type }) => type === 'Ready')

export function judge(
  node: Node,
  known: Health | undefined,
  lease: Lease | undefined,
  patience: Patience,
): Judged {
  const { clock, graceMs, startupMs } = patience
  const ready = readyOf(node)
  const health = renewed(heardOf(node, known, clock.now()), lease, clock.now())
  const observed = ready?.status ?? 'Unknown'
  const isSilent = clock.now() > health.probedAt + (ready ? graceMs : startupMs)
  if (!isSilent) return { health, observed, current: ready?.status }
  if (ready?.status === 'Unknown') return { health, observed, current: 'Unknown' }
  return { health, observed, current: 'Unknown', conditions: silenced(node, timeOf(clock)) }
}

/** A node whose Ready condition came, went, or was written again is alive. */
function heardOf(node: Node, known: Health | undefined, now: number): Health {
  const ready = readyOf(node)
  if (ready === undefined && known?.ready === undefined)
    return (
      known ?? { ready, probedAt: Date.parse(node.metadata.creationTimestamp ?? ''), renewTime: undefined }
    )
  if (known?.ready && ready && known.ready.lastHeartbeatTime === ready.lastHeartbeatTime)
    return { ...known, ready }
  return { ready, probedAt: now, renewTime: undefined }
}

function renewed(health: Health, lease: Lease | undefined, now: number): Health {
  const renewTime = lease?.spec?.renewTime
  if (lease === undefined || health.renewTime === renewTime) return health
  if (health.renewTime !== undefined && !isBefore(health.renewTime, renewTime)) return health
  return { ...health, probedAt: now, renewTime: renewTime ?? '' }
}

const isBefore = (a: string, b: string | undefined): boolean =>
  b !== undefined && (a === '' || Date.parse(a) < Date.parse(b))

/** All that the kubelet tells, as nobody knows it any more. */
function silenced({ metadata, status }: Node, time: string): NodeCondition[] {
  const conditions = (status.conditions ?? []).map((condition) =>
    FROM_KUBELET.includes(condition.type) && condition.status !== 'Unknown'
      ? {
          ...condition,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: time,
        }
      : condition,
  )
  for (const type of FROM_KUBELET) {
    if (conditions.some((condition) => condition.type === type)) continue
    conditions.push({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: metadata.creationTimestamp,
      lastTransitionTime: time,
    })
  }
  return conditions
}
