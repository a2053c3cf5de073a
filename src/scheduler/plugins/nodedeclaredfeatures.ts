// Nodes that say that they can do what the pod needs. Follows
// k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodedeclaredfeatures and k8s.io/component-helpers/nodedeclaredfeatures.
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { Plugin, Rejection } from '../plugin.ts'

const NAME = 'NodeDeclaredFeatures'
const REJECTED: Rejection = {
  plugin: NAME,
  reasons: ["node(s) didn't match Pod's required features"],
  isFinal: true,
}

/** What pods need of their nodes from the start; other features are needed by changes of pods alone. */
const NEEDS: readonly (readonly [feature: string, isNeeded: (spec: Pod['spec']) => boolean])[] = [
  [
    'RestartAllContainersOnContainerExits',
    ({ containers, initContainers = [] }) =>
      [...containers, ...initContainers].some(({ restartPolicyRules }) =>
        restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
      ),
  ],
  [
    'UserNamespacesHostNetworkSupport',
    ({ hostNetwork, hostUsers }) => hostNetwork === true && hostUsers === false,
  ],
]

const needsOf = ({ spec }: Pod): string[] =>
  NEEDS.filter(([, isNeeded]) => isNeeded(spec)).map(([feature]) => feature)

export const nodeDeclaredFeatures: Plugin = {
  name: NAME,
  filter: ({ pod }) => {
    const needs = needsOf(pod)
    if (needs.length === 0) return undefined
    return {
      key: needs.join(),
      filter: ({ node: { status } }) =>
        needs.every((feature) => status.declaredFeatures?.includes(feature)) ? undefined : REJECTED,
    }
  },
  mayHelp: (event, pod) => {
    if (event.kind === 'self') return needsOf(event.before.pod).join() !== needsOf(pod.pod).join()
    if (event.kind !== 'node') return false
    const { before, node } = event
    return !before || before.status.declaredFeatures?.join() !== node.status.declaredFeatures?.join()
  },
}
