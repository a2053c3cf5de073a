// A pod's life on a simulated node: what happened by `now`, and when the next thing will happen. Nothing waits in here,
// and nothing is written: the record changes, and what the kubelet would tell of is returned.
// Follows SyncPod and computePodActions of k8s.io/kubernetes/pkg/kubelet/kuberuntime, and pkg/kubelet/prober.
import type { Pod, Probe } from '../client/kinds/core.v1.gen.ts'
import { type Behaviour, behaviourOf } from './behaviour.ts'
import { apply, type Disks, lastWords, probeSucceeds, programOf } from './programs.ts'
import { type ContainerRecord, type PodRecord, runId } from './record.ts'

export interface PodEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** The container that it is about. */
  readonly container?: ContainerRecord
}

export interface Outcome {
  readonly events: readonly PodEvent[]
  /** When to look again; Infinity: when the pod changes. */
  readonly wakeAt: number
  /** Nothing runs any more, and nothing will. */
  readonly isOver: boolean
}

/** As upstream: after its second failure a container waits 10 s, then twice as long each time, up to 5 minutes. */
const FIRST_BACKOFF_MS = 10_000
const MAX_BACKOFF_MS = 300_000
/** Who ran this long is no longer counted as crashing. */
const BACKOFF_FORGOTTEN_MS = 2 * MAX_BACKOFF_MS
const DEFAULT_GRACE_SECONDS = 30
const DEFAULT_PERIOD_SECONDS = 10
const DEFAULT_FAILURE_THRESHOLD = 3
/** What a shell says of a process that SIGKILL ended. */
const KILLED = 137
/** A step settles after a few rounds per container; this ends it should a defect make it turn for ever. */
const ROUNDS_PER_CONTAINER = 8

/** Brings the record up to `now`. */
export function advance(pod: Pod, record: PodRecord, now: number): Outcome {
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
    const apps = this.#record.containers.filter(({ role }) => role === 'app')
    if (apps.every((one) => one.phase === 'ended' && !this.#restarts(one))) return true
    return this.#record.containers.some(
      (one) =>
        one.role === 'init' && one.phase === 'ended' && one.ended?.exitCode !== 0 && !this.#restarts(one),
    )
  }

  #restarts({ role, ended, container }: ContainerRecord): boolean {
    const policy = container.restartPolicy ?? this.#pod.spec.restartPolicy ?? 'Always'
    const failed = ended?.exitCode !== 0
    if (role === 'sidecar') return true
    if (role === 'init') return failed && policy !== 'Never'
    return policy === 'Always' || (policy === 'OnFailure' && failed)
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

  /** Whether a probe's command succeeds, as far as anybody can tell. */
  #succeeds(one: ContainerRecord, probe: Probe | undefined): boolean {
    const command = probe?.exec?.command
    return !command || probeSucceeds(this.#pod, one.container, this.#disks(one), command) !== false
  }

  #runOn(one: ContainerRecord): boolean {
    this.#proceed(one)
    const behaviour = this.#behaviour(one)
    const { stopping, startedAt } = one
    if (stopping) {
      const isKilled = behaviour.stopAfter > stopping.graceMs
      if (!this.#isDue(stopping.at + Math.min(behaviour.stopAfter, stopping.graceMs))) return false
      return this.#end(one, isKilled ? KILLED : behaviour.stopCode)
    }
    if (this.#isDue(startedAt + behaviour.runFor)) return this.#end(one, behaviour.exitCode)
    return this.#checkLiveness(one, behaviour) || this.#checkReadiness(one, behaviour)
  }

  #end(one: ContainerRecord, exitCode: number): boolean {
    const { startedAt, restarts, container } = one
    const id = runId(this.#record.uid, container.name, restarts)
    const reason = exitCode === 0 ? 'Completed' : 'Error'
    const message = lastWords(container, one.program ?? undefined, one.files, exitCode)
    one.ended = { exitCode, reason, startedAt, endedAt: this.#now, id, ...(message && { message }) }
    one.phase = 'ended'
    one.ready = false
    one.stopping = undefined
    one.startAt = undefined
    return true
  }

  #checkLiveness(one: ContainerRecord, behaviour: Behaviour): boolean {
    const probe = one.container.livenessProbe
    if (!probe) return false
    if (this.#succeeds(one, probe)) one.failsSince = undefined
    else one.failsSince ??= this.#now
    const fails = one.failsSince === undefined ? Infinity : one.failsSince - one.startedAt
    const livenessFailsAfter = Math.min(behaviour.livenessFailsAfter, fails)
    if (livenessFailsAfter === Infinity) return false
    const { periodSeconds = DEFAULT_PERIOD_SECONDS, failureThreshold = DEFAULT_FAILURE_THRESHOLD } = probe
    const delay = Math.max(livenessFailsAfter, (probe.initialDelaySeconds ?? 0) * 1000)
    if (!this.#isDue(one.startedAt + delay + periodSeconds * 1000 * (failureThreshold - 1))) return false
    const { name } = one.container
    this.#tell('Warning', 'Unhealthy', 'Liveness probe failed: simulated failure', one)
    this.#tell('Normal', 'Killing', `Container ${name} failed liveness probe, will be restarted`, one)
    const seconds = probe.terminationGracePeriodSeconds ?? this.#grace()
    one.stopping = { at: this.#now, graceMs: seconds * 1000 }
    return true
  }

  #checkReadiness(one: ContainerRecord, behaviour: Behaviour): boolean {
    const started = (one.container.startupProbe?.initialDelaySeconds ?? 0) * 1000
    const ready =
      behaviour.canBeReady &&
      this.#isDue(one.startedAt + Math.max(behaviour.readyAfter, started)) &&
      this.#succeeds(one, one.container.readinessProbe)
    if (ready === one.ready) return false
    one.ready = ready
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
        this.#tell('Normal', 'Killing', `Stopping container ${one.container.name}`, one)
        one.stopping = { at: this.#now, graceMs }
      } else continue
      happened = true
    }
    return happened
  }

  /** Those that prepare the pod one after the other, then all others. */
  #startNext(): boolean {
    let happened = false
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
      if (one.phase === 'waiting' || this.#restarts(one)) happened = this.#tryStart(one) || happened
    }
    return happened
  }

  #tryStart(one: ContainerRecord): boolean {
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
    one.reason = this.#record.containers.some(({ role }) => role !== 'app')
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

/** Whether the next in line may start. */
const isBehind = ({ role, phase, ended }: ContainerRecord): boolean =>
  role === 'sidecar' ? phase === 'running' : phase === 'ended' && ended?.exitCode === 0

/** How long after its end a container starts again: at once after its first run. */
function backoffMs({ restarts, ended }: ContainerRecord): number {
  if (restarts === 0 || (ended && ended.endedAt - ended.startedAt > BACKOFF_FORGOTTEN_MS)) return 0
  return Math.min(FIRST_BACKOFF_MS * 2 ** (restarts - 1), MAX_BACKOFF_MS)
}

/** As Go prints durations of whole seconds, or less than a minute. */
function goSeconds(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const seconds = ms / 1000
  return seconds < 60 ? `${seconds}s` : `${Math.trunc(seconds / 60)}m${seconds % 60}s`
}
