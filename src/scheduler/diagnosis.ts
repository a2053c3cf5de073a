// Why a pod fits nowhere, in upstream's words. Follows FitError of k8s.io/kubernetes/pkg/scheduler/framework/types.go.
import type { Rejection } from './plugin.ts'

export interface Diagnosis {
  readonly nodes: number
  /** By the node's name. */
  readonly rejections: ReadonlyMap<string, Rejection>
  /** No node will do, whatever it is; then there are no rejections by node. */
  readonly overall: Rejection | undefined
}

/** "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable." */
/** `tried`: what came of making room. */
export function fitMessage({ nodes, rejections, overall }: Diagnosis, tried: readonly string[] = []): string {
  const start = `0/${nodes} nodes are available:`
  if (nodes === 0) return 'no nodes available to schedule pods'
  const reasons = overall ? overall.reasons.join(', ') : histogram([...rejections.values()])
  const found = reasons === '' ? start : `${start} ${reasons}.`
  return tried.length === 0 ? found : `${found} ${tried.join(', ')}`
}

/** How often each reason was given, in the order of the texts. */
export function histogram(rejections: readonly Rejection[]): string {
  const counts = new Map<string, number>()
  for (const { reasons } of rejections) for (const one of reasons) counts.set(one, (counts.get(one) ?? 0) + 1)
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .join(', ')
}

/** The rules that have to change their mind. */
export const rejectedBy = ({ rejections, overall }: Diagnosis): Set<string> =>
  new Set(overall ? [overall.plugin] : [...rejections.values()].map(({ plugin }) => plugin))
