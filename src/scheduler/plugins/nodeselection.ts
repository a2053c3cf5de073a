// Which nodes a node selector means. Follows k8s.io/component-helpers/scheduling/corev1/nodeaffinity.
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { type LabelOperator, type Labels, selectorOf } from '../../machinery/labels.ts'

export type NodeTest = (node: Node) => boolean

const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
}
const NO_LABELS: Labels = {}

/** One of the terms has to hold; a term without conditions holds for no node. */
export function anyTerm(terms: readonly NodeSelectorTerm[]): NodeTest {
  const tests = terms.map(termTest)
  return (node) => tests.some((test) => test(node))
}

export function termTest({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): NodeTest {
  if (matchExpressions.length + matchFields.length === 0) return () => false
  const labels = labelTest(matchExpressions)
  const fields = matchFields.map(fieldTest)
  return (node) => labels(node.metadata.labels ?? NO_LABELS) && fields.every((test) => test(node))
}

function labelTest(expressions: readonly NodeSelectorRequirement[]): (labels: Labels) => boolean {
  const requirements = expressions.map(({ key, operator, values = [] }) => ({
    key,
    operator: OPERATORS[operator],
    values,
  }))
  // What cannot be read holds for no node.
  if (requirements.some(({ operator }) => operator === undefined)) return () => false
  const selector = selectorOf(requirements as Parameters<typeof selectorOf>[0] & object)
  return (labels) => selector.matches(labels)
}

/** Upstream knows metadata.name alone. */
function fieldTest({ key, operator, values = [] }: NodeSelectorRequirement): NodeTest {
  if (key !== 'metadata.name') return () => false
  return ({ metadata: { name = '' } }) => (operator === 'In') === values.includes(name)
}

/** What the pod demands of its node; undefined where it demands nothing. */
export function requiredNodes({ spec: { nodeSelector, affinity } }: Pod): NodeTest | undefined {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const wanted = nodeSelector && Object.entries(nodeSelector)
  if (!terms && !wanted?.length) return undefined
  const inTerms = terms ? anyTerm(terms) : undefined
  return (node) => {
    const labels = node.metadata.labels ?? NO_LABELS
    return (wanted?.every(([key, value]) => labels[key] === value) ?? true) && (inTerms?.(node) ?? true)
  }
}
