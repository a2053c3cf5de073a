// Room for what the pod requests, the emptier nodes first, those first that its requests bring into balance.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources (fit.go, least_allocated.go,
// balanced_allocation.go).
import { amountsOfList } from '../amounts.ts'
import { DEFAULT_ARGS, type PluginArgs } from '../config/args.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { DeviceClass } from '../../client/kinds/resource.v1.gen.ts'
import type { ClusterEvent, Plugin, Rejection } from '../plugin.ts'
import type { PodInfo } from '../podinfo.ts'
import { backedResources, isDelegated, resourcesOf } from './devices/extended.ts'
import { asksLess } from './hints.ts'
import { balanceScore, strategyScore } from './resourcescores.ts'

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

/** Whether a resource is of no concern to this rule, on this node. */
type Ignored = (name: string, node: NodeInfo) => boolean

function fits({ requests }: PodInfo, node: NodeInfo, isIgnored: Ignored): Rejection | undefined {
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
    if (amount === 0 || amount <= whole - (requested.others.get(name) ?? 0) || isIgnored(name, node)) continue
    reasons.push(`Insufficient ${name}`)
    isFinal ||= amount > whole
  }
  return reasons.length === 0 ? undefined : rejection(reasons, isFinal)
}

function mayFit(event: ClusterEvent, pod: PodInfo, isBacked: (name: string) => boolean): boolean {
  const { requests, uid } = pod
  // A pod less is room for one more, whatever it asked for, where the number of pods was the bound.
  if (event.kind === 'pod-gone') return event.pod.uid !== uid
  if (event.kind === 'pod-changed' || event.kind === 'self')
    return asksLess(event.kind === 'self' ? pod : event.pod, event.before)
  if (event.kind === 'object')
    return (
      isClass(event) && !event.isGone && resourcesOf(event.object).some((name) => requests.others.has(name))
    )
  if (event.kind !== 'node') return false
  const { allocatable } = event.node.status
  const now = amountsOfList(allocatable)
  if (now.cpu < requests.cpu || now.memory < requests.memory || now.storage < requests.storage) return false
  for (const [name, amount] of requests.others) {
    const whole = now.others.get(name) ?? 0
    if (whole < amount && !(whole === 0 && isBacked(name))) return false
  }
  if (!event.before) return true
  const before = amountsOfList(event.before.status.allocatable)
  const grew = now.cpu > before.cpu || now.memory > before.memory || now.storage > before.storage
  const isRoomier =
    Number(allocatable?.['pods'] ?? 0) > Number(event.before.status.allocatable?.['pods'] ?? 0)
  return (
    grew || isRoomier || [...now.others].some(([name, amount]) => amount > (before.others.get(name) ?? 0))
  )
}

const isClass = (
  event: ClusterEvent & { kind: 'object' },
): event is ClusterEvent & { kind: 'object'; object: DeviceClass } => event.of === 'DeviceClass'

/** `managed`: resources that extenders look after alone. */
export function nodeResourcesFitWith(
  { ignoredResources, ignoredResourceGroups, scoringStrategy }: PluginArgs['NodeResourcesFit'],
  managed: readonly string[] = [],
): Plugin {
  const resources = new Set([...ignoredResources, ...managed])
  const groups = new Set(ignoredResourceGroups)
  const isIgnored: Ignored =
    resources.size + groups.size === 0
      ? () => false
      : (name) => resources.has(name) || groups.has(name.split('/', 1)[0] ?? '')
  // As of the pod that was looked at last: events say nothing of other objects.
  let isBacked: (name: string) => boolean = () => false
  return {
    name: FIT,
    filter: (pod, { sources }) => {
      isBacked = (name) => sources.classForResource(name) !== undefined
      const backed = backedResources(pod, sources)
      if (backed.length === 0) return { key: pod.asks, filter: (node) => fits(pod, node, isIgnored) }
      // Where the node has none of it, its devices are another rule's concern.
      const isOthers: Ignored = (name, node) =>
        isIgnored(name, node) || (backed.includes(name) && isDelegated(name, node))
      const key = `${pod.asks} devices: ${backed.join(' ')}`
      return { key, filter: (node) => fits(pod, node, isOthers) }
    },
    score: { weight: 1, prepare: strategyScore(scoringStrategy) },
    mayHelp: (event, pod) => mayFit(event, pod, (name) => isBacked(name)),
  }
}

export const nodeResourcesFit = nodeResourcesFitWith(DEFAULT_ARGS.NodeResourcesFit)

export function balancedAllocationWith({ resources }: PluginArgs['NodeResourcesBalancedAllocation']): Plugin {
  return {
    name: 'NodeResourcesBalancedAllocation',
    score: { weight: 1, prepare: balanceScore(resources.map(({ name }) => name)) },
  }
}

export const balancedAllocation = balancedAllocationWith(DEFAULT_ARGS.NodeResourcesBalancedAllocation)
