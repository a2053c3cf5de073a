// What a Job's policies make of a failed pod and of the indexes that succeeded. Follows
// k8s.io/kubernetes/pkg/controller/job (pod_failure_policy.go, success_policy.go).
import type { JobSpec, PodFailurePolicyRule } from '../../client/kinds/batch.v1.gen.ts'
import type { ContainerStatus, Pod } from '../../client/kinds/core.v1.gen.ts'
import { type Indexes, overlap, parse, total } from './indexes.ts'

export interface Verdict {
  /** Whether the failure counts toward the limit. */
  readonly counts: boolean
  /** Why the whole job fails, if it does. */
  readonly failsJob?: string
  readonly failsIndex?: boolean
}

const COUNTED: Verdict = { counts: true }

/** The first rule that matches decides. */
export function judgeFailure({ podFailurePolicy }: JobSpec, pod: Pod): Verdict {
  const rules = podFailurePolicy?.rules ?? []
  for (const [index, rule] of rules.entries()) {
    const found = matchRule(rule, pod)
    if (found === undefined) continue
    if (rule.action === 'Ignore') return { counts: false }
    if (rule.action === 'FailIndex') return { counts: true, failsIndex: true }
    if (rule.action === 'Count') return COUNTED
    if (rule.action === 'FailJob') {
      return { counts: true, failsJob: `${found} matching ${rule.action} rule at index ${index}` }
    }
  }
  return COUNTED
}

/** What of the pod matches, in words; undefined where nothing does. */
function matchRule({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`
  if (onExitCodes) {
    const { containerName, operator, values } = onExitCodes
    const matches = (status: ContainerStatus): boolean => {
      const code = status.state?.terminated?.exitCode ?? 0
      if (code === 0 || (containerName !== undefined && containerName !== status.name)) return false
      return operator === 'In' ? values.includes(code) : operator === 'NotIn' && !values.includes(code)
    }
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status
    const found = containerStatuses.find(matches) ?? initContainerStatuses.find(matches)
    const code = found?.state.terminated?.exitCode
    return found && `Container ${found.name} for pod ${name} failed with exit code ${code}`
  }
  const condition = pod.status.conditions?.find(({ type, status }) =>
    (onPodConditions ?? []).some((pattern) => pattern.type === type && pattern.status === status),
  )
  return condition && `Pod ${name} has condition ${condition.type}`
}

/** Why the job is a success already; undefined where it is not. */
export function judgeSuccess(
  { successPolicy, completions = 0 }: JobSpec,
  succeeded: Indexes,
): string | undefined {
  if (succeeded.length === 0) return undefined
  const rule = (successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined)
      return succeededCount !== undefined && total(succeeded) >= succeededCount
    const wanted = parse(succeededIndexes, completions)
    if (wanted.length === 0) return false
    const met = overlap(wanted, succeeded)
    return met === total(wanted) || (succeededCount !== undefined && met >= succeededCount)
  })
  return rule < 0 ? undefined : `Matched rules at index ${rule}`
}
