// Whether a node is one that a pod asks for, and one whose taints it bears. Follows
// k8s.io/component-helpers/scheduling/corev1 (nodeaffinity, helpers.go).
import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from './kinds/core.v1.gen.ts'

const NAME_FIELD = 'metadata.name'

/** By the pod's node selector and its required node affinity. */
export function matchesNode({ nodeSelector = {}, affinity }: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  if (Object.entries(nodeSelector).some(([key, value]) => labels[key] !== value)) return false
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

/** A term that asks for nothing is met by no node. */
function matchesTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  { metadata }: Node,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const label = (key: string): string | undefined => {
    const labels = metadata.labels ?? {}
    return Object.hasOwn(labels, key) ? labels[key] : undefined
  }
  return (
    matchExpressions.every((requirement) => meets(requirement, label(requirement.key))) &&
    matchFields.every((requirement) => requirement.key === NAME_FIELD && meets(requirement, metadata.name))
  )
}

function meets({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt':
      return compares(operator, value, values[0])
    default:
      return false
  }
}

/** Whole numbers only. */
function compares(operator: 'Gt' | 'Lt', value = '', bound = ''): boolean {
  if (!/^[+-]?\d+$/.test(value) || !/^[+-]?\d+$/.test(bound)) return false
  return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
}

/** Whether one of the tolerations bears the taint. */
export const tolerates = (tolerations: readonly Toleration[], taint: Taint): boolean =>
  tolerations.some(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false
    if (key !== '' && key !== taint.key) return false
    if (operator === 'Exists') return true
    return operator === 'Equal' && key !== '' && value === (taint.value ?? '')
  })

/** Whether all taints of these effects are borne. */
export const toleratesAll = (
  tolerations: readonly Toleration[],
  taints: readonly Taint[],
  effects: readonly string[],
): boolean => taints.every((taint) => !effects.includes(taint.effect) || tolerates(tolerations, taint))
