// The scheduler: takes the next pod, finds it a node, binds it in the background, and goes on with the next.
// Follows k8s.io/kubernetes/pkg/scheduler (scheduler.go, schedule_one.go, eventhandlers.go).
import type { ControllerContext } from '../client/controller.ts'
import type { Node, Pod } from '../client/kinds/core.v1.gen.ts'
import { NODES, PODS } from '../client/resources.ts'
import { ClusterView } from './clusterview.ts'
import { Cycle, type CycleParts } from './cycle.ts'
import { type Diagnosis, fitMessage, rejectedBy } from './diagnosis.ts'
import { informerSources } from './informersources.ts'
import type { NodeInfo } from './nodeinfo.ts'
import type { Plugin } from './plugin.ts'
import { type PodInfo, podInfo } from './podinfo.ts'
import { preempt } from './preemption.ts'
import { DEFAULT_PLUGINS } from './profile.ts'
import { type QueuedPod, SchedulingQueue } from './queue.ts'
import { bind, evict, reportFailure, type Writing } from './writes.ts'

export interface SchedulerOptions {
  /** Pods that name this scheduler are ours. */
  readonly schedulerName: string
  /** How large a part of the nodes is compared; 0: as upstream, the smaller the more there are. */
  readonly percentageOfNodesToScore: number
  readonly plugins?: readonly Plugin[]
}

export const SCHEDULER_DEFAULTS: SchedulerOptions = {
  schedulerName: 'default-scheduler',
  percentageOfNodesToScore: 0,
}

/** Bindings under way at a time; more would wait in the server. */
const MAX_BINDING = 256
/** How long cycles run on end before others in the process have their turn. */
const SLICE_MS = 5

export class Scheduler {
  readonly #context: ControllerContext
  readonly #options: SchedulerOptions
  readonly #cluster: ClusterView
  readonly #queue: SchedulingQueue
  readonly #parts: CycleParts
  readonly #cycle: Cycle
  readonly #writing: Writing
  /** Given a node, and not seen there yet. */
  readonly #assumed = new Set<string>()
  readonly #binding = new Set<Promise<void>>()
  #wake: () => void = () => undefined
  #volumesChanged = false

  constructor(context: ControllerContext, options: SchedulerOptions = SCHEDULER_DEFAULTS) {
    this.#context = context
    this.#options = options
    const plugins = options.plugins ?? DEFAULT_PLUGINS
    const { api, clock, informers, recorder } = context
    this.#queue = new SchedulingQueue(clock, plugins)
    this.#queue.wake = () => this.#wake()
    const sources = informerSources(informers, () => this.#hearOfVolumes())
    this.#cluster = new ClusterView(sources)
    this.#parts = {
      cluster: this.#cluster,
      plugins,
      nominated: this.#queue.nominated,
      percentage: options.percentageOfNodesToScore,
      random: Math.random,
    }
    this.#cycle = new Cycle(this.#parts)
    this.#writing = { api, clock, recorder, sources, schedulerName: options.schedulerName }
    this.#listen()
  }

  /** Works until the signal aborts and what is under way is done. The informers are the caller's to start. */
  async run(signal: AbortSignal): Promise<void> {
    this.#queue.start()
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    while (!signal.aborted) {
      this.#slice(signal)
      if (this.#binding.size >= MAX_BINDING) await Promise.race(this.#binding)
      else await this.#pause(signal)
    }
    this.#queue.stop()
    await Promise.allSettled(this.#binding)
  }

  #isIdle = false

  /** Cycles for a while, or until there is nothing to do. */
  #slice(signal: AbortSignal): void {
    const end = performance.now() + SLICE_MS
    this.#isIdle = false
    while (!signal.aborted && this.#binding.size < MAX_BINDING && performance.now() < end) {
      const next = this.#queue.next()
      if (!next) {
        this.#isIdle = true
        return
      }
      this.#scheduleOne(next, signal)
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      if (!this.#isIdle) return void setImmediate(resolve)
      this.#wake = () => {
        this.#wake = () => undefined
        setImmediate(resolve)
      }
    })
  }

  #scheduleOne(queued: QueuedPod, signal: AbortSignal): void {
    const { info } = queued
    if (info.pod.metadata.deletionTimestamp !== undefined) {
      const reason = `skip schedule deleting pod: ${info.key}`
      this.#context.recorder.event(
        { resource: PODS, object: info.pod },
        'Warning',
        'FailedScheduling',
        reason,
      )
      return
    }
    try {
      const found = this.#cycle.run(info)
      if ('node' in found) this.#assume(queued, found.node, signal)
      else this.#reject(queued, found.diagnosis)
    } catch (error) {
      this.#fail(queued, error)
    }
  }

  #assume(queued: QueuedPod, node: NodeInfo, signal: AbortSignal): void {
    const { info } = queued
    this.#assumed.add(info.uid)
    this.#cluster.place(info, node.name)
    this.#queue.unnominate(info.uid)
    this.#inBackground(
      bind(info, node, this.#writing, signal).then(
        () => this.#queue.drop(info.uid),
        (error: unknown) => {
          this.#assumed.delete(info.uid)
          this.#cluster.remove(info.uid)
          if (!signal.aborted) this.#fail(queued, error)
        },
      ),
    )
  }

  #inBackground(task: Promise<void>): void {
    const { log } = this.#context
    const done = task
      .catch((error: unknown) => log.warn({ error: String(error) }, 'a write of the scheduler failed'))
      .finally(() => this.#binding.delete(done))
    this.#binding.add(done)
  }

  #reject(queued: QueuedPod, diagnosis: Diagnosis): void {
    const { info } = queued
    const found = preempt(info, diagnosis, this.#parts)
    if ('candidate' in found) {
      const { node, victims } = found.candidate
      this.#queue.nominate(info, node.name)
      this.#queue.failed(queued, rejectedBy(diagnosis))
      const failure = {
        reason: 'Unschedulable',
        message: fitMessage(diagnosis),
        nominatedNode: node.name,
      } as const
      this.#inBackground(
        reportFailure(info, failure, this.#writing).then(() =>
          Promise.all(victims.map((victim) => evict(victim, info, node, this.#writing))).then(
            () => undefined,
          ),
        ),
      )
      return
    }
    const keepsPlace = found.message.startsWith('not eligible due to a terminating pod')
    if (!keepsPlace) this.#queue.unnominate(info.uid)
    this.#queue.failed(queued, rejectedBy(diagnosis))
    const message = fitMessage(diagnosis, found.message)
    const isNominated = info.pod.status.nominatedNodeName !== undefined && !keepsPlace
    const failure = {
      reason: 'Unschedulable',
      message,
      ...(isNominated ? { nominatedNode: '' } : {}),
    } as const
    this.#inBackground(reportFailure(info, failure, this.#writing))
  }

  /** Something went wrong that is no fault of the cluster's: again, after a while. */
  #fail(queued: QueuedPod, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#context.log.warn({ pod: queued.info.key, error: message }, 'could not schedule')
    this.#queue.failed(queued, new Set())
    this.#inBackground(reportFailure(queued.info, { reason: 'SchedulerError', message }, this.#writing))
  }

  #listen(): void {
    const { informers } = this.#context
    informers.of(NODES).handle({
      added: (node) => this.#nodeChanged(node),
      updated: (node, before) => this.#nodeChanged(node, before),
      deleted: ({ metadata: { name = '' } }) => this.#cluster.removeNode(name),
    })
    informers.of(PODS).handle({
      added: (pod) => this.#podChanged(pod),
      updated: (pod, before) => this.#podChanged(pod, before),
      deleted: (pod) => this.#podGone(pod),
    })
  }

  #nodeChanged(node: Node, before?: Node): void {
    // Heartbeats change nothing that decisions read.
    if (before && !isNodeChanged(node, before)) return
    this.#cluster.setNode(node)
    this.#queue.moved({ kind: 'node', node, ...(before ? { before } : {}) })
  }

  #podChanged(pod: Pod, before?: Pod): void {
    const { uid = '' } = pod.metadata
    const { nodeName } = pod.spec
    if (isOver(pod)) return this.#podGone(pod)
    if (!nodeName) {
      if (pod.spec.schedulerName !== this.#options.schedulerName || this.#assumed.has(uid)) return
      if (
        before &&
        !isPodChanged(pod, before) &&
        pod.status.nominatedNodeName === before.status.nominatedNodeName
      )
        return
      return this.#queue.put(podInfo(pod))
    }
    const wasAssumed = this.#assumed.delete(uid)
    if (before?.spec.nodeName && !isPodChanged(pod, before)) return
    const info = podInfo(pod)
    this.#cluster.place(info, nodeName)
    if (before?.spec.nodeName) return
    this.#queue.drop(uid)
    // What this scheduler did itself has been counted since it was decided.
    if (!wasAssumed || this.#queue.size > 0) this.#queue.moved({ kind: 'pod-here', pod: info })
  }

  #podGone(pod: Pod): void {
    const { uid = '' } = pod.metadata
    const node = this.#cluster.placeOf(uid)
    this.#assumed.delete(uid)
    this.#queue.drop(uid)
    this.#cluster.remove(uid)
    if (node !== undefined) this.#queue.moved({ kind: 'pod-gone', pod: podInfo(pod), nodeName: node })
  }

  /** Many volumes change at once: those who wait for them are looked through once. */
  #hearOfVolumes(): void {
    if (this.#volumesChanged) return
    this.#volumesChanged = true
    setImmediate(() => {
      this.#volumesChanged = false
      this.#queue.moved({ kind: 'volumes' })
    })
  }
}

const isOver = ({ status: { phase } }: Pod): boolean => phase === 'Succeeded' || phase === 'Failed'

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** Specs change with their generation; labels and the mark of deletion without. */
const isPodChanged = ({ metadata: a }: PodLike, { metadata: b }: PodLike): boolean =>
  a.generation !== b.generation || a.deletionTimestamp !== b.deletionTimestamp || !same(a.labels, b.labels)

type PodLike = Pick<PodInfo['pod'], 'metadata'>

const isNodeChanged = (a: Node, b: Node): boolean =>
  !same(a.spec, b.spec) ||
  !same(a.metadata.labels, b.metadata.labels) ||
  !same(a.status.allocatable, b.status.allocatable) ||
  !same(a.status.images, b.status.images)
