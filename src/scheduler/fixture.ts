// Clusters for tests of single rules: nodes and pods in a few words.
import type { Node, Pod, PodSpec } from '../client/kinds/core.v1.gen.ts'
import { ClusterView } from './clusterview.ts'
import { isRejection, type Plugin } from './plugin.ts'
import { type PodInfo, podInfo } from './podinfo.ts'
import type { ObjectSources } from './sources.ts'

export const NO_SOURCES: ObjectSources = {
  namespace: () => undefined,
  servicesIn: () => [],
  replicaSet: () => undefined,
  statefulSet: () => undefined,
  replicationController: () => undefined,
  claim: () => undefined,
  volume: () => undefined,
  volumes: () => [],
  storageClass: () => undefined,
  csiNode: () => undefined,
  csiDriver: () => undefined,
  capacities: () => [],
  resourceClaim: () => undefined,
  resourceClaims: () => [],
  deviceClass: () => undefined,
  classForResource: () => undefined,
  resourceSlices: () => [],
  slicesVersion: () => 0,
  budgetsIn: () => [],
}

export function aNode(
  name: string,
  more: { spec?: Node['spec']; labels?: Record<string, string>; status?: object } = {},
): Node {
  const allocatable = { cpu: '4', memory: '8Gi', pods: '10' }
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.labels } },
    spec: more.spec ?? {},
    status: { allocatable, ...more.status } as unknown as Node['status'],
  }
}

let pods = 0

export function aPod(spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): PodInfo {
  const name = `pod-${++pods}`
  return podInfo({
    metadata: { name, uid: name, namespace: 'default', ...metadata },
    spec: { schedulerName: 'default-scheduler', containers: [{ name: 'app', resources: {} }], ...spec },
    status: {},
  })
}

/** A pod whose one container requests this. */
export const asking = (requests: Record<string, string>, metadata: Partial<Pod['metadata']> = {}): PodInfo =>
  aPod({ containers: [{ name: 'app', resources: { requests } }] }, metadata)

export function clusterOf(
  nodes: readonly Node[],
  placed: readonly (readonly [PodInfo, string])[] = [],
  sources: Partial<ObjectSources> = {},
): ClusterView {
  const cluster = new ClusterView({ ...NO_SOURCES, ...sources })
  for (const node of nodes) cluster.setNode(node)
  for (const [pod, node] of placed) cluster.place(pod, node)
  return cluster
}

/** By node: why it will not do, or "ok"; one text where no node will do. */
export function verdicts(
  plugin: Plugin,
  pod: PodInfo,
  cluster: ClusterView,
): Record<string, string> | string {
  const work = plugin.filter?.(pod, cluster)
  if (work && isRejection(work)) return work.reasons.join(', ')
  return Object.fromEntries(
    cluster.nodes.map((node) => [node.name, work?.filter(node)?.reasons.join(', ') ?? 'ok']),
  )
}

/** By node: its score, as it is before weights. */
export function scores(plugin: Plugin, pod: PodInfo, cluster: ClusterView): Record<string, number> {
  const work = plugin.score?.prepare(pod, cluster, cluster.nodes)
  const found = cluster.nodes.map((node) => work?.score(node) ?? 0)
  work?.normalize?.(found, cluster.nodes)
  return Object.fromEntries(cluster.nodes.map(({ name }, i) => [name, found[i] as number]))
}
