// How well a node will do by what is left of its resources: the least used first, or the most used, or along a shape;
// and whether its resources are used to the same part.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources (resource_allocation.go, least_allocated.go,
// most_allocated.go, requested_to_capacity_ratio.go, balanced_allocation.go) and helper/shape_score.go.
import type { Amounts } from '../amounts.ts'
import { MAX_SHAPE_SCORE, type ScoringStrategy, type ShapePoint } from '../config/scoring.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import { MAX_SCORE, type PrepareScore } from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'

/** A part of what there is, out of 100. */
type Part = (requested: number, capacity: number) => number

const amountOf = (amounts: Amounts, name: string): number => {
  if (name === 'cpu') return amounts.cpu
  if (name === 'memory') return amounts.memory
  if (name === 'ephemeral-storage') return amounts.storage
  return amounts.others.get(name) ?? 0
}

/** What would be used, where pods that ask for nothing count as if they did. */
function usedOf(node: NodeInfo, pod: PodInfo, name: string): number {
  if (name === 'cpu') return node.scoredCpu + pod.scoredCpu
  if (name === 'memory') return node.scoredMemory + pod.scoredMemory
  return amountOf(node.requested, name) + amountOf(pod.requests, name)
}

/** Resources that only some nodes have count for pods that ask for them alone. */
const isExtended = (name: string): boolean => !['cpu', 'memory', 'ephemeral-storage'].includes(name)

const least: Part = (requested, capacity) =>
  requested > capacity ? 0 : Math.trunc(((capacity - requested) * MAX_SCORE) / capacity)

const most: Part = (requested, capacity) => Math.trunc((Math.min(requested, capacity) * MAX_SCORE) / capacity)

/** The line through the points, in hundredths of the best. */
function along(shape: readonly ShapePoint[]): Part {
  const points = shape.map(
    ({ utilization, score }) => [utilization, score * (MAX_SCORE / MAX_SHAPE_SCORE)] as const,
  )
  return (requested, capacity) => {
    const use = requested > capacity ? 100 : Math.trunc((requested * 100) / capacity)
    const at = points.findIndex(([utilization]) => use <= utilization)
    const [x1, y1] = points[at === -1 ? points.length - 1 : at] ?? [0, 0]
    if (at <= 0) return y1
    const [x0, y0] = points[at - 1] ?? [0, 0]
    return y0 + Math.trunc(((y1 - y0) * (use - x0)) / (x1 - x0))
  }
}

export function strategyScore({ type, resources, shape }: ScoringStrategy): PrepareScore {
  const part = type === 'LeastAllocated' ? least : type === 'MostAllocated' ? most : along(shape)
  // A shape's resources that score nothing do not count, and its mean is rounded.
  const isShape = type === 'RequestedToCapacityRatio'
  return (pod) => {
    const counted = resources.filter(({ name }) => !isExtended(name) || amountOf(pod.requests, name) > 0)
    if (counted.length === 0) return undefined
    return {
      key: pod.asks,
      score: (node) => {
        let [sum, weights] = [0, 0]
        for (const { name, weight } of counted) {
          const capacity = amountOf(node.allocatable, name)
          if (capacity === 0) continue
          const score = part(usedOf(node, pod, name), capacity)
          if (isShape && score <= 0) continue
          sum += score * weight
          weights += weight
        }
        if (weights === 0) return 0
        return isShape ? Math.round(sum / weights) : Math.trunc(sum / weights)
      },
    }
  }
}

/** The best is where all resources are used to the same part; half of the score is whether the pod brings it nearer. */
export function balanceScore(names: readonly string[]): PrepareScore {
  return (pod) => {
    const { requests } = pod
    // Pods that ask for nothing would all go where the balance is best.
    if (names.every((name) => amountOf(requests, name) === 0)) return undefined
    const counted = names.filter((name) => !isExtended(name) || amountOf(requests, name) > 0)
    const parts: number[] = []
    return {
      key: pod.asks,
      score: ({ allocatable, requested }) => {
        const after = balance(partsOf(counted, allocatable, [requested, requests], parts))
        const before = balance(partsOf(counted, allocatable, [requested], parts))
        return MAX_SCORE / 2 + Math.trunc((MAX_SCORE / 2 + after - before) / 2)
      },
    }
  }
}

/** To which part each resource is used; written into `parts`, which is used again for each node. */
function partsOf(
  names: readonly string[],
  allocatable: Amounts,
  used: readonly Amounts[],
  parts: number[],
): readonly number[] {
  parts.length = 0
  for (const name of names) {
    const capacity = amountOf(allocatable, name)
    if (capacity === 0) continue
    let sum = 0
    for (const amounts of used) sum += amountOf(amounts, name)
    parts.push(Math.min(sum / capacity, 1))
  }
  return parts
}

const balance = (parts: readonly number[]): number => Math.trunc((1 - deviation(parts)) * MAX_SCORE)

function deviation(parts: readonly number[]): number {
  if (parts.length < 2) return 0
  if (parts.length === 2) return Math.abs((parts[0] as number) - (parts[1] as number)) / 2
  const mean = parts.reduce((sum, one) => sum + one, 0) / parts.length
  return Math.sqrt(parts.reduce((sum, one) => sum + (one - mean) ** 2, 0) / parts.length)
}
