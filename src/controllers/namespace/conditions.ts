// What a namespace that is being deleted tells of it.
// Follows k8s.io/kubernetes/pkg/controller/namespace/deletion/status_condition_utils.go.
import type { NamespaceCondition } from '../../client/kinds/core.v1.gen.ts'

/** What is left of one resource. */
export interface Remaining {
  /** "pods." for the core group's, "deployments.apps". */
  readonly resource: string
  readonly objects: number
  /** How many wait for each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>
}

export interface Outcome {
  /** Group versions whose servers do not answer. */
  readonly undiscovered: readonly string[]
  readonly errors: readonly string[]
  readonly remaining: readonly Remaining[]
}

interface Text {
  readonly reason: string
  readonly message: string
}

const OK: Readonly<Record<string, Text>> = {
  NamespaceDeletionDiscoveryFailure: {
    reason: 'ResourcesDiscovered',
    message: 'All resources successfully discovered',
  },
  NamespaceDeletionGroupVersionParsingFailure: {
    reason: 'ParsedGroupVersions',
    message: 'All legacy kube types successfully parsed',
  },
  NamespaceDeletionContentFailure: {
    reason: 'ContentDeleted',
    message: 'All content successfully deleted, may be waiting on finalization',
  },
  NamespaceContentRemaining: { reason: 'ContentRemoved', message: 'All content successfully removed' },
  NamespaceFinalizersRemaining: {
    reason: 'ContentHasNoFinalizers',
    message: 'All content-preserving finalizers finished',
  },
}

/** The conditions after this outcome; the same array where nothing changes. `now` is RFC 3339. */
export function nextConditions(
  before: readonly NamespaceCondition[],
  outcome: Outcome,
  now: string,
): readonly NamespaceCondition[] {
  const faults = faultsOf(outcome)
  const conditions = [...before]
  let hasChanged = false
  for (const [type, ok] of Object.entries(OK)) {
    const fault = faults.get(type)
    const status = fault ? 'True' : 'False'
    const { reason, message } = fault ?? ok
    const at = conditions.findIndex((one) => one.type === type)
    const old = conditions[at]
    if (old?.status === status && old.reason === reason && old.message === message) continue
    hasChanged = true
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now
    conditions[at < 0 ? conditions.length : at] = {
      ...old,
      type,
      status,
      reason,
      message,
      lastTransitionTime,
    }
  }
  return hasChanged ? conditions : before
}

function faultsOf({ undiscovered, errors, remaining }: Outcome): Map<string, Text> {
  const faults = new Map<string, Text>()
  if (undiscovered.length > 0) {
    const which = undiscovered.map((name) => `${name}: stale GroupVersion discovery: ${name}`).join(', ')
    const message = `Discovery failed for some groups, ${undiscovered.length} failing: unable to retrieve the complete list of server APIs: ${which}`
    faults.set('NamespaceDeletionDiscoveryFailure', { reason: 'DiscoveryFailed', message })
  }
  if (errors.length > 0) {
    const message = `Failed to delete all resource types, ${errors.length} remaining: ${[...errors].sort().join(', ')}`
    faults.set('NamespaceDeletionContentFailure', { reason: 'ContentDeletionFailed', message })
  }
  if (remaining.length > 0) {
    const which = remaining.map(({ resource, objects }) => `${resource} has ${objects} resource instances`)
    const message = `Some resources are remaining: ${which.sort().join(', ')}`
    faults.set('NamespaceContentRemaining', { reason: 'SomeResourcesRemain', message })
  }
  const finalizers = new Map<string, number>()
  for (const one of remaining)
    for (const [name, n] of one.finalizers) finalizers.set(name, (finalizers.get(name) ?? 0) + n)
  if (finalizers.size > 0) {
    const which = [...finalizers].map(([name, n]) => `${name} in ${n} resource instances`)
    const message = `Some content in the namespace has finalizers remaining: ${which.sort().join(', ')}`
    faults.set('NamespaceFinalizersRemaining', { reason: 'SomeFinalizersRemain', message })
  }
  return faults
}
