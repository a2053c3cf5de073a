// The pods of a DaemonSet: for which nodes they are, what they bear, whether they are of the newest template.
// Follows k8s.io/kubernetes/pkg/controller/daemon/util.
import type { DaemonSet } from '../../client/kinds/apps.v1.gen.ts'
import type { Node, Pod, PodSpec, Toleration } from '../../client/kinds/core.v1.gen.ts'
import { matchesNode, toleratesAll } from '../../client/nodefit.ts'
import { podOfTemplate } from '../../client/podcontrol.ts'
import { DAEMON_SETS } from '../../client/resources.ts'
import { scaled } from '../../client/scaled.ts'

export const HASH_LABEL = 'controller-revision-hash'
const GENERATION_LABEL = 'pod-template-generation'
const GENERATION = 'deprecated.daemonset.template.generation'
const NAME_FIELD = 'metadata.name'

const bears = (name: string, effect: string): Toleration => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect,
})

/** Daemons stay on nodes that are in trouble: they may be what helps. */
const ALWAYS: readonly Toleration[] = [
  bears('not-ready', 'NoExecute'),
  bears('unreachable', 'NoExecute'),
  bears('disk-pressure', 'NoSchedule'),
  bears('memory-pressure', 'NoSchedule'),
  bears('pid-pressure', 'NoSchedule'),
  bears('unschedulable', 'NoSchedule'),
]

function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const added = hostNetwork ? [...ALWAYS, bears('network-unavailable', 'NoSchedule')] : ALWAYS
  const isAdded = (one: Toleration): boolean =>
    added.some(
      ({ key, effect }) =>
        one.key === key && one.effect === effect && one.operator === 'Exists' && !one.value,
    )
  return [...tolerations.filter((one) => !isAdded(one)), ...added]
}

export interface Fit {
  /** A pod should be made there. */
  readonly runs: boolean
  /** A pod that is there may stay. */
  readonly stays: boolean
}

const NOWHERE: Fit = { runs: false, stays: false }

/** Which nodes the set is for. The function is for one pass: it holds what the template bears. */
export function fitOf({ spec }: DaemonSet): (node: Node) => Fit {
  const template = spec.template.spec
  const tolerations = tolerationsOf(template)
  return (node) => {
    if (template.nodeName && template.nodeName !== node.metadata.name) return NOWHERE
    if (!matchesNode(template, node)) return NOWHERE
    const taints = node.spec.taints ?? []
    if (taints.length === 0 || toleratesAll(tolerations, taints, ['NoSchedule', 'NoExecute'])) {
      return { runs: true, stays: true }
    }
    return { runs: false, stays: toleratesAll(tolerations, taints, ['NoExecute']) }
  }
}

/** The pod for a node: the scheduler binds it, but can bind it nowhere else. */
export function podFor(set: DaemonSet, node: string, hash: string): Pod {
  const pod = podOfTemplate(set.spec.template, { resource: DAEMON_SETS, object: set })
  const generation = set.metadata.annotations?.[GENERATION]
  const nodeSelectorTerms = [{ matchFields: [{ key: NAME_FIELD, operator: 'In', values: [node] }] }]
  const { affinity } = pod.spec
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        ...(isGeneration(generation) ? { [GENERATION_LABEL]: generation } : {}),
        [HASH_LABEL]: hash,
      },
    },
    spec: {
      ...pod.spec,
      tolerations: tolerationsOf(pod.spec),
      affinity: {
        ...affinity,
        nodeAffinity: {
          ...affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
        },
      },
    },
  }
}

const isGeneration = (text: string | undefined): text is string => text !== undefined && /^-?\d+$/.test(text)

/** The node that a pod is on or is for; undefined where it does not say. */
export function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const field = matchFields.find(({ key, operator }) => key === NAME_FIELD && operator === 'In')
    if (field) return field.values?.length === 1 ? field.values[0] : undefined
  }
  return undefined
}

/** Of the newest template: by its hash, or by the number that old clusters gave. */
export function isUpdated({ metadata }: DaemonSet, pod: Pod, hash: string): boolean {
  const generation = metadata.annotations?.[GENERATION]
  const { labels = {} } = pod.metadata
  return labels[HASH_LABEL] === hash || (isGeneration(generation) && labels[GENERATION_LABEL] === generation)
}

/** Those on their nodes first, then the oldest. */
export function byAge(a: Pod, b: Pod): number {
  const key = ({ metadata, spec }: Pod): string =>
    `${spec.nodeName ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name}`
  return key(a) < key(b) ? -1 : 1
}

/** How many nodes may have a second pod, and how many may have none, while the set is updated. */
export function boundsOf({ spec }: DaemonSet, nodes: number): { surge: number; unavailable: number } {
  const { type, rollingUpdate } = spec.updateStrategy
  if (type !== 'RollingUpdate') return { surge: 0, unavailable: 0 }
  const surge = scaled(rollingUpdate?.maxSurge, nodes, 'up')
  const unavailable = scaled(rollingUpdate?.maxUnavailable, nodes, 'up')
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

export const allowsSurge = (set: DaemonSet): boolean => boundsOf(set, 1).surge > 0
