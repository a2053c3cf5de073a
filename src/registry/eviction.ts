// Eviction: a delete of a pod that its disruption budget must allow.
// An action for subresources.ts. Follows pkg/registry/core/pod/storage/eviction.go.
import type { JsonObject } from '../machinery/json.ts'
import { selectorOfObject } from '../machinery/labels.ts'
import type { KubeObject } from '../machinery/object.ts'
import { badRequest, forbidden, StatusError } from '../machinery/status.ts'
import { SUCCESS } from './binding.ts'
import { timeText, plainError } from './generic.ts'
import { withCondition } from './podconditions.ts'
import { numberAt, objectAt, objectsAt, textAt, textsAt } from './reading.ts'
import type { Action, ActionPlan, PlannedWrite } from './subresource.ts'
import type { DeleteOptions, WriteContext } from './strategy.ts'

const PODS = { group: '', resource: 'pods' } as const
const BUDGETS = { group: 'policy', resource: 'poddisruptionbudgets' } as const
/** What errors of a budget call it. */
const BUDGET = { group: 'policy', resource: 'poddisruptionbudget' } as const
/** Evictions that the controller has not yet seen through; more than this, and it is not keeping up. */
const MAX_DISRUPTED_PODS = 2000
const RETRY_SECONDS = 10

function tooMany(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [{ reason: 'DisruptionBudget', message }],
      ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
    },
  })
}

const stillProcessed = (budget: KubeObject): StatusError =>
  tooMany(
    `The disruption budget ${budget.metadata.name} is still being processed by the server.`,
    RETRY_SECONDS,
  )

/** Over, going or not yet running: no budget counts on such a pod. */
function needsNoBudget(pod: KubeObject): boolean {
  const phase = textAt(objectAt(pod['status'])['phase'])
  return ['Succeeded', 'Failed', 'Pending'].includes(phase) || Boolean(pod.metadata.deletionTimestamp)
}

function isReady(pod: KubeObject): boolean {
  const ready = objectsAt(objectAt(pod['status'])['conditions']).find(
    (condition) => condition['type'] === 'Ready',
  )
  return ready?.['status'] === 'True'
}

function budgetsOf(pod: KubeObject, context: WriteContext): KubeObject[] {
  const labels = pod.metadata.labels ?? {}
  return context.lister
    .list(BUDGETS, textAt(pod.metadata.namespace))
    .filter((budget) => selectorOfObject(objectAt(budget['spec'])['selector']).matches(labels))
}

/** An unready pod does not hold the application up: it may go although the budget is used up. */
function lets(budget: KubeObject, pod: KubeObject): boolean {
  if (isReady(pod)) return false
  if (objectAt(budget['spec'])['unhealthyPodEvictionPolicy'] === 'AlwaysAllow') return true
  const status = objectAt(budget['status'])
  const desired = numberAt(status['desiredHealthy'])
  return desired > 0 && numberAt(status['currentHealthy']) >= desired
}

function whyNot(budget: KubeObject): string {
  const name = textAt(budget.metadata.name)
  const status = objectAt(budget['status'])
  const condition = objectsAt(status['conditions']).find((other) => other['type'] === 'DisruptionAllowed')
  const text = condition?.['status'] === 'False' ? textAt(condition['message']) : ''
  const reason = textAt(condition?.['reason'])
  if (text && reason === 'SyncFailed') {
    return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${text}`
  }
  const current = numberAt(status['currentHealthy'])
  const desired = numberAt(status['desiredHealthy'])
  if (current <= desired) {
    return `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`
  }
  const denial = `The disruption budget ${name} does not allow evicting pods currently`
  return text ? `${denial} (${reason}): ${text}` : denial
}

/** The budget after one more disruption. Throws tooManyRequests where it allows none. */
export function spend(budget: KubeObject, pod: KubeObject, now: Date): KubeObject {
  const name = textAt(budget.metadata.name)
  const status = objectAt(budget['status'])
  const allowed = numberAt(status['disruptionsAllowed'])
  const disrupted = objectAt(status['disruptedPods'])
  if (numberAt(status['observedGeneration']) < (budget.metadata.generation ?? 0)) throw stillProcessed(budget)
  if (allowed < 0) throw forbidden(BUDGET, name, 'pdb disruptions allowed is negative')
  if (Object.keys(disrupted).length > MAX_DISRUPTED_PODS) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'
    throw forbidden(BUDGET, name, why)
  }
  if (allowed === 0) throw tooMany(whyNot(budget), 0)
  const spent: JsonObject = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...disrupted, [textAt(pod.metadata.name)]: timeText(now) },
  }
  if (allowed === 1) spent['conditions'] = usedUp(budget, now)
  return { ...budget, status: spent }
}

function usedUp(budget: KubeObject, now: Date): JsonObject[] {
  const before = objectsAt(objectAt(budget['status'])['conditions'])
  const known = before.find((condition) => condition['type'] === 'DisruptionAllowed')
  const condition: JsonObject = {
    lastTransitionTime:
      known?.['status'] === 'False' ? (known['lastTransitionTime'] ?? timeText(now)) : timeText(now),
    message: '',
    observedGeneration: numberAt(objectAt(budget['status'])['observedGeneration']),
    reason: 'InsufficientPods',
    status: 'False',
    type: 'DisruptionAllowed',
  }
  return [...before.filter((other) => other !== known), condition]
}

function deleteOptionsOf(eviction: KubeObject, context: WriteContext): DeleteOptions {
  const given = objectAt(eviction['deleteOptions']) as DeleteOptions
  const dryRun = textsAt(given.dryRun as string[] | undefined)
  return { ...given, dryRun: dryRun.length || !context.dryRun ? dryRun : ['All'] }
}

/** The pod says why it goes, then it is deleted. */
function removal(
  pod: KubeObject,
  options: DeleteOptions,
  before: PlannedWrite[],
  context: WriteContext,
): ActionPlan {
  const marked = {
    message: 'Eviction API: evicting',
    reason: 'EvictionByEvictionAPI',
    status: 'True',
    type: 'DisruptionTarget',
  }
  const object: KubeObject = { ...pod, status: withCondition(pod, marked, context.now) }
  const dry = options.dryRun?.includes('All') === true
  return {
    result: SUCCESS,
    writes: dry ? [] : [...before, { resource: PODS, old: pod, object }],
    remove: options,
  }
}

export const eviction: Action = {
  mode: 'action',
  reads: [BUDGETS],
  alsoAccepts: ['policy/v1beta1'],
  check(name, body) {
    if (textAt(body.metadata.name) !== name)
      throw badRequest('name in URL does not match name in Eviction object')
  },
  plan(pod, body, context) {
    const options = deleteOptionsOf(body, context)
    if (needsNoBudget(pod)) return removal(pod, options, [], context)
    const budgets = budgetsOf(pod, context)
    if (budgets.length > 1) {
      throw plainError(
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      )
    }
    const [budget] = budgets
    if (!budget) return removal(pod, options, [], context)
    if (lets(budget, pod))
      return { ...removal(pod, options, [], context), onConflict: stillProcessed(budget) }
    const spent = spend(budget, pod, context.now)
    return removal(pod, options, [{ resource: BUDGETS, old: budget, object: spent }], context)
  },
}
