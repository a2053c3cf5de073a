// Taints that the pod does not tolerate. Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/tainttoleration.
import type { Node } from '../../client/kinds/core.v1.gen.ts'
import { normalizeToMax, type Plugin, type Rejection } from '../plugin.ts'
import { nodeTaintsChanged, ownTolerationsChanged } from './hints.ts'
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
      key: `tolerates ${JSON.stringify(tolerations)}`,
      filter: ({ taints }) =>
        taints.length > 0 && untolerated(taints, tolerations, SCHEDULING_EFFECTS) ? REJECTED : undefined,
    }
  },
  score: {
    weight: 3,
    prepare: ({ pod }, { hasAvoided }) => {
      // Without any such taint all nodes are equally good.
      if (!hasAvoided) return undefined
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
  mayHelp: (event, info) => {
    if (ownTolerationsChanged(event, info)) return true
    if (!nodeTaintsChanged(event)) return false
    const { tolerations = [] } = info.pod.spec
    const isTolerated = ({ spec }: Node): boolean =>
      !untolerated(spec.taints ?? [], tolerations, SCHEDULING_EFFECTS)
    return isTolerated(event.node) && (event.before === undefined || !isTolerated(event.before))
  },
}
