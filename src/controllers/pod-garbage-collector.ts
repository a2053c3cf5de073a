// Deletes pods that nobody else will: too many finished ones, those on nodes that are gone or out of service, and those
// that are deleted before they had a node. Follows k8s.io/kubernetes/pkg/controller/podgc.
import { isNotFound } from '../client/api.ts'
import { sleep, timeOf } from '../client/clock.ts'
import type { Controller, ControllerContext } from '../client/controller.ts'
import type { Node, Pod } from '../client/kinds/core.v1.gen.ts'
import { NODES, PODS } from '../client/resources.ts'

const NAME = 'pod-garbage-collector-controller'
/** As upstream: how often it looks, and how long a node may be missing. */
const PERIOD_MS = 20_000
const QUARANTINE_MS = 40_000

export interface PodCollectorOptions {
  /** Finished pods that are kept; 0: all. */
  readonly threshold: number
}

export interface Doomed {
  readonly pod: Pod
  /** Its node is gone: the pod tells of that. */
  readonly isOrphan: boolean
}

const isFinished = ({ status }: Pod): boolean =>
  !['Pending', 'Running', 'Unknown'].includes(status.phase ?? 'Pending')

const isEvicted = ({ status }: Pod): boolean => status.phase === 'Failed' && status.reason === 'Evicted'

/** Which pods go; `goneNodes` are those that have been missing for long. */
export function doomedPods(
  pods: readonly Pod[],
  nodes: ReadonlyMap<string, Node>,
  goneNodes: ReadonlySet<string>,
  threshold: number,
): Doomed[] {
  const finished = pods.filter(isFinished).sort(evictedAndOldestFirst)
  const surplus = threshold > 0 ? finished.slice(0, Math.max(0, finished.length - threshold)) : []
  const stuck = pods.filter((pod) => {
    if (pod.metadata.deletionTimestamp === undefined) return false
    if (!pod.spec.nodeName) return true
    const node = nodes.get(pod.spec.nodeName)
    return node !== undefined && isOutOfService(node)
  })
  const orphans = pods.filter(({ spec }) => spec.nodeName && goneNodes.has(spec.nodeName))
  const doomed = new Map<Pod, Doomed>()
  for (const pod of [...surplus, ...stuck]) doomed.set(pod, { pod, isOrphan: false })
  for (const pod of orphans) doomed.set(pod, { pod, isOrphan: true })
  return [...doomed.values()]
}

function evictedAndOldestFirst(a: Pod, b: Pod): number {
  if (isEvicted(a) !== isEvicted(b)) return isEvicted(a) ? -1 : 1
  const [at, bt] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (at !== bt) return at < bt ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

const isOutOfService = ({ spec, status }: Node): boolean =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True' &&
  (spec?.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/out-of-service')

export function podGarbageCollector(context: ControllerContext, options: PodCollectorOptions): Controller {
  const { informers, clock, log } = context
  const pods = informers.of(PODS)
  const nodes = informers.of(NODES)
  /** Since when nodes that pods name are missing. */
  const missing = new Map<string, number>()
  const collect = async (): Promise<void> => {
    const all = pods.reader.list()
    const known = new Map(nodes.reader.list().map((node) => [node.metadata.name ?? '', node]))
    const gone = await goneNodes(context, missingNodes(all, known), missing)
    const doomed = doomedPods(all, known, gone, options.threshold)
    await Promise.all(
      doomed.map((one) =>
        removePod(context, one).catch((error: unknown) =>
          log.warn({ pod: one.pod.metadata.name, error: String(error) }, 'could not delete a pod'),
        ),
      ),
    )
  }
  return {
    name: NAME,
    async run(signal) {
      while (!signal.aborted) {
        await collect().catch((error: unknown) =>
          log.warn({ error: String(error) }, 'could not look for pods to delete'),
        )
        await sleep(clock, PERIOD_MS, signal)
      }
    },
  }
}

const missingNodes = (pods: readonly Pod[], known: ReadonlyMap<string, Node>): Set<string> =>
  new Set(pods.flatMap(({ spec }) => (spec.nodeName && !known.has(spec.nodeName) ? [spec.nodeName] : [])))

/** Those that stayed missing, and that the server does not know either. */
async function goneNodes(
  { api, clock }: ControllerContext,
  absent: ReadonlySet<string>,
  missing: Map<string, number>,
): Promise<Set<string>> {
  for (const name of missing.keys()) if (!absent.has(name)) missing.delete(name)
  const gone = new Set<string>()
  for (const name of absent) {
    const since = missing.get(name) ?? clock.now()
    missing.set(name, since)
    if (clock.now() - since < QUARANTINE_MS) continue
    const isGone = await api.get(NODES, { name }).then(() => false, isNotFound)
    if (isGone) gone.add(name)
  }
  return gone
}

/** Marked as failed first, since nobody else will say how it ended. */
async function removePod({ api, clock }: ControllerContext, { pod, isOrphan }: Doomed): Promise<void> {
  const { namespace, name = '', uid } = pod.metadata
  const { phase } = pod.status
  try {
    if (phase !== 'Succeeded' && phase !== 'Failed') {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
        lastTransitionTime: timeOf(clock),
      }
      const status = { phase: 'Failed', ...(isOrphan ? { conditions: [condition] } : {}) }
      const body = { metadata: { uid: uid ?? '' }, status }
      await api.patch(PODS, { namespace, name, subresource: 'status' }, body, { type: 'strategic' })
    }
    await api.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0 })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
