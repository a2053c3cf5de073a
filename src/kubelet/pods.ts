// The pods of one process's simulated nodes: what happens to them, written to the API server.
// Follows k8s.io/kubernetes/pkg/kubelet/pod_workers.go and status/status_manager.go.
import { type Api, isConflict, isNotFound } from '../client/api.ts'
import type { Clock } from '../client/clock.ts'
import type { Pod, PodStatus } from '../client/kinds/core.v1.gen.ts'
import { PODS } from '../client/resources.ts'
import { claimKeysOf } from '../client/volumes.ts'
import { admit, type Failure } from './admit.ts'
import { claimsOf } from './claims.ts'
import { advance } from './lifecycle.ts'
import type { SimulatedNode } from './node.ts'
import { mayBeKept, type Obstacles, obstaclesOf } from './obstacles.ts'
import { podStatus } from './podstatus.ts'
import { type PodEvent, type PodRecord, recordOf } from './record.ts'
import { grantedPod, RESIZE_RETRY_MS, resize, settle } from './resizing.ts'
import { Deferred } from './deferred.ts'

/** How soon a node that has no range for its pods yet is looked at again. */
const RANGE_RETRY_MS = 1000

/** How soon what keeps a pod's containers is looked at again: twice as long each time. */
const KEPT_RETRY_MS = 500
const MAX_KEPT_RETRY_MS = 16_000

interface Known {
  readonly record: PodRecord
  /** The status as it was written last, as JSON. */
  written: string
  /** The pod's version that this made. */
  version: string
  isDeleted: boolean
  /** Something may keep its containers from being made; how long until it is looked for again, should it be there. */
  keptMs: number | undefined
  lookAt: number
}

type Follower = (isGone: boolean) => void

/** What a pod needs next: to be looked at again after this many ms; Infinity: when it changes. */
export type WakeAfter = number

export class SimulatedPods {
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()
  /** Who follows a pod, by its uid. */
  readonly #followers = new Map<string, Set<Follower>>()

  /** Pods whose resize waits for room. */
  readonly #deferred: Deferred

  /** `wake`: brings the pod of this key up to now, soon. */
  constructor(clock: Clock, wake: (key: string) => void) {
    this.#clock = clock
    this.#deferred = new Deferred(wake)
  }

  /** Brings the pod up to now. Rejects where a write fails: call again later. */
  async sync(pod: Pod, node: SimulatedNode): Promise<WakeAfter> {
    const known = this.#known.get(pod.metadata.uid ?? '') ?? (await this.#takeIn(pod, node))
    if (!known) return RANGE_RETRY_MS
    if (known.isDeleted) return Infinity
    const isLookedAt = known.keptMs !== undefined && pod.metadata.deletionTimestamp === undefined
    const keptFor = isLookedAt ? await this.#look(pod, node, known) : Infinity
    const now = this.#clock.now()
    const { record } = known
    this.#resize(pod, record, node)
    const { events, wakeAt, isOver } = advance(pod, record, now)
    for (const event of [...events, ...settle(pod, record, now)]) tell(pod, node, event)
    if (isOver || isTerminal(pod)) this.#leave(pod, node)
    this.#notify(pod, false)
    const status = podStatus(pod, record, { ip: node.specimen.address }, now)
    if (!(await this.#write(pod, status, { node, known }))) return Infinity
    if (isOver && pod.metadata.deletionTimestamp !== undefined) await this.#remove(pod, node.api, known)
    const resizeFor = record.resizing?.pending ? RESIZE_RETRY_MS : Infinity
    const next = Math.min(wakeAt, now + keptFor, now + resizeFor)
    return next === Infinity ? Infinity : Math.max(0, next - this.#clock.now())
  }

  /** The pod is gone. */
  forget(pod: Pod, node: SimulatedNode | undefined): void {
    const { uid = '' } = pod.metadata
    this.#notify(pod, true)
    this.#known.delete(uid)
    node?.addresses?.giveBack(uid)
    if (node) this.#leave(pod, node)
  }

  /** What kept the pod may be over: it is looked at again with the next step, whenever that would have been. */
  hurry({ metadata: { uid = '' } }: Pod): void {
    const known = this.#known.get(uid)
    if (known?.keptMs !== undefined) Object.assign(known, { lookAt: 0, keptMs: KEPT_RETRY_MS })
  }

  /** What is remembered of the pod; undefined before it has come to its node. */
  record({ metadata: { uid = '' } }: Pod): PodRecord | undefined {
    return this.#known.get(uid)?.record
  }

  /** Calls back after each step of the pod's life, and when it is gone; the function that is returned ends that. */
  follow({ metadata: { uid = '' } }: Pod, follower: Follower): () => void {
    const followers = this.#followers.get(uid) ?? new Set()
    this.#followers.set(uid, followers.add(follower))
    return () => {
      followers.delete(follower)
      if (followers.size === 0 && this.#followers.get(uid) === followers) this.#followers.delete(uid)
    }
  }

  /** Others may have got what they wait for when this one gave something back. */
  #resize(pod: Pod, record: PodRecord, node: SimulatedNode): void {
    if (isTerminal(pod)) return
    const place = { room: node.room, allocatable: node.node?.status.allocatable ?? {} }
    const events = resize(pod, record, place, this.#clock.now())
    for (const event of events) tell(pod, node, event)
    const { pending } = record.resizing ?? {}
    if (pending) this.#deferred.add(node.name, { pod, since: pending.since })
    else {
      this.#deferred.delete(node.name, pod)
      if (events.length > 0) this.#deferred.retry(node.name)
    }
  }

  #leave(pod: Pod, node: SimulatedNode): void {
    this.#deferred.delete(node.name, pod)
    if (leave(pod, node)) this.#deferred.retry(node.name)
  }

  #notify({ metadata: { uid = '' } }: Pod, isGone: boolean): void {
    for (const follower of [...(this.#followers.get(uid) ?? [])]) follower(isGone)
  }

  /** The pod has come to the node, or was there before the node started; undefined where there is no address for it. */
  async #takeIn(pod: Pod, node: SimulatedNode): Promise<Known | undefined> {
    const { uid = '' } = pod.metadata
    const { podIP, startTime } = pod.status
    const { addresses } = node
    if (podIP !== undefined && !pod.spec.hostNetwork) addresses?.keep(uid, podIP)
    const ip = pod.spec.hostNetwork ? node.specimen.address : addresses?.take(uid)
    if (ip === undefined) return undefined
    const record = recordOf(pod, ip, this.#clock.now(), node.files)
    const mayWait = hasBegun(record) ? claimKeysOf(pod).length > 0 : mayBeKept(pod)
    const keptMs = mayWait ? KEPT_RETRY_MS : undefined
    const fresh: Known = { record, written: '', version: '', isDeleted: false, keptMs, lookAt: 0 }
    this.#known.set(uid, fresh)
    if (isTerminal(pod)) return fresh
    if (startTime === undefined) record.failure = await admitted(pod, node)
    else {
      node.room.keep(grantedPod(pod, record))
      node.ports.take(pod)
    }
    return fresh
  }

  /** Looks for what keeps the containers from being made; returns after how many ms to do so again. */
  async #look(pod: Pod, node: SimulatedNode, known: Known): Promise<number> {
    const { record, keptMs = KEPT_RETRY_MS } = known
    const now = this.#clock.now()
    if (now < known.lookAt) return known.lookAt - now
    const isMounted = await this.#mount(pod, node, record)
    const { volumes, containers } = hasBegun(record) ? NO_OBSTACLES : await obstaclesOf(pod, node.api)
    for (const [name, why] of volumes) {
      const message = `MountVolume.SetUp failed for volume ${JSON.stringify(name)} : ${why}`
      tell(pod, node, { type: 'Warning', reason: 'FailedMount', message })
    }
    record.isUnmounted = !isMounted || volumes.size > 0
    record.faults = containers
    const isKept = record.isUnmounted || containers.size > 0
    known.keptMs = isKept ? Math.min(2 * keptMs, MAX_KEPT_RETRY_MS) : undefined
    known.lookAt = now + keptMs
    return isKept ? keptMs : Infinity
  }

  /** Whether the volumes of its claims are there, and attached. From now on the node says that it uses them. */
  async #mount(pod: Pod, node: SimulatedNode, record: PodRecord): Promise<boolean> {
    if (claimKeysOf(pod).length === 0) return true
    const { attachable, faults } = await claimsOf(pod, node.api)
    node.volumes.take(record.uid, attachable.values())
    await node.reportVolumes()
    if (hasBegun(record)) return true
    if (faults.size > 0) {
      const lists = `unmounted volumes=[${[...faults.keys()].join(' ')}], unattached volumes=[]`
      const why = `${lists}, failed to process volumes=[${[...faults.keys()].join(' ')}]: ${[...faults.values()].join('; ')}`
      const message = `Unable to attach or mount volumes: ${why}`
      tell(pod, node, { type: 'Warning', reason: 'FailedMount', message })
    }
    return faults.size === 0 && node.hasAttached(attachable.values())
  }

  /** Whether the pod is still there. */
  async #write(pod: Pod, status: PodStatus, to: { node: SimulatedNode; known: Known }): Promise<boolean> {
    const text = JSON.stringify(status)
    if (isTerminal(pod) || (text === to.known.written && !isOverwritten(pod, status, to.known.version)))
      return true
    const { namespace, name = '', uid = '' } = pod.metadata
    const body = { metadata: { uid }, status } as never
    try {
      const place = { namespace, name, subresource: 'status' }
      const { metadata } = await to.node.api.patch(PODS, place, body, { type: 'strategic' })
      to.known.version = metadata.resourceVersion ?? ''
    } catch (error) {
      // Another pod may have taken its name.
      if (isNotFound(error) || isConflict(error)) return false
      throw error
    }
    to.known.written = text
    return true
  }

  async #remove(pod: Pod, api: Api, known: Known): Promise<void> {
    const { namespace, name = '', uid } = pod.metadata
    try {
      await api.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
    known.isDeleted = true
  }
}

/** Why the node does not take the pod. Labels may have changed that it has not heard of yet. */
async function admitted(pod: Pod, node: SimulatedNode): Promise<Failure | undefined> {
  const failure = admit(pod, node)
  if (failure?.reason !== 'NodeAffinity') return failure
  return admit(pod, { ports: node.ports, room: node.room, node: await node.latest() })
}

/** What the pod held is free. Whether there is more room now. */
function leave({ metadata: { uid = '' } }: Pod, node: SimulatedNode): boolean {
  node.ports.giveBack(uid)
  // What fails comes again with the node's next heartbeat.
  if (node.volumes.giveBack(uid)) node.reportVolumes().catch(() => undefined)
  return node.room.giveBack(uid)
}

/** A container of it runs, or has run. */
const hasBegun = ({ containers }: PodRecord): boolean =>
  containers.some(({ phase, last }) => phase !== 'waiting' || last !== undefined)

const NO_OBSTACLES: Obstacles = { volumes: new Map(), containers: new Map() }

/** What is over stays as it is. */
const isTerminal = ({ status: { phase } }: Pod): boolean => phase === 'Succeeded' || phase === 'Failed'

/** Others have said something else of it since, as of pods whose node was silent. */
function isOverwritten({ metadata, status: now }: Pod, status: PodStatus, version: string): boolean {
  const { resourceVersion = '' } = metadata
  const isNewer =
    resourceVersion.length > version.length ||
    (resourceVersion.length === version.length && resourceVersion > version)
  if (!isNewer) return false
  const statusOf = (type: string): string | undefined =>
    now.conditions?.find((known) => known.type === type)?.status
  return status.conditions?.some(({ type, status: wanted }) => wanted && statusOf(type) !== wanted) === true
}

/** Where in the spec each is. */
const LISTS = {
  init: 'initContainers',
  sidecar: 'initContainers',
  app: 'containers',
  ephemeral: 'ephemeralContainers',
} as const

function tell(pod: Pod, { recorder }: SimulatedNode, { type, reason, message, container }: PodEvent): void {
  const list = LISTS[container?.role ?? 'app']
  const fieldPath = container ? { fieldPath: `spec.${list}{${container.container.name}}` } : {}
  recorder.event({ resource: PODS, object: pod, ...fieldPath }, type, reason, message)
}
