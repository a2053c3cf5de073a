// What a container's probes come to, as far as its command and its pod tell. A startup probe comes before both others.
// Follows k8s.io/kubernetes/pkg/kubelet/prober (worker.go).
import type { Pod, Probe } from '../client/kinds/core.v1.gen.ts'
import type { Behaviour } from './behaviour.ts'
import { type Disks, probeSucceeds } from './programs.ts'
import type { ContainerRecord } from './record.ts'

const DEFAULT_PERIOD_SECONDS = 10
const DEFAULT_FAILURE_THRESHOLD = 3

export interface Probing {
  readonly pod: Pod
  readonly one: ContainerRecord
  readonly behaviour: Behaviour
  disks(): Disks
  /** Whether this time has come; else it is woken up for. */
  isDue(at: number): boolean
  readonly now: number
}

/** What a probe demands. */
export interface Verdict {
  readonly probe: Probe
  readonly kind: 'Startup' | 'Liveness'
}

/** Brings `started` and `ready` up to now. Returns whether either changed, or the probe for which the container must end. */
export function probed(probing: Probing): boolean | Verdict {
  const { one } = probing
  if (!one.started) return checkStartup(probing)
  return checkLiveness(probing) ?? checkReadiness(probing)
}

/** Whether a probe's command succeeds, as far as anybody can tell. */
function succeeds({ pod, one, disks }: Probing, probe: Probe | undefined): boolean {
  const command = probe?.exec?.command
  return !command || probeSucceeds(pod, one.container, disks(), command) !== false
}

/** When a probe that fails from this moment after the container's start on has failed often enough. */
function failedAt({ one }: Probing, probe: Probe, from: number): number {
  const { periodSeconds = DEFAULT_PERIOD_SECONDS, failureThreshold = DEFAULT_FAILURE_THRESHOLD } = probe
  const first = Math.max(from, (probe.initialDelaySeconds ?? 0) * 1000)
  return one.startedAt + first + periodSeconds * 1000 * (failureThreshold - 1)
}

function failsFrom(probing: Probing, probe: Probe): number {
  const { one, now } = probing
  if (succeeds(probing, probe)) one.failsSince = undefined
  else one.failsSince ??= now
  return one.failsSince === undefined ? Infinity : one.failsSince - one.startedAt
}

function checkStartup(probing: Probing): boolean | Verdict {
  const { one, isDue } = probing
  const probe = one.container.startupProbe
  if (!probe) return (one.started = true)
  if (!isDue(one.startedAt + (probe.initialDelaySeconds ?? 0) * 1000)) return false
  const from = failsFrom(probing, probe)
  if (from === Infinity) return (one.started = true)
  return isDue(failedAt(probing, probe, from)) && { probe, kind: 'Startup' }
}

function checkLiveness(probing: Probing): Verdict | undefined {
  const { one, behaviour, isDue } = probing
  const probe = one.container.livenessProbe
  if (!probe) return undefined
  const from = Math.min(behaviour.livenessFailsAfter, failsFrom(probing, probe))
  if (from === Infinity || !isDue(failedAt(probing, probe, from))) return undefined
  return { probe, kind: 'Liveness' }
}

function checkReadiness(probing: Probing): boolean {
  const { one, behaviour, isDue } = probing
  const ready =
    behaviour.canBeReady &&
    one.role !== 'ephemeral' &&
    isDue(one.startedAt + behaviour.readyAfter) &&
    succeeds(probing, one.container.readinessProbe)
  if (ready === one.ready) return false
  one.ready = ready
  return true
}
