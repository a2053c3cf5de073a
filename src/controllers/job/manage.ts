// Making and ending the pods of a Job that goes on. Follows manageJob of
// k8s.io/kubernetes/pkg/controller/job/job_controller.go.
import { type Api, isNotFound } from '../../client/api.ts'
import type { Clock } from '../../client/clock.ts'
import type { Expectations } from '../../client/expectations.ts'
import type { Job } from '../../client/kinds/batch.v1.gen.ts'
import type { Container, Pod } from '../../client/kinds/core.v1.gen.ts'
import { isNamespaceTerminating, type PodControl, podOfTemplate, slowStart } from '../../client/podcontrol.ts'
import { isPodReady, isPodTerminating } from '../../client/podstate.ts'
import type { WorkQueue } from '../../client/queue.ts'
import { keyOf } from '../../client/resource.ts'
import { JOBS, PODS } from '../../client/resources.ts'
import { firstFree, indexesOf, merge } from './indexes.ts'
import {
  absoluteFailures,
  type Backoff,
  countIn,
  endOf,
  FAILURES,
  IGNORED_FAILURES,
  INDEX,
  indexOf,
  isIndexed,
  isSuspended,
  isTracked,
  remainingBackoff,
  replacesFailedOnly,
  surplusPods,
  TRACKING,
} from './jobpods.ts'
import { type View, wantedActive } from './judge.ts'
import { judgeFailure } from './policies.ts'

/** As upstream: so many pods in one pass, then a look at what became of them. */
const MAX_PODS_PER_PASS = 500
/** What the server's own part of a generated name leaves. */
const MAX_NAME_PREFIX = 58
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'

export interface JobParts {
  readonly api: Api
  readonly clock: Clock
  readonly control: PodControl
  readonly queue: WorkQueue
  readonly expectations: Expectations
}

/** How many pods there are after what was done, and what could not be done. */
export interface Outcome {
  active: number
  ready: number
  terminating: number
  error?: unknown
}

export const outcomeOf = ({ active, ready, terminating }: View): Outcome => ({
  active: active.length,
  ready,
  terminating,
})

/** Ends surplus pods, or else makes missing ones as soon as the back-off allows. */
export async function manage(parts: JobParts, seen: View, backoff: Backoff): Promise<Outcome> {
  const { job, active } = seen
  const outcome = outcomeOf(seen)
  const wanted = isSuspended(job) ? 0 : wantedActive(seen)
  const surplus = isSuspended(job)
    ? active
    : surplusPods(job, active, active.length - wanted, parts.clock.now()).slice(0, MAX_PODS_PER_PASS)
  if (surplus.length > 0) {
    await endSurplus(parts, job, surplus, outcome)
    return outcome
  }
  const held = replacesFailedOnly(job) ? outcome.terminating : 0
  const missing = Math.min(wanted - held - outcome.active, MAX_PODS_PER_PASS)
  if (missing > 0) await makeMissing(parts, seen, { missing, backoff }, outcome)
  return outcome
}

/** Ends all active pods of a job that is over; their finalizers stay until they are counted. Returns how many went. */
export async function endActive(parts: JobParts, { job, active }: View, outcome: Outcome): Promise<number> {
  let ended = 0
  await Promise.all(
    active.map(async (pod) => {
      try {
        await endPod(parts, job, pod)
        ended++
        tell(outcome, pod)
      } catch (error) {
        outcome.error ??= error
      }
    }),
  )
  return ended
}

async function endPod({ control }: JobParts, job: Job, pod: Pod): Promise<void> {
  try {
    await control.delete(pod, { resource: JOBS, object: job })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function tell(outcome: Outcome, pod: Pod): void {
  outcome.active--
  outcome.terminating++
  if (isPodReady(pod)) outcome.ready--
}

async function endSurplus(parts: JobParts, job: Job, pods: readonly Pod[], outcome: Outcome): Promise<void> {
  const { expectations } = parts
  const key = keyOf(job)
  expectations.expect(key, 0, pods.map(keyOf))
  await Promise.all(
    pods.map(async (pod) => {
      try {
        await untrack(parts.api, pod)
        await parts.control.delete(pod, { resource: JOBS, object: job })
        tell(outcome, pod)
      } catch (error) {
        expectations.deletionSeen(key, keyOf(pod))
        if (isNotFound(error)) tell(outcome, pod)
        else outcome.error ??= error
      }
    }),
  )
}

/** Takes the finalizer from a pod that has it. Rejects as the server refuses, with NotFound too. */
export async function untrack(api: Api, pod: Pod): Promise<void> {
  if (!isTracked(pod)) return
  const { namespace, name = '' } = pod.metadata
  const body = { metadata: { '$deleteFromPrimitiveList/finalizers': [TRACKING] } }
  await api.patch(PODS, { namespace, name }, body, { type: 'strategic' })
}

interface Missing {
  readonly missing: number
  readonly backoff: Backoff
}

async function makeMissing(
  parts: JobParts,
  seen: View,
  { missing, backoff }: Missing,
  outcome: Outcome,
): Promise<void> {
  const { clock, queue, expectations } = parts
  const { job } = seen
  const key = keyOf(job)
  const isPerIndex = job.spec.backoffLimitPerIndex !== undefined
  const wait = isPerIndex ? 0 : remainingBackoff(backoff, clock.now())
  if (wait > 0) return queue.addAfter(key, wait)
  const due = isIndexed(job) ? dueIndexes(seen, missing, clock.now()) : undefined
  if (due !== undefined && due.indexes.length === 0) {
    if (due.wait > 0) queue.addAfter(key, due.wait)
    return
  }
  const count = due?.indexes.length ?? missing
  expectations.expect(key, count)
  const owner = { resource: JOBS, object: job }
  const template = due === undefined ? podOfTemplate(job.spec.template, owner) : indexedTemplate(job)
  const { successes, error } = await slowStart(count, async (at) => {
    const pod = due === undefined ? template : podOfIndex(seen, template, due.indexes[at] as number)
    try {
      await parts.control.create(tracked(pod), owner)
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error
    }
  })
  for (let left = count - successes; left > 0; left--) expectations.creationSeen(key)
  outcome.active += successes
  outcome.error = error
}

/** The first free indexes; of those that failed before only what may be tried again, else how many ms until one may. */
function dueIndexes(seen: View, count: number, now: number): { indexes: number[]; wait: number } {
  const { job, active, pods, heldBack } = seen
  const occupied = replacesFailedOnly(job) ? [...active, ...pods.filter(isPodTerminating)] : active
  const busy = indexesOf(occupied.flatMap((pod) => indexOf(pod) ?? []))
  const taken = merge(seen.succeededIndexes, busy, seen.failedIndexes ?? [])
  const free = firstFree(taken, count, job.spec.completions ?? 0)
  if (job.spec.backoffLimitPerIndex === undefined) return { indexes: free, wait: 0 }
  const waits = free.map((index) => {
    const last = heldBack.get(index)
    return last ? remainingBackoff({ failures: absoluteFailures(last) + 1, lastAt: endOf(last) }, now) : 0
  })
  const indexes = free.filter((_, at) => waits[at] === 0)
  return { indexes, wait: indexes.length > 0 || waits.length === 0 ? 0 : Math.min(...waits) }
}

const tracked = (pod: Pod): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, finalizers: [...new Set([...(pod.metadata.finalizers ?? []), TRACKING])] },
})

function indexedTemplate(job: Job): Pod {
  const pod = podOfTemplate(job.spec.template, { resource: JOBS, object: job })
  const fieldPath = `metadata.labels['${INDEX}']`
  const variable = { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }
  const withIndex = (container: Container): Container =>
    container.env?.some(({ name }) => name === INDEX_VARIABLE)
      ? container
      : { ...container, env: [...(container.env ?? []), variable] }
  const { containers, initContainers } = pod.spec
  const spec = { ...pod.spec, containers: containers.map(withIndex) }
  if (initContainers) spec.initContainers = initContainers.map(withIndex)
  return { ...pod, spec }
}

function podOfIndex({ job, heldBack }: View, template: Pod, index: number): Pod {
  const { name = '' } = job.metadata
  const end = `-${index}-`
  const counts = job.spec.backoffLimitPerIndex === undefined ? {} : failureCounts(job, heldBack.get(index))
  const { labels, annotations } = template.metadata
  return {
    ...template,
    metadata: {
      ...template.metadata,
      generateName: `${name.slice(0, MAX_NAME_PREFIX - end.length)}${end}`,
      labels: { ...labels, [INDEX]: String(index) },
      annotations: { ...annotations, [INDEX]: String(index), ...counts },
    },
    spec: { ...template.spec, hostname: `${name}-${index}` },
  }
}

/** What the next pod of an index carries of the failures before it. */
function failureCounts(job: Job, last: Pod | undefined): Record<string, string> {
  if (last === undefined) return { [FAILURES]: '0' }
  const { counts } = judgeFailure(job.spec, last)
  const ignored = countIn(last, IGNORED_FAILURES) + (counts ? 0 : 1)
  return {
    [FAILURES]: String(countIn(last, FAILURES) + (counts ? 1 : 0)),
    ...(ignored > 0 ? { [IGNORED_FAILURES]: String(ignored) } : {}),
  }
}
