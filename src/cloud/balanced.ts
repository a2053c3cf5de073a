// Which Services want a balancer, which changes of them and of nodes matter to it.
// Follows k8s.io/cloud-provider/controllers/service (needsUpdate, the predicates of nodes) and service/helpers.
import type { Node, Service } from '../client/kinds/core.v1.gen.ts'

/** Held by Services whose balancer has to be taken away before they go. */
export const CLEANUP_FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'
const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers'
const TO_BE_DELETED_TAINT = 'ToBeDeletedByClusterAutoscaler'

/** One with a class is somebody else's. */
export const wantsBalancer = ({ spec }: Service): boolean =>
  spec?.type === 'LoadBalancer' && spec.loadBalancerClass === undefined

export const hasFinalizer = ({ metadata }: Service): boolean =>
  metadata.finalizers?.includes(CLEANUP_FINALIZER) === true

export const needsCleanup = (service: Service): boolean =>
  hasFinalizer(service) &&
  (service.metadata.deletionTimestamp !== undefined || service.spec?.type !== 'LoadBalancer')

/** Whether a balancer has to be made, changed or taken away. */
export function needsUpdate(before: Service, after: Service): boolean {
  if (!wantsBalancer(before) && !wantsBalancer(after)) return false
  if (wantsBalancer(before) !== wantsBalancer(after)) return true
  return shapeOf(before) !== shapeOf(after)
}

/** What of a Service its balancer is made by, as a text to compare. */
const shapeOf = ({ metadata, spec }: Service): string =>
  JSON.stringify([
    metadata.uid,
    Object.entries(metadata.annotations ?? {}).sort(),
    spec?.loadBalancerSourceRanges ?? [],
    (spec?.ports ?? []).map((port) => [
      port.name,
      port.protocol,
      port.port,
      port.nodePort,
      port.targetPort,
      port.appProtocol,
    ]),
    spec?.sessionAffinity,
    spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds,
    spec?.loadBalancerIP ?? '',
    spec?.externalIPs ?? [],
    spec?.externalTrafficPolicy,
    spec?.healthCheckNodePort,
    spec?.ipFamilies?.length,
  ])

/** The label as Go reads a boolean; what is none keeps the node out. */
const TRUE_OR_FALSE: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false] as const),
])

const isIncluded = ({ metadata }: Node): boolean => {
  const label = metadata.labels?.[EXCLUDE_LABEL]
  return label === undefined || TRUE_OR_FALSE.get(label) === false
}

/** The nodes that balancers may lead to. */
export const balancedNodes = (nodes: readonly Node[]): readonly Node[] =>
  nodes.filter(
    (node) =>
      node.metadata.deletionTimestamp === undefined &&
      isIncluded(node) &&
      !node.spec.taints?.some(({ key }) => key === TO_BE_DELETED_TAINT),
  )

/** Whether a change of a node can change whom balancers lead to. */
export const changesBalancers = (before: Node, after: Node): boolean =>
  isIncluded(before) !== isIncluded(after) || before.spec.providerID !== after.spec.providerID

/** Names and machines of nodes, as a text to compare. */
export const nodesKey = (nodes: readonly Node[]): string =>
  JSON.stringify(nodes.map(({ metadata, spec }) => [metadata.name, spec.providerID]).sort())

/** More names are not told of. */
const MAX_NAMES = 20

/** "[a b <3 more>]", as upstream's messages name nodes. */
export function namesOf(nodes: readonly Node[]): string {
  const names = nodes
    .slice(0, MAX_NAMES)
    .map(({ metadata }) => metadata.name ?? '')
    .sort()
  if (nodes.length > MAX_NAMES) names.push(`<${nodes.length - MAX_NAMES} more>`)
  return `[${names.join(' ')}]`
}
