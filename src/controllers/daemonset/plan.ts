// Which nodes lack a daemon's pod and which pods are to go, in general and in a rolling update. Pure.
// Follows k8s.io/kubernetes/pkg/controller/daemon (daemon_controller.go, update.go).
import type { DaemonSet, DaemonSetStatus } from '../../client/kinds/apps.v1.gen.ts'
import type { Node, Pod } from '../../client/kinds/core.v1.gen.ts'
import { isPodAvailable, isPodReady, isPodTerminal } from '../../client/podstate.ts'
import { counted } from '../../client/statuswrite.ts'
import { allowsSurge, boundsOf, byAge, type Fit, isUpdated, nodeOf } from './daemonpods.ts'

export interface Seen {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  /** By node. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>
  readonly hash: string
  readonly now: number
  readonly fit: (node: Node) => Fit
}

export interface Changes {
  /** Names of nodes. */
  readonly create: string[]
  readonly end: Pod[]
  /** Pods that are over, and go for that: they are told of, and failures are not repeated too fast. */
  readonly over: Pod[]
}

/** Pods that are over and being deleted are nobody's business any more. */
export function byNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const grouped = new Map<string, Pod[]>()
  for (const pod of pods) {
    if (isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined) continue
    const node = nodeOf(pod)
    if (node !== undefined) grouped.set(node, [...(grouped.get(node) ?? []), pod])
  }
  return grouped
}

const isStaying = ({ metadata }: Pod): boolean => metadata.deletionTimestamp === undefined

/** One pod on each node that should have one; two for a while, where the set allows a surge. */
export function missingAndSurplus(seen: Seen): Changes {
  const changes: Changes = { create: [], end: [], over: [] }
  const names = new Set<string>()
  for (const node of seen.nodes) {
    const name = node.metadata.name ?? ''
    names.add(name)
    manageNode(seen, name, seen.fit(node), changes)
  }
  for (const [name, pods] of seen.pods) {
    // The scheduler will never bind them, and nobody else clears them away.
    if (!names.has(name)) changes.end.push(...pods.filter(({ spec }) => !spec.nodeName))
  }
  return changes
}

function manageNode(seen: Seen, name: string, { runs, stays }: Fit, changes: Changes): void {
  const pods = seen.pods.get(name)
  if (runs && pods === undefined) {
    changes.create.push(name)
    return
  }
  if (pods === undefined) return
  const staying = pods.filter(isStaying)
  if (!stays) {
    changes.end.push(...staying)
    return
  }
  changes.over.push(...staying.filter(isPodTerminal))
  const running = staying.filter((pod) => !isPodTerminal(pod)).sort(byAge)
  if (!allowsSurge(seen.set)) changes.end.push(...running.slice(1))
  else if (running.length === 0 && runs) changes.create.push(name)
  else if (running.length > 1) changes.end.push(...surgeSurplus(seen, running))
}

/** One old pod and one new one may be there at once, until the new one is available or the old one fails. */
function surgeSurplus(seen: Seen, running: readonly Pod[]): Pod[] {
  const [newest, ...moreNew] = running.filter((pod) => isUpdated(seen.set, pod, seen.hash))
  const [old, ...moreOld] = running.filter((pod) => !isUpdated(seen.set, pod, seen.hash))
  const surplus = [...moreNew, ...moreOld]
  const isDone = newest !== undefined && old !== undefined && (!isPodReady(old) || isAvailable(seen, newest))
  return isDone ? [...surplus, old] : surplus
}

const isAvailable = ({ set, now }: Seen, pod: Pod): boolean =>
  isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)

interface OnNode {
  readonly name: string
  readonly newPod?: Pod | undefined
  readonly oldPod?: Pod | undefined
  /** More than one of a kind: another pass will put that right. */
  readonly isUnclear: boolean
}

/** The nodes that have pods or should have one, with their old and new one. */
function nodesInUpdate({ set, nodes, pods, hash, fit }: Seen): OnNode[] {
  const names = new Set(pods.keys())
  for (const node of nodes) if (fit(node).runs) names.add(node.metadata.name ?? '')
  return [...names].map((name) => {
    const staying = (pods.get(name) ?? []).filter(isStaying)
    const [newPod, ...moreNew] = staying.filter((pod) => isUpdated(set, pod, hash))
    const [oldPod, ...moreOld] = staying.filter((pod) => !isUpdated(set, pod, hash))
    return { name, newPod, oldPod, isUnclear: moreNew.length + moreOld.length > 0 }
  })
}

/** The next step of a rolling update. */
export function updateStep(seen: Seen): Changes {
  const desired = seen.nodes.filter((node) => seen.fit(node).runs).length
  const { surge, unavailable } = boundsOf(seen.set, desired)
  const onNodes = nodesInUpdate(seen)
  return surge > 0 ? surgeStep(seen, onNodes, surge, desired) : replaceStep(seen, onNodes, unavailable)
}

/** Ends old pods: those that are not available anyway, and as many others as may be. */
function replaceStep(seen: Seen, onNodes: readonly OnNode[], allowed: number): Changes {
  const broken: Pod[] = []
  const candidates: Pod[] = []
  let unavailable = 0
  for (const { newPod, oldPod, isUnclear } of onNodes) {
    const only = newPod === undefined ? oldPod : oldPod === undefined ? newPod : undefined
    if (isUnclear || only === undefined || !isAvailable(seen, only)) unavailable++
    if (isUnclear || newPod !== undefined || oldPod === undefined) continue
    if (isAvailable(seen, oldPod)) candidates.push(oldPod)
    else broken.push(oldPod)
  }
  const room = Math.max(0, allowed - unavailable)
  return { create: [], end: [...broken, ...candidates.slice(0, room)], over: [] }
}

/** Makes new pods beside old ones, and ends old ones whose successor is available. */
function surgeStep(seen: Seen, onNodes: readonly OnNode[], allowed: number, desired: number): Changes {
  const running = new Set(
    seen.nodes.filter((node) => seen.fit(node).runs).map(({ metadata }) => metadata.name),
  )
  const end: Pod[] = []
  const leaving: Pod[] = []
  const create: string[] = []
  const candidates: string[] = []
  let surging = 0
  let available = 0
  for (const { name, newPod, oldPod, isUnclear } of onNodes) {
    if (isUnclear) {
      surging++
      continue
    }
    const first = oldPod ?? newPod
    const isUp = first !== undefined && isAvailable(seen, first)
    if (isUp) available++
    if (oldPod === undefined) continue
    if (newPod !== undefined) {
      if (isAvailable(seen, newPod)) end.push(oldPod)
      else surging++
    } else if (!running.has(name)) (isUp ? leaving : end).push(oldPod)
    else (isUp ? candidates : create).push(name)
  }
  // Those on nodes that the set is not for any more go as others become available elsewhere.
  end.push(...leaving.slice(0, Math.max(0, available - desired)))
  create.push(...candidates.slice(0, Math.max(0, allowed - surging)))
  return { create, end, over: [] }
}

/** `isObserved`: whether this generation was acted on, not only looked at. */
export function statusOf(seen: Seen, collisions: number, isObserved: boolean): DaemonSetStatus {
  const { set, nodes, pods, hash, fit } = seen
  let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0]
  for (const node of nodes) {
    const [first] = [...(pods.get(node.metadata.name ?? '') ?? [])].sort(byAge)
    if (!fit(node).runs) {
      if (first !== undefined) misscheduled++
      continue
    }
    desired++
    if (first === undefined) continue
    current++
    if (isPodReady(first)) ready++
    if (isAvailable(seen, first)) available++
    if (isUpdated(set, first, hash)) updated++
  }
  const { generation = 0 } = set.metadata
  return {
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired,
    numberReady: ready,
    observedGeneration: counted(isObserved ? generation : (set.status.observedGeneration ?? 0)),
    updatedNumberScheduled: counted(updated),
    numberAvailable: counted(available),
    numberUnavailable: counted(desired - available),
    ...(collisions > 0 ? { collisionCount: collisions } : {}),
    ...(set.status.conditions ? { conditions: set.status.conditions } : {}),
  }
}
