// The nodes that the pod selects, and those that it prefers.
// Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeaffinity.
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { DEFAULT_ARGS, type PluginArgs } from '../config/args.ts'
import { normalizeToMax, type Plugin, type Rejection } from '../plugin.ts'
import { nodeLabelsChanged } from './hints.ts'
import { anyTerm, requiredNodes, termTest } from './nodeselection.ts'

const REJECTED: Rejection = {
  plugin: 'NodeAffinity',
  reasons: ["node(s) didn't match Pod's node affinity/selector"],
  isFinal: true,
}

const ENFORCED: Rejection = {
  plugin: 'NodeAffinity',
  reasons: ["node(s) didn't match scheduler-enforced node affinity"],
  isFinal: true,
}

/** `addedAffinity` is demanded of the nodes of every pod, and preferred for every pod. */
export function nodeAffinityWith({ addedAffinity }: PluginArgs['NodeAffinity']): Plugin {
  const { requiredDuringSchedulingIgnoredDuringExecution: required } = addedAffinity ?? {}
  const enforced = required && anyTerm(required.nodeSelectorTerms)
  const added = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return {
    name: 'NodeAffinity',
    filter: ({ pod }) => {
      const test = requiredNodes(pod)
      if (!enforced && !test) return undefined
      const { nodeSelector, affinity } = pod.spec
      const demanded = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      const key = `affinity ${JSON.stringify([nodeSelector, demanded])}`
      if (!enforced) return test && { key, filter: ({ node }) => (test(node) ? undefined : REJECTED) }
      return {
        key,
        filter: ({ node }) => {
          if (!enforced(node)) return ENFORCED
          return test?.(node) === false ? REJECTED : undefined
        },
      }
    },
    score: {
      weight: 2,
      prepare: ({ pod }) => {
        const own = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
        const terms = [...added, ...own]
        if (terms.length === 0) return undefined
        const preferred = terms.map(({ weight, preference }) => ({ weight, test: termTest(preference) }))
        return {
          score: ({ node }) =>
            preferred.reduce((sum, { weight, test }) => (test(node) ? sum + weight : sum), 0),
          normalize: (scores) => normalizeToMax(scores),
        }
      },
    },
    mayHelp: (event, { pod }) => {
      if (!nodeLabelsChanged(event)) return false
      const test = requiredNodes(pod)
      const isMeant = (node: Node): boolean => enforced?.(node) !== false && test?.(node) !== false
      return isMeant(event.node) && (event.before === undefined || !isMeant(event.before))
    },
  }
}

export const nodeAffinity = nodeAffinityWith(DEFAULT_ARGS.NodeAffinity)
