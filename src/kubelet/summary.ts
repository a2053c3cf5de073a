// /stats/summary of a simulated node: what its pods use, by what they declare.
// Follows k8s.io/kubelet/pkg/apis/stats/v1alpha1 (types.go) and k8s.io/kubernetes/pkg/kubelet/server/stats.
import type { JsonObject } from '../machinery/json.ts'
import { timeText } from './podstatus.ts'
import { amountOf, type PodUsage, total, type Usage } from './usage.ts'

const NANO = 1e9

export interface SummarizedNode {
  readonly name: string
  readonly capacity: Readonly<Record<string, string>>
  /** ms since 1970 */
  readonly startedAt: number
}

/** `now` in ms. */
export function statsSummary(node: SummarizedNode, pods: readonly PodUsage[], now: number): JsonObject {
  const memory = amountOf(node.capacity['memory'] ?? '0')
  return {
    node: {
      nodeName: node.name,
      startTime: timeText(node.startedAt),
      ...stats(total(pods), now, memory),
    },
    pods: pods
      .filter(({ containers }) => containers.length > 0)
      .map((usage) => {
        const { name = '', namespace = '', uid = '' } = usage.pod.metadata
        return {
          podRef: { name, namespace, uid },
          startTime: timeText(usage.startedAt),
          containers: usage.containers.map((container) => ({
            name: container.name,
            startTime: timeText(container.startedAt),
            ...stats(container, now),
          })),
          ...stats(usage, now),
        }
      }),
  }
}

function stats({ cpu, cpuSeconds, memory }: Usage, now: number, available?: number): JsonObject {
  const time = timeText(now)
  return {
    cpu: {
      time,
      usageNanoCores: Math.round(cpu * NANO),
      usageCoreNanoSeconds: Math.round(cpuSeconds * NANO),
    },
    memory: {
      time,
      ...(available === undefined ? {} : { availableBytes: Math.max(0, available - memory) }),
      usageBytes: memory,
      workingSetBytes: memory,
      rssBytes: memory,
    },
  }
}
