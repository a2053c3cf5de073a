// Whether a container that has ended starts again, and when: by its own rules, its own policy, its pod's.
// Follows ContainerShouldRestart of k8s.io/kubernetes/pkg/api/v1/pod and the back-off of pkg/kubelet/kuberuntime.
import type { Container, Pod } from '../client/kinds/core.v1.gen.ts'
import type { ContainerRecord } from './record.ts'

/** As upstream: after its second failure a container waits 10 s, then twice as long each time, up to 5 minutes. */
const FIRST_BACKOFF_MS = 10_000
const MAX_BACKOFF_MS = 300_000
/** Who ran this long is no longer counted as crashing. */
const BACKOFF_FORGOTTEN_MS = 2 * MAX_BACKOFF_MS

/** What happens after the end that the record tells of. */
export type Sequel = 'none' | 'restart' | 'restart all'

export function sequelOf(pod: Pod, { role, ended, container, isRedefined }: ContainerRecord): Sequel {
  if (role === 'ephemeral') return 'none'
  if (isRedefined) return 'restart'
  const exitCode = ended?.exitCode ?? 0
  const action = ruleFor(container, exitCode)
  if (action === 'Restart') return 'restart'
  if (action === 'RestartAllContainers') return 'restart all'
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always'
  if (role === 'sidecar') return 'restart'
  const isWanted = role === 'init' ? policy !== 'Never' : policy === 'Always' || policy === 'OnFailure'
  const doesAlways = role === 'app' && policy === 'Always'
  return isWanted && (exitCode !== 0 || doesAlways) ? 'restart' : 'none'
}

/** Rules count for containers that have a policy of their own. */
function ruleFor(
  { restartPolicy, restartPolicyRules = [] }: Container,
  exitCode: number,
): string | undefined {
  if (restartPolicy === undefined) return undefined
  return restartPolicyRules.find(({ exitCodes }) => {
    const isAmong = exitCodes?.values?.includes(exitCode) === true
    if (exitCodes?.operator === 'In') return isAmong
    return exitCodes?.operator === 'NotIn' && !isAmong
  })?.action
}

/** Whether a container that a probe or a change of its definition ends comes back. */
export const comesBack = ({ spec }: Pod, { container, role }: ContainerRecord): boolean =>
  role === 'sidecar' || (container.restartPolicy ?? spec.restartPolicy ?? 'Always') !== 'Never'

/** How long after its end a container starts again: at once after its first run. */
export function backoffMs({ restarts, ended }: ContainerRecord): number {
  if (restarts === 0 || (ended && ended.endedAt - ended.startedAt > BACKOFF_FORGOTTEN_MS)) return 0
  return Math.min(FIRST_BACKOFF_MS * 2 ** (restarts - 1), MAX_BACKOFF_MS)
}

/** As Go prints durations of whole seconds, or less than a minute. */
export function goSeconds(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const seconds = ms / 1000
  return seconds < 60 ? `${seconds}s` : `${Math.trunc(seconds / 60)}m${seconds % 60}s`
}
