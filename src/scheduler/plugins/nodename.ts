// The node that the pod names itself. Follows k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodename.
import type { Plugin, Rejection } from '../plugin.ts'

const REJECTED: Rejection = {
  plugin: 'NodeName',
  reasons: ["node(s) didn't match the requested node name"],
  isFinal: true,
}

export const nodeName: Plugin = {
  name: 'NodeName',
  filter: ({ pod }) => {
    const wanted = pod.spec.nodeName
    if (!wanted) return undefined
    return { key: `name ${wanted}`, filter: ({ name }) => (name === wanted ? undefined : REJECTED) }
  },
  mayHelp: (event) => event.kind === 'node' && event.before === undefined,
}
