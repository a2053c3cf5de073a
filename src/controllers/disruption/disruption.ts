// Budgets know how many of their pods may be disturbed; a disturbance that never came is taken back.
// Follows k8s.io/kubernetes/pkg/controller/disruption.
import { isConflict } from '../../client/api.ts'
import { timeOf } from '../../client/clock.ts'
import { type Controller, type ControllerContext, queueOf, work } from '../../client/controller.ts'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { PodDisruptionBudget } from '../../client/kinds/policy.v1.gen.ts'
import { isPodTerminal, podCondition } from '../../client/podstate.ts'
import { keyOf } from '../../client/resource.ts'
import { POD_DISRUPTION_BUDGETS, PODS } from '../../client/resources.ts'
import { isSameStatus } from '../../client/statuswrite.ts'
import { NOTHING, selectorOfObject } from '../../machinery/labels.ts'
import { Scales } from './scales.ts'
import { expectedOf, failedCondition, needsScale, nextStatus, withCondition } from './status.ts'

const NAME = 'disruption-controller'
/** As upstream: a pod that was to be disturbed and still runs after this is not going to be. */
const STALE_MS = 120_000

export function disruptionController(context: ControllerContext): Controller {
  const { informers, log } = context
  const queue = queueOf(context, 'disruption')
  const stale = queueOf(context, 'stale_pod_disruption')
  const budgets = informers.of(POD_DISRUPTION_BUDGETS)
  const scales = new Scales(context)
  const see = (budget: PodDisruptionBudget): void => queue.add(keyOf(budget))
  budgets.handle({ added: see, updated: see })
  const seePod = (pod: Pod): void => {
    const { namespace = '', name = '', labels = {} } = pod.metadata
    const matching = budgets.reader
      .inNamespace(namespace)
      .filter((budget) => selectorOf(budget).matches(labels))
    matching.forEach(see)
    if (matching.length > 1) {
      // DEVIATION: all of them count the pod, where upstream looks at the one that it names.
      const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${matching[0]?.metadata.name}" arbitrarily.`
      const about = { resource: PODS, object: pod }
      context.recorder.event(about, 'Warning', 'MultiplePodDisruptionBudgets', message)
    }
    const staleIn = staleAfter(pod, context.clock.now())
    if (staleIn !== undefined) stale.addAfter(keyOf(pod), staleIn)
  }
  informers.of(PODS).handle({
    added: seePod,
    updated: (pod, before) => {
      seePod(pod)
      if (JSON.stringify(pod.metadata.labels) !== JSON.stringify(before.metadata.labels)) seePod(before)
    },
    deleted: seePod,
  })
  const reconcile = async (key: string): Promise<void> => {
    const budget = budgets.reader.get(key)
    if (!budget) return
    const recheckAt = await syncBudget(context, budget, scales)
    if (recheckAt !== undefined) queue.addAfter(key, recheckAt - context.clock.now())
  }
  const options = { name: NAME, workers: 1, log }
  return {
    name: NAME,
    async run(signal) {
      await Promise.all([
        work({ ...options, queue, reconcile }, signal),
        work({ ...options, queue: stale, reconcile: (key) => takeBack(context, key) }, signal),
      ])
    },
  }
}

const selectorOf = ({ spec }: PodDisruptionBudget) =>
  spec?.selector === undefined ? NOTHING : selectorOfObject(spec.selector)

/** When to look again, in ms since 1970. */
async function syncBudget(
  context: ControllerContext,
  budget: PodDisruptionBudget,
  scales: Scales,
): Promise<number | undefined> {
  try {
    return await countAndTell(context, budget, scales)
  } catch (error) {
    if (isConflict(error)) throw error
    await tellFailure(context, budget, error instanceof Error ? error.message : String(error))
    return undefined
  }
}

async function countAndTell(
  { api, informers, recorder, clock }: ControllerContext,
  budget: PodDisruptionBudget,
  scales: Scales,
): Promise<number | undefined> {
  const about = { resource: POD_DISRUPTION_BUDGETS, object: budget }
  const selector = selectorOf(budget)
  const { namespace = '', name = '' } = budget.metadata
  const pods = informers
    .of(PODS)
    .reader.inNamespace(namespace)
    .filter(({ metadata }) => selector.matches(metadata.labels ?? {}))
  if (pods.length === 0) recorder.event(about, 'Normal', 'NoPods', 'No matching pods found')
  const scale = needsScale(budget)
    ? await scales.of(pods).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        const message = `Failed to calculate the number of expected pods: ${why}`
        recorder.event(about, 'Warning', 'CalculateExpectedPodCountFailed', message)
        throw error
      })
    : { pods: 0, unmanaged: [] }
  if (scale.unmanaged.length > 0) {
    const message = `Pods selected by this PodDisruptionBudget (selector: ${JSON.stringify(budget.spec?.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`
    recorder.event(about, 'Warning', 'UnmanagedPods', message)
  }
  const expected = expectedOf(budget, pods.length, scale.pods)
  const { status, recheckAt, overdue } = nextStatus(budget, pods, expected, clock.now())
  for (const pod of overdue) {
    const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`
    recorder.event({ resource: PODS, object: pod }, 'Warning', 'NotDeleted', message)
  }
  if (!isSameStatus(status, budget.status))
    await api.updateStatus(POD_DISRUPTION_BUDGETS, { ...budget, status })
  return recheckAt
}

/** At least nobody may evict while nothing is known. */
async function tellFailure(
  { api, clock }: ControllerContext,
  budget: PodDisruptionBudget,
  message: string,
): Promise<void> {
  const failed = failedCondition(message, budget.status?.observedGeneration ?? 0)
  const conditions = withCondition(budget.status?.conditions ?? [], failed, clock.now())
  const status = {
    ...budget.status,
    disruptionsAllowed: 0,
    conditions,
  }
  if (isSameStatus(status, budget.status)) return
  await api.updateStatus(POD_DISRUPTION_BUDGETS, { ...budget, status })
}

/** In how many ms the pod's word that it is going to be disturbed is stale; undefined: it says nothing like it. */
function staleAfter(pod: Pod, now: number): number | undefined {
  const said = podCondition(pod, 'DisruptionTarget')
  if (pod.metadata.deletionTimestamp !== undefined || said?.status !== 'True') return undefined
  if (said.reason === 'TerminationByKubelet' || isPodTerminal(pod)) return undefined
  return Math.max(0, Date.parse(said.lastTransitionTime ?? '') + STALE_MS - now)
}

async function takeBack({ api, informers, clock }: ControllerContext, key: string): Promise<void> {
  const pod = informers.of(PODS).reader.get(key)
  if (!pod || staleAfter(pod, clock.now()) !== 0) return
  const { namespace, name = '', uid = '' } = pod.metadata
  const condition = {
    type: 'DisruptionTarget',
    status: 'False',
    reason: null,
    message: null,
    lastTransitionTime: timeOf(clock),
  }
  const body = { metadata: { uid }, status: { conditions: [condition] } }
  await api.patch(PODS, { namespace, name, subresource: 'status' }, body, { type: 'strategic' })
}
