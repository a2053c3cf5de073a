// Pods that wait for a node: those whose turn it is, those that failed a moment ago, and those that cannot fit before
// something happens. Follows k8s.io/kubernetes/pkg/scheduler/backend/queue (scheduling_queue.go, nominator.go).
import type { Clock } from '../client/clock.ts'
import { Heap } from './heap.ts'
import { EXTENDER } from './extenders.ts'
import type { Pending } from './metrics.ts'
import { ATTEMPT_FAILED, BACKOFF_COMPLETE, eventLabel, FORCED, POD_ADD, WAITED_LONG } from './eventlabels.ts'
import type { ClusterEvent, Plugin } from './plugin.ts'
import type { PodInfo } from './podinfo.ts'
import { secondsSince } from './pointmetrics.ts'
import type { Profile } from './profile.ts'
import { QueueCounts } from './queuemetrics.ts'

export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}
/** As upstream. */
const BACKOFF: Backoff = { firstMs: 1000, maxMs: 10_000 }
/** Whoever waited this long is tried again without a reason: a hint may have been missed. */
const MAX_WAIT_MS = 300_000
const FLUSH_MS = 30_000

/** Named where the pod itself holds scheduling back. */
export const GATES = 'SchedulingGates'

export interface QueuedPod {
  info: PodInfo
  /** When it came to the active queue, counted in pods: many come within one ms. */
  turn: number
  attempts: number
  /** When it was taken first, and last, in ms of performance.now(); 0: never. */
  firstTakenAt: number
  lastTakenAt: number
  /** When it failed last. */
  failedAt: number
  rejectedBy: ReadonlySet<string>
  /** How many events there had been when it was taken. */
  takenAt: number
  place: 'active' | 'backoff' | 'waiting' | 'out'
  /**
   * Others are being told to make room for it, and it waits until all are; what happened meanwhile: nothing that helps,
   * something that may, or somebody went from the node where the room is made.
   */
  held: 'nothing' | 'helped' | 'due' | undefined
  /** It had waited so long that it was tried without a reason. */
  wasFlushed: boolean
}

export class SchedulingQueue {
  readonly #clock: Clock
  readonly #backoff: Backoff
  /** Rules by their names, by the names of schedulers. */
  readonly #rules: ReadonlyMap<string, ReadonlyMap<string, Plugin>>
  readonly #ungated: ReadonlySet<string>
  readonly #active = new Heap<QueuedPod>(
    (a, b) => a.info.priority > b.info.priority || (a.info.priority === b.info.priority && a.turn < b.turn),
  )
  readonly #pods = new Map<string, QueuedPod>()
  readonly #waiting = new Set<QueuedPod>()
  readonly #nominated = new Map<string, Map<string, PodInfo>>()
  readonly #nodeOf = new Map<string, string>()
  readonly counts = new QueueCounts()
  #turns = 0
  #events = 0
  #stopFlush: () => void = () => undefined
  /** Called when a pod's turn has come. */
  wake: () => void = () => undefined

  constructor(clock: Clock, profiles: readonly Profile[], backoff = BACKOFF) {
    this.#clock = clock
    this.#backoff = backoff
    this.#rules = new Map(
      profiles.map(({ schedulerName, filters, keepers }) => [
        schedulerName,
        new Map([...filters, ...keepers].map((plugin) => [plugin.name, plugin])),
      ]),
    )
    this.#ungated = new Set(
      profiles.flatMap(({ schedulerName, isGated }) => (isGated ? [] : [schedulerName])),
    )
  }

  get size(): number {
    return this.#pods.size
  }

  /** How many wait, and how. */
  pending(): Pending {
    const counts = { active: 0, backoff: 0, unschedulable: 0, gated: 0 }
    for (const pod of this.#pods.values()) {
      if (pod.place === 'waiting') counts[isGated(pod) ? 'gated' : 'unschedulable']++
      else if (pod.place !== 'out') counts[pod.place]++
    }
    return counts
  }

  /** What is counted, for Prometheus. */
  lines(): readonly string[] {
    const waiting = [...this.#pods.values()]
    return this.counts.lines(
      waiting.map(({ info, rejectedBy }) => [info.pod.spec.schedulerName ?? '', rejectedBy]),
    )
  }

  start(): void {
    this.#stopFlush = this.#clock.after(FLUSH_MS, () => {
      this.start()
      const now = this.#clock.now()
      for (const pod of [...this.#waiting])
        if (!isGated(pod) && !pod.held && now - pod.failedAt >= MAX_WAIT_MS) {
          pod.wasFlushed = true
          this.#promote(pod, WAITED_LONG)
        }
    })
  }

  stop(): void {
    this.#stopFlush()
  }

  /** A pod that was not there, or one that changed: its change may be what it waited for. */
  put(info: PodInfo): void {
    const known = this.#pods.get(info.uid)
    if (!known) {
      const fresh: QueuedPod = {
        info,
        turn: 0,
        attempts: 0,
        firstTakenAt: 0,
        lastTakenAt: 0,
        failedAt: 0,
        rejectedBy: new Set(),
        takenAt: 0,
        place: 'out',
        held: undefined,
        wasFlushed: false,
      }
      this.#pods.set(info.uid, fresh)
      if (info.pod.status.nominatedNodeName) this.nominate(info, info.pod.status.nominatedNodeName)
      this.#activate(fresh, POD_ADD)
      return
    }
    const before = known.info
    known.info = info
    if (known.place !== 'waiting') return
    const event = { kind: 'self', before } as const
    const label = eventLabel(event, info)
    if (isGated(known)) this.#promote(known, label)
    else this.#tell(known, event, { label, isTimed: true })
  }

  drop(uid: string): void {
    const known = this.#pods.get(uid)
    if (known) {
      known.place = 'out'
      this.#waiting.delete(known)
      this.#pods.delete(uid)
    }
    this.unnominate(uid)
  }

  /** The next pod, out of the queue until it is put back by `failed` or dropped. */
  next(): QueuedPod | undefined {
    for (let pod = this.#active.pop(); pod; pod = this.#active.pop()) {
      // Those that were dropped are still in the heap.
      if (pod.place !== 'active') continue
      pod.place = 'out'
      pod.takenAt = this.#events
      pod.attempts++
      pod.rejectedBy = NO_RULES
      pod.lastTakenAt = performance.now()
      pod.firstTakenAt ||= pod.lastTakenAt
      return pod
    }
    return undefined
  }

  /** It does not fit before something happens that these rules wait for; without any, it is tried again after a while. */
  failed(pod: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    if (this.#pods.get(pod.info.uid) !== pod) return
    pod.failedAt = this.#clock.now()
    pod.wasFlushed = false
    // What happened while it was looked at may have been what it waits for.
    if (rejectedBy.size > 0 && pod.takenAt === this.#events)
      return this.#wait(pod, rejectedBy, ATTEMPT_FAILED)
    pod.rejectedBy = rejectedBy
    this.#promote(pod, ATTEMPT_FAILED)
  }

  /** It does not fit, and others are about to be told to make room: it waits until `release`. */
  hold(pod: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    if (this.#pods.get(pod.info.uid) !== pod) return
    pod.failedAt = this.#clock.now()
    pod.held = 'nothing'
    pod.wasFlushed = false
    this.#wait(pod, rejectedBy, ATTEMPT_FAILED)
  }

  /** All have been told. */
  release(pod: QueuedPod): void {
    const { held } = pod
    pod.held = undefined
    if (pod.place !== 'waiting') return
    if (held === 'due') this.#hasten(pod, FORCED)
    else if (held === 'helped' || pod.rejectedBy.size === 0) this.#promote(pod, FORCED)
  }

  /** Something happened: those whom it may help are tried again. */
  moved(event: ClusterEvent): void {
    this.#events++
    const since = performance.now()
    const label = eventLabel(event)
    if (event.kind === 'pod-gone') {
      for (const { uid } of this.nominated(event.nodeName)) {
        const pod = this.#pods.get(uid)
        if (pod) this.#hasten(pod, label)
      }
    }
    // One of those who wait tells how long rules take; all of them would cost more than the rules.
    let isTimed = true
    for (const pod of [...this.#waiting]) {
      this.#tell(pod, event, { label, isTimed })
      isTimed = false
    }
    this.counts.handled(label, secondsSince(since))
  }

  /** The room that is made for it may be there: it does not wait until others would try again. */
  #hasten(pod: QueuedPod, label: string): void {
    if (pod.held) pod.held = 'due'
    else if (pod.place === 'waiting' || pod.place === 'backoff') {
      this.#waiting.delete(pod)
      this.#activate(pod, label)
    }
  }

  #tell(
    pod: QueuedPod,
    event: ClusterEvent,
    { label, isTimed }: { readonly label: string; readonly isTimed: boolean },
  ): void {
    const rules = this.#rules.get(pod.info.pod.spec.schedulerName ?? '')
    for (const name of pod.rejectedBy) {
      const since = isTimed ? performance.now() : 0
      const helps = name === EXTENDER || rules?.get(name)?.mayHelp?.(event, pod.info) === true
      if (isTimed) this.counts.hinted(name, label, helps, secondsSince(since))
      if (!helps) continue
      if (!pod.held) return this.#promote(pod, label)
      if (pod.held === 'nothing') pod.held = 'helped'
      return
    }
  }

  /** Others leave room for the pod on this node. */
  nominate(info: PodInfo, node: string): void {
    this.unnominate(info.uid)
    this.#nodeOf.set(info.uid, node)
    const there = this.#nominated.get(node) ?? new Map<string, PodInfo>()
    this.#nominated.set(node, there.set(info.uid, info))
  }

  unnominate(uid: string): void {
    const node = this.#nodeOf.get(uid)
    if (node === undefined) return
    this.#nodeOf.delete(uid)
    const there = this.#nominated.get(node)
    there?.delete(uid)
    if (there?.size === 0) this.#nominated.delete(node)
  }

  readonly nominated = (node: string): readonly PodInfo[] =>
    this.#nominated.size === 0 ? NOBODY : [...(this.#nominated.get(node)?.values() ?? NOBODY)]

  /** Who keeps the pod from being looked at. */
  #holderOf(info: PodInfo): string | undefined {
    const name = info.pod.spec.schedulerName ?? ''
    if (gated(info) && !this.#ungated.has(name)) return GATES
    for (const [rule, plugin] of this.#rules.get(name) ?? [])
      if (plugin.holdsBack?.(info) !== undefined) return rule
    return undefined
  }

  #wait(pod: QueuedPod, rejectedBy: ReadonlySet<string>, label: string): void {
    this.counts.incoming('unschedulable', label)
    pod.rejectedBy = rejectedBy
    pod.place = 'waiting'
    this.#waiting.add(pod)
  }

  #promote(pod: QueuedPod, label: string): void {
    this.#waiting.delete(pod)
    const backoff = Math.min(this.#backoff.firstMs * 2 ** (pod.attempts - 1), this.#backoff.maxMs)
    const left = pod.attempts === 0 ? 0 : pod.failedAt + backoff - this.#clock.now()
    if (left <= 0) return this.#activate(pod, label)
    pod.place = 'backoff'
    this.counts.incoming('backoff', label)
    this.#clock.after(left, () => {
      if (pod.place === 'backoff') this.#activate(pod, BACKOFF_COMPLETE)
    })
  }

  #activate(pod: QueuedPod, label: string): void {
    const holder = this.#holderOf(pod.info)
    if (holder !== undefined) return this.#wait(pod, new Set([holder]), label)
    pod.place = 'active'
    pod.turn = ++this.#turns
    this.counts.incoming('active', label)
    this.#active.push(pod)
    this.wake()
  }
}

const NO_RULES: ReadonlySet<string> = new Set()
const NOBODY: readonly PodInfo[] = []
const gated = ({ pod }: PodInfo): boolean => (pod.spec.schedulingGates?.length ?? 0) > 0
const isGated = ({ rejectedBy }: QueuedPod): boolean => rejectedBy.has(GATES)
