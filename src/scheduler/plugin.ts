// What a rule of the scheduler is. A rule looks at the pod once and gives back a closure that looks at nodes, or nothing
// where it has nothing to say about this pod: most rules have nothing to say about most pods.
// Follows k8s.io/kube-scheduler/framework/interface.go (PreFilter, Filter, PreScore, Score, EnqueueExtensions).
import type { Node } from '../client/kinds/core.v1.gen.ts'
import type { ApiObject } from '../client/resource.ts'
import type { ClusterView } from './clusterview.ts'
import type { NodeInfo } from './nodeinfo.ts'
import type { PodInfo } from './podinfo.ts'

/** Why a node will not do. Shared, never made anew for each node. */
export interface Rejection {
  readonly plugin: string
  readonly reasons: readonly string[]
  /** Not even if pods went away. */
  readonly isFinal: boolean
}

export interface FilterWork {
  filter(node: NodeInfo): Rejection | undefined
  /**
   * All of the pod that counts, where the node alone counts beside it: pods of the same text get the same answers of a
   * node for as long as it does not change. Absent: other nodes, or what is on them, count, too.
   */
  readonly key?: string | undefined
  /** Told where a pod is put onto a node, or taken from it, to try something out. */
  changed?(node: NodeInfo, pod: PodInfo, sign: 1 | -1): void
}

/** A rejection here: no node will do, whatever it is. */
export type PrepareFilter = (pod: PodInfo, cluster: ClusterView) => FilterWork | Rejection | undefined

export interface ScoreWork {
  score(node: NodeInfo): number
  /** As that of FilterWork; only where nothing is normalized. */
  readonly key?: string | undefined
  /** Brings scores into 0 to 100, in place. */
  normalize?(scores: number[], nodes: readonly NodeInfo[]): void
}

export type PrepareScore = (
  pod: PodInfo,
  cluster: ClusterView,
  nodes: readonly NodeInfo[],
) => ScoreWork | undefined

/** What happened in the cluster that may let a pod that did not fit before fit now. */
export type ClusterEvent =
  | { readonly kind: 'node'; readonly node: Node; readonly before?: Node }
  | { readonly kind: 'node-gone'; readonly node: Node }
  | { readonly kind: 'pod-gone'; readonly pod: PodInfo; readonly nodeName: string }
  | { readonly kind: 'pod-here'; readonly pod: PodInfo }
  /** A pod that has its node is another than it was. */
  | { readonly kind: 'pod-changed'; readonly pod: PodInfo; readonly before: PodInfo }
  /** The waiting pod itself is another than it was. */
  | { readonly kind: 'self'; readonly before: PodInfo }
  /** Of the kinds that rules read beside nodes and pods: one came or changed, or went. */
  | {
      readonly kind: 'object'
      readonly of: ObjectKind
      readonly object: ApiObject
      readonly isGone: boolean
      readonly isNew?: boolean
    }

export type ObjectKind =
  | 'PersistentVolumeClaim'
  | 'PersistentVolume'
  | 'StorageClass'
  | 'CSINode'
  | 'CSIDriver'
  | 'CSIStorageCapacity'
  | 'VolumeAttachment'
  | 'ResourceClaim'
  | 'ResourceSlice'
  | 'DeviceClass'

export interface Plugin {
  readonly name: string
  /** Why the pod cannot even be looked at yet; undefined: it can. */
  holdsBack?(pod: PodInfo): string | undefined
  readonly filter?: PrepareFilter
  readonly score?: { readonly weight: number; readonly prepare: PrepareScore }
  /** Keeps for the pod what the node has for it; called when the decision is made. Throws where it cannot. */
  reserve?(pod: PodInfo, node: NodeInfo): void
  /** Gives it back: the pod is not going to be bound. */
  unreserve?(pod: PodInfo): void
  /** Writes what has to be written before the pod is bound. */
  preBind?(pod: PodInfo, node: NodeInfo, signal: AbortSignal): Promise<void>
  /** Frees something where no node will do; says what it did, or why there is nothing that it can do. */
  makeRoom?(pod: PodInfo): string | Promise<string>
  /** Whether what happened may make this rule accept the pod that it rejected. */
  mayHelp?(event: ClusterEvent, pod: PodInfo): boolean
}

export const MAX_SCORE = 100

export const isRejection = (found: FilterWork | Rejection): found is Rejection => 'reasons' in found

/** The best gets 100, or the least where `reverse`. */
export function normalizeToMax(scores: number[], reverse = false): void {
  let max = 0
  for (const score of scores) if (score > max) max = score
  for (let i = 0; i < scores.length; i++) {
    const score = max === 0 ? 0 : Math.trunc((MAX_SCORE * (scores[i] as number)) / max)
    scores[i] = reverse ? MAX_SCORE - score : score
  }
}
