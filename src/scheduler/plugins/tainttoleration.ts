// Taints that the pod does not tolerate. Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/tainttoleration.
import { normalizeToMax, type Plugin, type Rejection } from '../plugin.ts'
import { SCHEDULING_EFFECTS, untolerated } from './tolerates.ts'

const REJECTED: Rejection = {
  plugin: 'TaintToleration',
  reasons: ['node(s) had untolerated taint(s)'],
  isFinal: true,
}

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  filter: ({ pod }) => {
    const tolerations = pod.spec.tolerations ?? []
    return {
      filter: ({ taints }) =>
        taints.length > 0 && untolerated(taints, tolerations, SCHEDULING_EFFECTS) ? REJECTED : undefined,
    }
  },
  score: {
    weight: 3,
    prepare: ({ pod }, _cluster, nodes) => {
      const isSoft = ({ effect }: { readonly effect: string }): boolean => effect === 'PreferNoSchedule'
      // Without any such taint all nodes are equally good.
      if (!nodes.some(({ taints }) => taints.some(isSoft))) return undefined
      const tolerations = (pod.spec.tolerations ?? []).filter(
        ({ effect }) => !effect || effect === 'PreferNoSchedule',
      )
      return {
        score: ({ taints }) =>
          taints.filter((taint) => untolerated([taint], tolerations, ['PreferNoSchedule'])).length,
        normalize: (scores) => normalizeToMax(scores, true),
      }
    },
  },
  mayHelp: (event, { pod }) =>
    event.kind === 'node' &&
    !untolerated(event.node.spec.taints ?? [], pod.spec.tolerations ?? [], SCHEDULING_EFFECTS),
}
