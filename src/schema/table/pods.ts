// A pod's row: what its containers' states and conditions add up to.
// Follows printPod in kubernetes/pkg/printers/internalversion/printers.go.
import type { Json, JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import {
  age,
  count,
  deleting,
  nameOf,
  part,
  parts,
  type Printer,
  type RowCondition,
  since,
  text,
} from './cells.ts'

/** What walking the containers' statuses finds out. */
interface Summary {
  reason: string
  ready: number
  restarts: number
  /** RFC 3339, the latest end of a container that was restarted; these compare as texts. */
  lastRestart: string
}

const UNREACHABLE = 'NodeLost'

const has = (state: JsonObject, key: string): boolean => state[key] !== undefined && state[key] !== null

const restartable = (container: JsonObject | undefined): boolean => container?.restartPolicy === 'Always'

function addRestarts(summary: Summary, status: JsonObject): void {
  summary.restarts += count(status, 'restartCount')
  const finished = text(part(part(status, 'lastState'), 'terminated'), 'finishedAt')
  if (finished > summary.lastRestart) summary.lastRestart = finished
}

/** "Error", "Signal:9" or "ExitCode:1". */
function terminatedReason(terminated: JsonObject): string {
  const signal = count(terminated, 'signal')
  return text(
    terminated,
    'reason',
    signal !== 0 ? `Signal:${signal}` : `ExitCode:${count(terminated, 'exitCode')}`,
  )
}

/** What one init container says: why it holds the pod up ("" where it does not), and whether it counts as ready. */
function initOutcome(
  status: JsonObject,
  position: string,
  sidecar: boolean,
): [reason: string, ready: boolean] {
  const state = part(status, 'state')
  const ended = has(state, 'terminated')
  const terminated = part(state, 'terminated')
  if (ended && count(terminated, 'exitCode') === 0) return ['', false]
  if (sidecar && status.started === true) return ['', status.ready === true]
  if (ended) return [`Init:${terminatedReason(terminated)}`, false]
  const waiting = text(part(state, 'waiting'), 'reason')
  return [`Init:${waiting !== '' && waiting !== 'PodInitializing' ? waiting : position}`, false]
}

interface InitWalk {
  readonly initializing: boolean
  /** Those of init containers that keep running beside the others. */
  readonly sidecars: Summary
}

function walkInitContainers(pod: KubeObject, summary: Summary): InitWalk {
  const containers = parts(part(pod, 'spec'), 'initContainers')
  const byName = new Map(containers.map((c) => [c.name, c]))
  const sidecars: Summary = { reason: '', ready: 0, restarts: 0, lastRestart: '' }
  const statuses = parts(part(pod, 'status'), 'initContainerStatuses')
  for (const [i, status] of statuses.entries()) {
    const sidecar = restartable(byName.get(status.name))
    addRestarts(summary, status)
    if (sidecar) addRestarts(sidecars, status)
    const [reason, ready] = initOutcome(status, `${i}/${containers.length}`, sidecar)
    if (ready) summary.ready++
    if (reason !== '') {
      summary.reason = reason
      return { initializing: true, sidecars }
    }
  }
  return { initializing: false, sidecars }
}

function walkContainers(pod: KubeObject, summary: Summary): void {
  let running = false
  let errorReason = ''
  for (const status of parts(part(pod, 'status'), 'containerStatuses').reverse()) {
    addRestarts(summary, status)
    const state = part(status, 'state')
    const waiting = text(part(state, 'waiting'), 'reason')
    if (waiting !== '') summary.reason = waiting
    else if (has(state, 'terminated')) {
      const terminated = part(state, 'terminated')
      summary.reason = terminatedReason(terminated)
      if (count(terminated, 'exitCode') !== 0) errorReason = summary.reason
    } else if (status.ready === true && has(state, 'running')) {
      running = true
      summary.ready++
    }
  }
  if (summary.reason !== 'Completed') return
  if (running && isTrue(pod, 'Ready')) summary.reason = 'Running'
  else if (errorReason !== '') summary.reason = errorReason
  else if (running) summary.reason = 'NotReady'
}

const conditions = (pod: KubeObject): JsonObject[] => parts(part(pod, 'status'), 'conditions')

const isTrue = (pod: KubeObject, type: string): boolean =>
  conditions(pod).some((c) => c.type === type && c.status === 'True')

/** The first condition of the type decides, as upstream has it. */
const initialized = (pod: KubeObject): boolean =>
  conditions(pod).find((c) => c.type === 'Initialized')?.status === 'True'

function summarise(pod: KubeObject): Summary {
  const status = part(pod, 'status')
  const phase = text(status, 'phase')
  const gated = conditions(pod).some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')
  const reason = gated ? 'SchedulingGated' : text(status, 'reason', phase)
  const summary: Summary = { reason, ready: 0, restarts: 0, lastRestart: '' }
  const { initializing, sidecars } = walkInitContainers(pod, summary)
  if (!initializing || initialized(pod)) {
    summary.restarts = sidecars.restarts
    summary.lastRestart = sidecars.lastRestart
    walkContainers(pod, summary)
  }
  if (deleting(pod)) {
    if (text(status, 'reason') === UNREACHABLE) summary.reason = 'Unknown'
    else if (phase !== 'Failed' && phase !== 'Succeeded') summary.reason = 'Terminating'
  }
  return summary
}

function readinessGates(pod: KubeObject): string {
  const gates = parts(part(pod, 'spec'), 'readinessGates')
  if (gates.length === 0) return '<none>'
  const all = conditions(pod)
  const open = gates.filter((g) => all.find((c) => c.type === g.conditionType)?.status === 'True')
  return `${open.length}/${gates.length}`
}

function cells(pod: KubeObject, now: number): Json[] {
  const spec = part(pod, 'spec')
  const status = part(pod, 'status')
  const total = parts(spec, 'containers').length + parts(spec, 'initContainers').filter(restartable).length
  const { reason, ready, restarts, lastRestart } = summarise(pod)
  const again = restarts !== 0 && lastRestart !== '' ? ` (${since(lastRestart, now)} ago)` : ''
  const firstIp = parts(status, 'podIPs')[0]
  return [
    nameOf(pod),
    `${ready}/${total}`,
    reason,
    `${restarts}${again}`,
    age(pod, now),
    text(status, 'podIP') || (firstIp ? text(firstIp, 'ip', '<none>') : '<none>'),
    text(spec, 'nodeName', '<none>'),
    text(status, 'nominatedNodeName', '<none>'),
    readinessGates(pod),
  ]
}

function rowConditions(pod: KubeObject): RowCondition[] | undefined {
  const phase = text(part(pod, 'status'), 'phase')
  const done = { type: 'Completed', status: 'True', reason: phase }
  if (phase === 'Succeeded') return [{ ...done, message: 'The pod has completed successfully.' }]
  return phase === 'Failed' ? [{ ...done, message: 'The pod failed.' }] : undefined
}

export const pods: Printer = { cells, conditions: rowConditions }
