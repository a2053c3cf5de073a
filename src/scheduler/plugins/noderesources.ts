// Room for what the pod requests, the emptier nodes first, those first that its requests bring into balance.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources (fit.go, least_allocated.go,
// balanced_allocation.go).
import { type Amounts, amountsOfList } from '../amounts.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { ClusterEvent, Plugin, Rejection } from '../plugin.ts'
import { MAX_SCORE } from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'

const FIT = 'NodeResourcesFit'

/** The same few sets of reasons come again and again. */
const rejections = new Map<string, Rejection>()
/** Names of resources are the users' own. */
const MAX_REJECTIONS = 1000

function rejection(reasons: readonly string[], isFinal: boolean): Rejection {
  const key = `${isFinal} ${reasons.join(',')}`
  let known = rejections.get(key)
  if (!known) {
    if (rejections.size >= MAX_REJECTIONS) rejections.clear()
    rejections.set(key, (known = { plugin: FIT, reasons, isFinal }))
  }
  return known
}

function fits({ requests }: PodInfo, node: NodeInfo): Rejection | undefined {
  const { allocatable, requested } = node
  const { cpu, memory, storage, others } = requests
  const isFull = node.pods.size + 1 > node.allowedPods
  const noCpu = cpu > 0 && cpu > allocatable.cpu - requested.cpu
  const noMemory = memory > 0 && memory > allocatable.memory - requested.memory
  const noStorage = storage > 0 && storage > allocatable.storage - requested.storage
  if (!isFull && !noCpu && !noMemory && !noStorage && others.size === 0) return undefined
  const reasons: string[] = []
  if (isFull) reasons.push('Too many pods')
  if (noCpu) reasons.push('Insufficient cpu')
  if (noMemory) reasons.push('Insufficient memory')
  if (noStorage) reasons.push('Insufficient ephemeral-storage')
  // What is more than the whole node has is not to be had by taking it from others.
  let isFinal = (noCpu && cpu > allocatable.cpu) || (noMemory && memory > allocatable.memory)
  isFinal ||= noStorage && storage > allocatable.storage
  for (const [name, amount] of others) {
    const whole = allocatable.others.get(name) ?? 0
    if (amount === 0 || amount <= whole - (requested.others.get(name) ?? 0)) continue
    reasons.push(`Insufficient ${name}`)
    isFinal ||= amount > whole
  }
  return reasons.length === 0 ? undefined : rejection(reasons, isFinal)
}

function mayFit(event: ClusterEvent, { requests, uid }: PodInfo): boolean {
  // A pod less is room for one more, whatever it asked for, where the number of pods was the bound.
  if (event.kind === 'pod-gone') return event.pod.uid !== uid
  if (event.kind !== 'node') return false
  const { allocatable } = event.node.status
  const now = amountsOfList(allocatable)
  if (now.cpu < requests.cpu || now.memory < requests.memory || now.storage < requests.storage) return false
  for (const [name, amount] of requests.others) if ((now.others.get(name) ?? 0) < amount) return false
  if (!event.before) return true
  const before = amountsOfList(event.before.status.allocatable)
  const grew = now.cpu > before.cpu || now.memory > before.memory || now.storage > before.storage
  const isRoomier =
    Number(allocatable?.['pods'] ?? 0) > Number(event.before.status.allocatable?.['pods'] ?? 0)
  return (
    grew || isRoomier || [...now.others].some(([name, amount]) => amount > (before.others.get(name) ?? 0))
  )
}

export const nodeResourcesFit: Plugin = {
  name: FIT,
  filter: (pod) => ({ filter: (node) => fits(pod, node) }),
  score: {
    weight: 1,
    prepare: ({ scoredCpu, scoredMemory }) => ({
      score: (node) => {
        const cpu = free(node.allocatable.cpu, node.scoredCpu + scoredCpu)
        const memory = free(node.allocatable.memory, node.scoredMemory + scoredMemory)
        // Resources that the node does not have do not count.
        const counted = (node.allocatable.cpu > 0 ? 1 : 0) + (node.allocatable.memory > 0 ? 1 : 0)
        return counted === 0 ? 0 : Math.trunc((cpu + memory) / counted)
      },
    }),
  },
  mayHelp: mayFit,
}

/** How much of a resource would be left, in hundredths. */
const free = (capacity: number, requested: number): number =>
  capacity === 0 || requested > capacity ? 0 : Math.trunc(((capacity - requested) * MAX_SCORE) / capacity)

/** 100 where cpu and memory are used to the same part. */
function balance({ cpu, memory }: Amounts, usedCpu: number, usedMemory: number): number {
  if (cpu === 0 || memory === 0) return MAX_SCORE
  const deviation = Math.abs(Math.min(usedCpu / cpu, 1) - Math.min(usedMemory / memory, 1)) / 2
  return Math.trunc((1 - deviation) * MAX_SCORE)
}

export const balancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  score: {
    weight: 1,
    prepare: ({ requests }) => {
      // Pods that ask for nothing would all go where the balance is best.
      if (requests.cpu === 0 && requests.memory === 0) return undefined
      return {
        score: ({ allocatable, requested }) => {
          const after = balance(allocatable, requested.cpu + requests.cpu, requested.memory + requests.memory)
          const before = balance(allocatable, requested.cpu, requested.memory)
          return MAX_SCORE / 2 + Math.trunc((MAX_SCORE / 2 + after - before) / 2)
        },
      }
    },
  },
}
