// The nodes that the pod selects, and those that it prefers.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeaffinity.
import { normalizeToMax, type Plugin, type Rejection } from '../plugin.ts'
import { requiredNodes, termTest } from './nodeselection.ts'

const REJECTED: Rejection = {
  plugin: 'NodeAffinity',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  isFinal: true,
}

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  filter: ({ pod }) => {
    const test = requiredNodes(pod)
    return test && { filter: ({ node }) => (test(node) ? undefined : REJECTED) }
  },
  score: {
    weight: 2,
    prepare: ({ pod }) => {
      const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution
      if (!terms?.length) return undefined
      const preferred = terms.map(({ weight, preference }) => ({ weight, test: termTest(preference) }))
      return {
        score: ({ node }) =>
          preferred.reduce((sum, { weight, test }) => (test(node) ? sum + weight : sum), 0),
        normalize: (scores) => normalizeToMax(scores),
      }
    },
  },
  mayHelp: (event, { pod }) => event.kind === 'node' && requiredNodes(pod)?.(event.node) !== false,
}
