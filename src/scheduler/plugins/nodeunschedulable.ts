// Cordoned nodes. Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeunschedulable.
import type { Plugin, Rejection } from '../plugin.ts'
import { ownTolerationsChanged } from './hints.ts'
import { untolerated } from './tolerates.ts'

const REJECTED: Rejection = {
  plugin: 'NodeUnschedulable',
  reasons: ['node(s) were unschedulable'],
  isFinal: true,
}
const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter: ({ pod }) => {
    if (!untolerated([TAINT], pod.spec.tolerations ?? [], ['NoSchedule'])) return undefined
    return {
      key: 'unschedulable',
      filter: ({ node }) => (node.spec.unschedulable === true ? REJECTED : undefined),
    }
  },
  mayHelp: (event, pod) =>
    ownTolerationsChanged(event, pod) ||
    (event.kind === 'node' &&
      event.node.spec.unschedulable !== true &&
      (event.before === undefined || event.before.spec.unschedulable === true)),
}
