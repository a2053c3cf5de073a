// Priority and fairness: each request is given a level by its flow schema, and goes on when the level has seats for it.
// Stands between impersonation and authorization. What levels and schemas there are is handed in whenever it changes.
// Follows k8s.io/apiserver/pkg/util/flowcontrol (apf_controller.go, apf_filter.go) and pkg/server/filters.
import type { RequestInfo } from '../machinery/attributes.ts'
import type { KubeObject } from '../machinery/object.ts'
import { mandatoryLevels, mandatorySchemas } from './bootstrap.ts'
import { Classifier } from './classifier.ts'
import type { Clock } from './clock.ts'
import { type Estimator, estimateWork } from './estimate.ts'
import { Flow, FlowPass } from './flow.ts'
import type { Arrival, Gate, Pass } from './gate.ts'
import { Levels, type LevelState } from './levels.ts'
import { FlowMeter, KindMeters, kindOf } from './meters.ts'
import { CATCH_ALL, EXEMPT, levelSpecOf, type SchemaSpec, schemaSpecOf } from './spec.ts'
import { WatchTracker } from './watches.ts'

/** How often seats are divided anew. */
const ADJUST_MS = 10_000
/** How long watches wait, and anything at most. */
const WATCH_WAIT_MS = 15_000
const MAX_WAIT_MS = 60_000
/** Of the time that a request may take, so much may be waiting. */
const WAIT_SHARE = 1 / 4
/** Counters of schemas that come and go are forgotten together beyond this. */
const MAX_METERS = 2000

export interface FairnessFacts {
  /** Seats of the server: the sum of upstream's --max-requests-inflight and --max-mutating-requests-inflight. */
  readonly seats: number
  readonly statsOf: Estimator['statsOf']
  readonly clock: Clock
}

export class Fairness implements Gate {
  readonly kinds: KindMeters
  readonly #clock: Clock
  readonly #estimator: Estimator
  readonly #levels: Levels
  readonly #meters = new Map<string, FlowMeter>()
  #classifier: Classifier<Flow>
  #digested: readonly [readonly KubeObject[], readonly KubeObject[]] = [[], []]
  #stopTimer: (() => void) | undefined
  /** Of the request whose work is being estimated. */
  #estimated: FlowMeter | undefined

  constructor({ seats, statsOf, clock }: FairnessFacts) {
    this.#clock = clock
    this.kinds = new KindMeters(clock.now())
    this.#estimator = { statsOf, watches: new WatchTracker() }
    this.#levels = new Levels(
      seats,
      mandatoryLevels().flatMap((object) => levelSpecOf(object) ?? []),
    )
    this.#classifier = this.#digest([], [])
  }

  /** For whoever looks inside. */
  get levels(): Levels {
    return this.#levels
  }

  get meters(): Iterable<FlowMeter> {
    return this.#meters.values()
  }

  get now(): number {
    return this.#clock.now()
  }

  /** These are the objects now; takes effect at once. */
  digest(levels: readonly KubeObject[], schemas: readonly KubeObject[]): void {
    this.#digested = [levels, schemas]
    this.#classifier = this.#digest(levels, schemas)
  }

  #digest(levels: readonly KubeObject[], schemas: readonly KubeObject[]): Classifier<Flow> {
    const now = this.#clock.now()
    const specs = levels.flatMap((object) => levelSpecOf(object) ?? [])
    const usable = new Set([...specs.map(({ name }) => name), EXEMPT, CATCH_ALL])
    this.#levels.digest(specs, now)
    const { seats, places } = this.#levels.totals()
    for (const kind of ['readOnly', 'mutating'] as const) {
      this.kinds.executing[kind].shares.setLimit(Math.max(1, seats), now)
      this.kinds.waiting[kind].shares.setLimit(Math.max(1, places), now)
    }
    const flows = schemas
      .map(schemaSpecOf)
      .filter(({ level }) => usable.has(level))
      .map((schema) => this.#flowOf(schema))
    for (const schema of mandatorySchemas().map(schemaSpecOf))
      if (!flows.some((flow) => flow.schema.name === schema.name)) flows.push(this.#flowOf(schema))
    return new Classifier(flows, flows.find(({ schema }) => schema.name === CATCH_ALL) as Flow)
  }

  #flowOf(schema: SchemaSpec): Flow {
    const key = `${schema.level} ${schema.name}`
    let meter = this.#meters.get(key)
    if (!meter) {
      if (this.#meters.size >= MAX_METERS) this.#meters.clear()
      this.#meters.set(key, (meter = new FlowMeter(schema.level, schema.name)))
    }
    return new Flow(schema, this.#levels.get(schema.level) as LevelState, meter)
  }

  /** Divides the seats anew every ten seconds, until it is stopped. */
  start(): void {
    this.#stopTimer = this.#clock.after(ADJUST_MS, () => {
      this.#levels.adjust(this.#clock.now())
      this.start()
    })
  }

  stop(): void {
    this.#stopTimer?.()
  }

  enter(arrival: Arrival): Pass | Promise<Pass> {
    const { info, user } = arrival
    const flow = this.#classifier.flowOf(info, user)
    const { level, meter } = flow
    this.#estimated = meter
    const estimate = estimateWork(this.#estimator, arrival, level.maxSeats, this.#noteWatches)
    const pass = new FlowPass(flow, arrival, estimate, this.#left)
    meter.seats.observe(pass.seats)
    const now = this.#clock.now()
    level.queues.start(pass, flow.hand(pass.distinguisher), now)
    if (pass.phase === 'executing') return this.#begin(pass)
    if (pass.phase === 'waiting') return this.#wait(pass, arrival, now)
    if (!level.spec.isExempt) meter.waitedInVain.observe(0)
    return this.#refuse(pass)
  }

  watching(info: RequestInfo, query: URLSearchParams): () => void {
    return this.#estimator.watches.register(info, query.get('fieldSelector'))
  }

  readonly #noteWatches = (count: number): void => this.#estimated?.watches.observe(count)

  #begin(pass: FlowPass): FlowPass {
    const { meter, startedAt, flow } = pass
    meter.dispatched++
    flow.level.queues.dispatched++
    if (!flow.level.spec.isExempt) meter.waited.observe((startedAt - pass.arrivedAt) / 1000)
    this.kinds.executing[kindOf(pass.info.verb)].add(1, startedAt)
    return pass
  }

  #wait(pass: FlowPass, { allottedMs, onGone }: Arrival, now: number): Promise<FlowPass> {
    const waiting = this.kinds.waiting[kindOf(pass.info.verb)]
    const patience = allottedMs > 0 ? Math.min(allottedMs * WAIT_SHARE, MAX_WAIT_MS) : WATCH_WAIT_MS
    waiting.add(1, now)
    return new Promise((resolve) => {
      const giveUp = (): void => {
        const at = this.#clock.now()
        if (!pass.flow.level.queues.cancel(pass, at)) return
        stopTimer()
        waiting.add(-1, at)
        pass.meter.waitedInVain.observe((at - pass.arrivedAt) / 1000)
        this.#reap(pass.flow.level)
        resolve(this.#refuse(pass))
      }
      const stopTimer = this.#clock.after(patience, giveUp)
      pass.dispatched = () => {
        stopTimer()
        waiting.add(-1, pass.startedAt)
        resolve(this.#begin(pass))
      }
      onGone(giveUp)
    })
  }

  #refuse(pass: FlowPass): FlowPass {
    const { dropped } = pass.flow.level
    dropped.record(Math.floor(this.#clock.now() / 1000))
    pass.retryAfter = dropped.retryAfter
    return pass
  }

  readonly #left = (pass: FlowPass): void => {
    const now = this.#clock.now()
    const { level } = pass.flow
    const { verb } = pass.info
    level.queues.finish(pass, now)
    this.kinds.executing[kindOf(verb)].add(-1, now)
    const times = verb === 'watch' ? pass.meter.initialized : pass.meter.executed
    times.observe((now - pass.startedAt) / 1000)
    if (pass.additionalMs > 0) {
      this.#clock.after(pass.additionalMs, () => {
        level.queues.release(pass, this.#clock.now())
        this.#reap(level)
      })
    }
    this.#reap(level)
  }

  /** A level that nobody wants goes with its last request. */
  #reap(level: LevelState): void {
    if (level.isQuiescing && level.queues.isIdle) this.digest(...this.#digested)
  }
}
