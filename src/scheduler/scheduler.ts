// The scheduler: takes the next pod, finds it a node, binds it in the background, and goes on with the next.
// Follows k8s.io/kubernetes/pkg/scheduler (scheduler.go, schedule_one.go).
import type { ControllerContext } from '../client/controller.ts'
import { PODS } from '../client/resources.ts'
import { ClusterView } from './clusterview.ts'
import type { SchedulerConfiguration } from './config/configuration.ts'
import type { ExtenderConfig } from './config/extenders.ts'
import type { CycleParts, Found } from './cycle.ts'
import { Decider } from './deciding.ts'
import { type Diagnosis, fitMessage, rejectedBy } from './diagnosis.ts'
import { Extender, type PostJson } from './extenders.ts'
import { informerSources } from './informersources.ts'
import { type AttemptResult, SchedulerMetrics } from './metrics.ts'
import type { NodeInfo } from './nodeinfo.ts'
import { dynamicResourcesMaker } from './plugins/dynamicresources.ts'
import type { DeviceSelectors } from './plugins/devices/selectors.ts'
import type { PodInfo } from './podinfo.ts'
import { CycleMeter, type PointStatus, secondsSince } from './pointmetrics.ts'
import type { Preemption } from './preemption.ts'
import { type Profile, profilesOf } from './profile.ts'
import { type QueuedPod, SchedulingQueue } from './queue.ts'
import { watchCluster } from './watching.ts'
import { bind, bindVolumes, evict, reportFailure, type Writing } from './writes.ts'

export interface SchedulerOptions {
  readonly configuration: SchedulerConfiguration
  /** How an extender is asked. */
  postTo(extender: ExtenderConfig): PostJson
  /** How expressions that select devices are evaluated. */
  readonly selectors: DeviceSelectors
}

/** Bindings under way at a time: enough to share commits; more would only wait in the server. */
const MAX_BINDING = 128
/** How long cycles run on end before others in the process have their turn. */
const SLICE_MS = 5

/** What one profile works with. */
interface Work {
  readonly profile: Profile
  readonly decider: Decider
  readonly meter: CycleMeter
  readonly writing: Writing
}

interface RoomMade {
  /** undefined: nobody is sent away by this profile. */
  readonly found: Preemption | undefined
  readonly tried: readonly string[]
}

export class Scheduler {
  readonly #context: ControllerContext
  readonly #cluster: ClusterView
  readonly #queue: SchedulingQueue
  readonly #works: ReadonlyMap<string, Work>
  readonly #extenders: readonly Extender[]
  /** Given a node, and not seen there yet. */
  readonly #assumed = new Set<string>()
  readonly #background = new Set<Promise<void>>()
  readonly metrics: SchedulerMetrics
  #writes = 0
  #isIdle = false
  #wake: () => void = () => undefined

  /** Throws Error for profiles that cannot work. */
  constructor(context: ControllerContext, options: SchedulerOptions) {
    this.#context = context
    const { api, clock, informers, recorder, log } = context
    const { configuration } = options
    const sources = informerSources(informers, (of, object, how) => {
      if (of === 'DeviceClass' && !options.selectors.isLoaded) this.#loadSelectors(options.selectors)
      this.#queue.moved({ kind: 'object', of, object, ...how })
    })
    this.#cluster = new ClusterView(sources)
    const others = new Map([['DynamicResources', dynamicResourcesMaker({ context, sources, ...options })]])
    const profiles = profilesOf(configuration, others)
    const { podInitialBackoffSeconds: first, podMaxBackoffSeconds: most } = configuration
    this.#queue = new SchedulingQueue(clock, profiles, { firstMs: first * 1000, maxMs: most * 1000 })
    this.#queue.wake = () => this.#wake()
    this.#extenders = configuration.extenders.map((one) => new Extender(one, options.postTo(one)))
    this.metrics = new SchedulerMetrics({
      pending: () => this.#queue.pending(),
      cacheSize: () => ({ ...this.#cluster.size, assumed_pods: this.#assumed.size }),
      queueLines: () => this.#queue.lines(),
    })
    const works = profiles.map((profile): Work => {
      const { schedulerName, bindTimeoutMs } = profile
      const { nominated } = this.#queue
      const meter = new CycleMeter(this.metrics.points, schedulerName)
      const parts: CycleParts = { cluster: this.#cluster, profile, nominated, meter, random: Math.random }
      const writing = {
        api,
        clock,
        recorder: recorder.as({ component: schedulerName }),
        sources,
        schedulerName,
        bindTimeoutMs,
      }
      return { profile, decider: new Decider(parts, this.#extenders, log), meter, writing }
    })
    this.#works = new Map(works.map((work) => [work.profile.schedulerName, work]))
    const schedulerNames = new Set(this.#works.keys())
    watchCluster(informers, {
      cluster: this.#cluster,
      queue: this.#queue,
      schedulerNames,
      assumed: this.#assumed,
    })
  }

  /** Works until the signal aborts and what is under way is done. The informers are the caller's to start. */
  async run(signal: AbortSignal): Promise<void> {
    this.#queue.start()
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    while (!signal.aborted) {
      const pending = this.#slice(signal)
      if (pending) await pending
      else await this.#pause(signal)
    }
    this.#queue.stop()
    await Promise.allSettled(this.#background)
  }

  /** Cycles for a while, or until there is nothing to do, or until others have to be asked about a pod. */
  #slice(signal: AbortSignal): Promise<void> | undefined {
    const end = performance.now() + SLICE_MS
    this.#isIdle = false
    while (!signal.aborted && this.#writes < MAX_BINDING && performance.now() < end) {
      const next = this.#queue.next()
      if (!next) {
        this.#isIdle = true
        return undefined
      }
      const pending = this.#scheduleOne(next, signal)
      if (pending) return pending
    }
    return undefined
  }

  #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      if (!this.#isIdle && this.#writes < MAX_BINDING) return void setImmediate(resolve)
      this.#wake = () => {
        this.#wake = () => undefined
        setImmediate(resolve)
      }
    })
  }

  /** There are devices: pods that claim some wait for what selects them. */
  #loadSelectors(selectors: DeviceSelectors): void {
    const loaded = { kind: 'object', of: 'DeviceClass', object: { metadata: {} }, isGone: false } as const
    this.#inBackground(
      selectors.load().then(() => this.#queue.moved(loaded)),
      false,
    )
  }

  #workOf({ pod }: PodInfo): Work {
    return this.#works.get(pod.spec.schedulerName ?? '') as Work
  }

  #scheduleOne(queued: QueuedPod, signal: AbortSignal): Promise<void> | undefined {
    const { info } = queued
    const { decider, writing } = this.#workOf(info)
    if (info.pod.metadata.deletionTimestamp !== undefined) {
      const reason = `skip schedule deleting pod: ${info.key}`
      writing.recorder.event({ resource: PODS, object: info.pod }, 'Warning', 'FailedScheduling', reason)
      return undefined
    }
    try {
      const found = decider.decide(info)
      if (!(found instanceof Promise)) return this.#settle(queued, found, signal)
      return found
        .then((late) => this.#settle(queued, late, signal))
        .catch((error: unknown) => this.#fail(queued, error))
    } catch (error) {
      this.#fail(queued, error)
      return undefined
    }
  }

  #settle(queued: QueuedPod, found: Found, signal: AbortSignal): Promise<void> | undefined {
    this.metrics.decided(secondsSince(queued.lastTakenAt))
    if ('node' in found) this.#assume(queued, found.node, signal)
    else return this.#reject(queued, found.diagnosis)
    return undefined
  }

  #assume(queued: QueuedPod, node: NodeInfo, signal: AbortSignal): void {
    const { info } = queued
    const { profile, meter } = this.#workOf(info)
    const { keepers } = profile
    this.#assumed.add(info.uid)
    this.#cluster.place(info, node.name)
    const undo = (error: unknown): void => {
      const since = performance.now()
      for (const keeper of keepers) keeper.unreserve?.(info)
      meter.point('Unreserve', 'Success', since)
      this.#assumed.delete(info.uid)
      this.#cluster.remove(info.uid)
      if (signal.aborted) return
      this.#fail(queued, error)
      // What it would have taken is free again.
      this.#queue.moved({ kind: 'pod-gone', pod: info, nodeName: node.name })
    }
    const since = performance.now()
    try {
      for (const keeper of keepers) keeper.reserve?.(info, node)
      meter.point('Reserve', 'Success', since)
    } catch (error) {
      meter.point('Reserve', 'Error', since)
      return undo(error)
    }
    this.#queue.unnominate(info.uid)
    // What waits for volumes or devices may wait for long, and keeps nobody else from being bound.
    const isQuick = (info.pod.spec.volumes?.length ?? 0) + (info.pod.spec.resourceClaims?.length ?? 0) === 0
    this.#inBackground(
      this.#bind(info, node, signal).then(() => this.#bound(queued), undo),
      isQuick,
    )
  }

  #bound(queued: QueuedPod): void {
    this.#queue.drop(queued.info.uid)
    if (queued.wasFlushed) this.#queue.counts.scheduledAfterFlush()
    this.#attempted(queued, 'scheduled')
    this.metrics.bound(queued.attempts, secondsSince(queued.firstTakenAt))
  }

  #attempted({ info, lastTakenAt }: QueuedPod, result: AttemptResult): void {
    this.metrics.attempted(info.pod.spec.schedulerName ?? '', result, secondsSince(lastTakenAt))
  }

  async #bind(info: PodInfo, node: NodeInfo, signal: AbortSignal): Promise<void> {
    const { profile, writing, meter } = this.#workOf(info)
    await measured(meter, 'PreBind', async () => {
      for (const { preBind } of profile.keepers) await preBind?.(info, node, signal)
      await bindVolumes(info, node, writing, signal)
    })
    const binder = this.#extenders.find((one) => one.binds && one.isInterested(info))
    await measured(meter, 'Bind', () => bind(info, node, writing, binder))
  }

  #inBackground(task: Promise<unknown>, isCounted = true): void {
    const { log } = this.#context
    if (isCounted) this.#writes++
    const done = task
      .then(() => undefined)
      .catch((error: unknown) => log.warn({ error: String(error) }, 'a write of the scheduler failed'))
      .finally(() => {
        this.#background.delete(done)
        if (!isCounted) return
        this.#writes--
        if (this.#writes < MAX_BINDING) this.#wake()
      })
    this.#background.add(done)
  }

  #reject(queued: QueuedPod, diagnosis: Diagnosis): Promise<void> | undefined {
    const { info } = queued
    const { profile, decider, meter } = this.#workOf(info)
    const since = performance.now()
    if (isBeforeMakers(diagnosis, profile)) {
      this.#refuse(queued, diagnosis, { found: undefined, tried: NOT_LOOKED })
      return undefined
    }
    const found = profile.preemption ? decider.preempt(info, diagnosis) : undefined
    const tried = profile.makers.flatMap(({ makeRoom }) => makeRoom?.(info) ?? [])
    const isAtOnce = (one: string | Promise<string>): one is string => typeof one === 'string'
    if (!(found instanceof Promise) && tried.every(isAtOnce)) {
      meter.point('PostFilter', found && 'candidate' in found ? 'Success' : 'Unschedulable', since)
      this.#refuse(queued, diagnosis, { found, tried })
      return undefined
    }
    const later = async (): Promise<void> =>
      this.#refuse(queued, diagnosis, { tried: await Promise.all(tried), found: await found })
    return later()
  }

  #refuse(queued: QueuedPod, diagnosis: Diagnosis, { found, tried }: RoomMade): void {
    const { info } = queued
    const { writing } = this.#workOf(info)
    const reason = 'Unschedulable'
    this.#attempted(queued, 'unschedulable')
    if (found) this.metrics.preempted('candidate' in found ? found.candidate.victims.length : 0)
    if (found && 'candidate' in found) {
      const { node, victims } = found.candidate
      this.#queue.nominate(info, node.name)
      this.#queue.hold(queued, rejectedBy(diagnosis))
      const failure = { reason, message: fitMessage(diagnosis), nominatedNode: node.name } as const
      const since = performance.now()
      const told = (isGood: boolean) => (): void => this.metrics.evicted(isGood, secondsSince(since))
      const evicting = reportFailure(info, failure, writing).then(() =>
        Promise.all(victims.map((victim) => evict(victim, info, node, writing))),
      )
      evicting.then(told(true), told(false))
      this.#inBackground(evicting.finally(() => this.#queue.release(queued)))
      return
    }
    const keepsPlace = found?.message.startsWith('not eligible due to a terminating pod') ?? false
    if (!keepsPlace) this.#queue.unnominate(info.uid)
    this.#queue.failed(queued, rejectedBy(diagnosis))
    const message = fitMessage(diagnosis, found ? [...tried, `preemption: ${found.message}`] : tried)
    const isNominated = info.pod.status.nominatedNodeName !== undefined && !keepsPlace
    const failure = { reason, message, ...(isNominated ? { nominatedNode: '' } : {}) } as const
    this.#inBackground(reportFailure(info, failure, writing))
  }

  /** Something went wrong that is no fault of the cluster's: again, after a while. */
  #fail(queued: QueuedPod, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#context.log.warn({ pod: queued.info.key, error: message }, 'could not schedule')
    this.#attempted(queued, 'error')
    this.#queue.failed(queued, new Set())
    const { writing } = this.#workOf(queued.info)
    this.#inBackground(reportFailure(queued.info, { reason: 'SchedulerError', message }, writing))
  }
}

async function measured(meter: CycleMeter, point: string, step: () => Promise<void>): Promise<void> {
  const since = performance.now()
  let status: PointStatus = 'Error'
  try {
    await step()
    status = 'Success'
  } finally {
    meter.point(point, status, since)
  }
}

/** What upstream's rule that could free something says of a pod that it never came to look at; nobody is sent away then. */
const NOT_LOOKED: readonly string[] = ['not found']

/** Whether a rule for which no node will do comes before one that could free something. */
function isBeforeMakers({ overall }: Diagnosis, { filters, makers }: Profile): boolean {
  if (!overall) return false
  const orderOf = (name: string): number => filters.findIndex((one) => one.name === name)
  const at = orderOf(overall.plugin)
  return at >= 0 && makers.some(({ name }) => at < orderOf(name))
}
