// A pod's life on a simulated node: what happened by `now`, and when the next thing will happen. Nothing waits in here,
// and nothing is written: the record changes, and what the kubelet would tell of is returned.
// Follows SyncPod and computePodActions of k8s.io/kubernetes/pkg/kubelet/kuberuntime, and pkg/kubelet/prober.
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import { type Behaviour, behaviourOf } from './behaviour.ts'
import { probed, type Verdict } from './probing.ts'
import { apply, type Disks, lastWords, programOf } from './programs.ts'
import { type ContainerRecord, type PodEvent, type PodRecord, redefine, runId } from './record.ts'
import { actuation } from './resizing.ts'
import { backoffMs, comesBack, goSeconds, sequelOf } from './restarts.ts'

export interface Outcome {
  readonly events: readonly PodEvent[]
  /** When to look again; Infinity: when the pod changes. */
  readonly wakeAt: number
  /** Nothing runs any more, and nothing will. */
  readonly isOver: boolean
}

const DEFAULT_GRACE_SECONDS = 30
/** What is left to a container after its hook, as upstream. */
const MIN_GRACE_MS = 2000
/** What a shell says of a process that SIGKILL ended. */
const KILLED = 137
/** A step settles after a few rounds per container; this ends it should a defect make it turn for ever. */
const ROUNDS_PER_CONTAINER = 8

/** Brings the record up to `now`. */
export function advance(pod: Pod, record: PodRecord, now: number): Outcome {
  redefine(pod, record)
  const life = new Life(pod, record, now)
  for (
    let rounds = ROUNDS_PER_CONTAINER * (record.containers.length + 1);
    rounds > 0 && life.round();
    rounds--
  );
  return { events: life.events, wakeAt: life.wakeAt, isOver: life.isOver }
}

class Life {
  readonly events: PodEvent[] = []
  wakeAt = Infinity
  isOver = false
  readonly #pod: Pod
  readonly #record: PodRecord
  readonly #now: number

  constructor(pod: Pod, record: PodRecord, now: number) {
    this.#pod = pod
    this.#record = record
    this.#now = now
  }

  /** Whether anything happened: then more may. */
  round(): boolean {
    this.wakeAt = Infinity
    const { containers } = this.#record
    let happened = this.#expire()
    for (const one of containers) if (one.phase === 'running' && this.#runOn(one)) happened = true
    if (this.#isEnding()) happened = this.#stopAll(containers) || happened
    else if (this.#record.restartsAll) happened = this.#restartAll(containers) || happened
    else happened = this.#startNext() || happened
    this.isOver = this.#isEnding() && containers.every(({ phase }) => phase !== 'running')
    return happened
  }

  /** The pod's own deadline. */
  #expire(): boolean {
    const { activeDeadlineSeconds } = this.#pod.spec
    if (activeDeadlineSeconds === undefined || this.#record.failure || this.#isDone()) return false
    if (!this.#isDue(this.#record.startedAt + activeDeadlineSeconds * 1000)) return false
    const message = 'Pod was active on the node longer than the specified deadline'
    this.#record.failure = { reason: 'DeadlineExceeded', message }
    this.events.push({ type: 'Normal', reason: 'DeadlineExceeded', message })
    return true
  }

  #isEnding(): boolean {
    return (
      this.#pod.metadata.deletionTimestamp !== undefined ||
      this.#record.failure !== undefined ||
      this.#isDone()
    )
  }

  /** Every container has ended for good, or one that prepares the pod has. */
  #isDone(): boolean {
    const { containers, restartsAll } = this.#record
    if (restartsAll) return false
    const isAtEnd = (one: ContainerRecord): boolean =>
      one.phase === 'ended' && sequelOf(this.#pod, one) === 'none'
    if (containers.filter(({ role }) => role === 'app').every(isAtEnd)) return true
    return containers.some((one) => one.role === 'init' && one.ended?.exitCode !== 0 && isAtEnd(one))
  }

  /** Whether this time has come; else there is something to wake up for. */
  #isDue(at: number): boolean {
    if (at <= this.#now) return true
    this.wakeAt = Math.min(this.wakeAt, at)
    return false
  }

  #behaviour(one: ContainerRecord): Behaviour {
    return behaviourOf(this.#pod, one)
  }

  #disks(one: ContainerRecord): Disks {
    one.files ??= new Map()
    this.#record.files ??= new Map()
    return { run: one.files, pod: this.#record.files, node: this.#record.nodeFiles }
  }

  /** What the program has done to its files by now. */
  #proceed(one: ContainerRecord): void {
    if (one.program === null) one.program = programOf(this.#pod, one.container, () => this.#disks(one))
    const changes = one.program?.changes ?? []
    for (let next = changes[one.changes]; next; next = changes[one.changes]) {
      if (!this.#isDue(one.startedAt + next.at)) return
      apply(this.#pod, one.container, this.#disks(one), next)
      one.changes++
    }
  }

  #runOn(one: ContainerRecord): boolean {
    this.#proceed(one)
    const behaviour = this.#behaviour(one)
    const { stopping, startedAt } = one
    if (stopping) {
      const hookMs = Math.min(behaviour.hookBeforeStop, stopping.graceMs)
      const leftMs = hookMs === 0 ? stopping.graceMs : Math.max(stopping.graceMs - hookMs, MIN_GRACE_MS)
      const isKilled = behaviour.stopAfter > leftMs
      if (!this.#isDue(stopping.at + hookMs + Math.min(behaviour.stopAfter, leftMs))) return false
      return this.#end(one, isKilled ? KILLED : behaviour.stopCode)
    }
    if (this.#isDue(startedAt + behaviour.runFor)) return this.#end(one, behaviour.exitCode)
    const { role, container } = one
    if (role !== 'ephemeral' && one.image !== container.image) {
      one.isRedefined = true
      return this.#stop(one, `${titleOf(one)} definition changed, will be restarted`, this.#grace())
    }
    if (actuation(one) === 'restart') {
      one.isRedefined = true
      return this.#stop(one, `Container ${container.name} resize requires restart`, this.#grace())
    }
    one.resources = container.resources
    const verdict = probed({
      ...{ pod: this.#pod, one, behaviour, now: this.#now },
      disks: () => this.#disks(one),
      isDue: (at) => this.#isDue(at),
    })
    return typeof verdict === 'boolean' ? verdict : this.#fail(one, verdict)
  }

  #end(one: ContainerRecord, exitCode: number): boolean {
    const { startedAt, restarts, container } = one
    const id = runId(this.#record.uid, container.name, restarts)
    const reason = exitCode === 0 ? 'Completed' : 'Error'
    const message = lastWords(container, one.program ?? undefined, one.files, exitCode)
    one.ended = { exitCode, reason, startedAt, endedAt: this.#now, id, ...(message && { message }) }
    one.phase = 'ended'
    one.ready = false
    one.started = false
    one.stopping = undefined
    one.startAt = undefined
    if (!this.#isEnding() && sequelOf(this.#pod, one) === 'restart all') this.#record.restartsAll = true
    return true
  }

  /** A probe has failed too often. */
  #fail(one: ContainerRecord, { kind, probe }: Verdict): boolean {
    this.#tell('Warning', 'Unhealthy', `${kind} probe failed: simulated failure`, one)
    const after = comesBack(this.#pod, one) ? ', will be restarted' : ''
    const why = `${titleOf(one)} failed ${kind.toLowerCase()} probe${after}`
    return this.#stop(one, why, probe.terminationGracePeriodSeconds ?? this.#grace())
  }

  #stop(one: ContainerRecord, why: string, graceSeconds: number): boolean {
    this.#tell('Normal', 'Killing', why, one)
    one.stopping = { at: this.#now, graceMs: graceSeconds * 1000 }
    return true
  }

  #grace(): number {
    const { deletionGracePeriodSeconds } = this.#pod.metadata
    return deletionGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS
  }

  /** Sidecars end after those that they serve. */
  #stopAll(containers: readonly ContainerRecord[]): boolean {
    const apps = containers.some(({ phase, role }) => phase === 'running' && role !== 'sidecar')
    let happened = false
    for (const one of containers) {
      if (one.phase !== 'running') continue
      const graceMs = this.#grace() * 1000
      if (one.stopping) {
        // A second deletion may leave less time.
        if (graceMs >= one.stopping.graceMs) continue
        one.stopping = { ...one.stopping, graceMs }
      } else if (!apps || one.role !== 'sidecar') {
        this.#stop(one, `Stopping container ${one.container.name}`, this.#grace())
      } else continue
      happened = true
    }
    return happened
  }

  /** By a rule: when the last has ended, the pod begins anew. Ephemeral ones have nothing to do with it. */
  #restartAll(containers: readonly ContainerRecord[]): boolean {
    const own = containers.filter(({ role }) => role !== 'ephemeral')
    if (own.some(({ phase }) => phase === 'running')) return this.#stopAll(own)
    for (const one of own) {
      if (!one.ended) continue
      Object.assign(one, { last: one.ended, ended: undefined, restarts: one.restarts + 1 })
      Object.assign(one, { phase: 'waiting', startAt: undefined })
    }
    this.#record.restartsAll = false
    return true
  }

  /** Those that prepare the pod one after the other, then all others. */
  #startNext(): boolean {
    let happened = false
    if (this.#record.isUnmounted) return false
    for (const one of this.#record.containers)
      if (one.role === 'ephemeral' && one.phase === 'waiting') happened = this.#tryStart(one) || happened
    for (const one of this.#record.containers) {
      if (one.role === 'app') break
      if (
        one.phase !== 'running' &&
        !(one.phase === 'ended' && one.ended?.exitCode === 0 && one.role === 'init')
      ) {
        happened = this.#tryStart(one) || happened
      }
      if (!isBehind(one)) return happened
    }
    for (const one of this.#record.containers) {
      if (one.role !== 'app' || one.phase === 'running') continue
      if (one.phase === 'waiting' || sequelOf(this.#pod, one) !== 'none')
        happened = this.#tryStart(one) || happened
    }
    return happened
  }

  #tryStart(one: ContainerRecord): boolean {
    const fault = this.#record.faults?.get(one.container.name)
    if (fault !== undefined) return this.#failConfig(one, fault)
    const behaviour = this.#behaviour(one)
    if (behaviour.isImageMissing) return this.#failPull(one)
    let happened = false
    if (one.startAt === undefined || one.reason === 'ImagePullBackOff') {
      one.startAt = this.#startTime(one, behaviour)
      happened = true
    }
    if (!this.#isDue(one.startAt)) return happened
    this.#start(one, behaviour)
    return true
  }

  #startTime(one: ContainerRecord, { startAfter }: Behaviour): number {
    one.reason = this.#record.containers.some(({ role }) => role === 'init' || role === 'sidecar')
      ? 'PodInitializing'
      : 'ContainerCreating'
    one.message = ''
    if (!one.ended) {
      const { image = '' } = one.container
      if (startAfter > 0) this.#tell('Normal', 'Pulling', `Pulling image ${JSON.stringify(image)}`, one)
      return this.#now + startAfter
    }
    const delay = backoffMs(one)
    const at = one.ended.endedAt + delay
    if (at <= this.#now) return this.#now
    const { name } = one.container
    const { namespace = '', name: podName = '', uid = '' } = this.#pod.metadata
    const pod = `${podName}_${namespace}(${uid})`
    one.reason = 'CrashLoopBackOff'
    one.message = `back-off ${goSeconds(delay)} restarting failed container=${name} pod=${pod}`
    this.#tell('Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${pod}`, one)
    return at
  }

  #start(one: ContainerRecord, { startAfter }: Behaviour): void {
    if (one.ended) {
      // Who ran long is forgiven; the count that is shown goes on.
      one.last = one.ended
      one.ended = undefined
      one.restarts++
    }
    const image = JSON.stringify(one.container.image ?? '')
    const isPulled = startAfter > 0 && one.restarts === 0
    const took = goSeconds(startAfter)
    const pulled = `Successfully pulled image ${image} in ${took} (${took} including waiting). Image size: 0 bytes.`
    const present = `Container image ${image} already present on machine`
    this.#tell('Normal', 'Pulled', isPulled ? pulled : present, one)
    this.#tell('Normal', 'Created', 'Container created', one)
    this.#tell('Normal', 'Started', 'Container started', one)
    Object.assign(one, { phase: 'running', startedAt: this.#now, ready: false, reason: '', message: '' })
    Object.assign(one, { program: null, changes: 0, failsSince: undefined, files: undefined })
    Object.assign(one, { started: false, image: one.container.image, isRedefined: false })
    one.resources = one.container.resources
  }

  #failConfig(one: ContainerRecord, fault: string): boolean {
    if (one.message === fault) return false
    this.#tell('Warning', 'Failed', `Error: ${fault}`, one)
    one.reason = 'CreateContainerConfigError'
    one.message = fault
    return true
  }

  #failPull(one: ContainerRecord): boolean {
    if (one.reason === 'ImagePullBackOff') return false
    const image = JSON.stringify(one.container.image ?? '')
    const why = `failed to pull and unpack image ${image}: simulated failure`
    this.#tell('Normal', 'Pulling', `Pulling image ${image}`, one)
    this.#tell('Warning', 'Failed', `Failed to pull image ${image}: ${why}`, one)
    this.#tell('Warning', 'Failed', 'Error: ErrImagePull', one)
    this.#tell('Normal', 'BackOff', `Back-off pulling image ${image}`, one)
    this.#tell('Warning', 'Failed', 'Error: ImagePullBackOff', one)
    one.reason = 'ImagePullBackOff'
    one.message = `Back-off pulling image ${image}: ErrImagePull: ${why}`
    return true
  }

  #tell(type: PodEvent['type'], reason: string, message: string, container: ContainerRecord): void {
    this.events.push({ type, reason, message, container })
  }
}

const titleOf = ({ role, container: { name } }: ContainerRecord): string =>
  `${role === 'app' ? 'Container' : 'Init container'} ${name}`

/** Whether the next in line may start. */
const isBehind = ({ role, phase, started, ended }: ContainerRecord): boolean =>
  role === 'sidecar' ? phase === 'running' && started : phase === 'ended' && ended?.exitCode === 0
