// A pod with what the scheduler reads of it over and over, worked out once.
// Follows PodInfo and AffinityTerm of k8s.io/kubernetes/pkg/scheduler/framework/types.go.
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../client/kinds/core.v1.gen.ts'
import { heldSpec } from '../machinery/heldresources.ts'
import type { JsonObject } from '../machinery/json.ts'
import { type LabelSelector, NOTHING, selectorOfObject } from '../machinery/labels.ts'
import { type PodRequests, podRequests } from './amounts.ts'

/** Which pods a term means, and within what they are near each other. */
export interface Term {
  /** The same for terms that mean the same. */
  readonly key: string
  readonly topologyKey: string
  readonly selector: LabelSelector
  readonly namespaces: ReadonlySet<string>
  /** undefined: the namespaces alone. */
  readonly namespaceSelector: LabelSelector | undefined
}

export interface WeightedTerm {
  readonly weight: number
  readonly term: Term
}

export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

export interface PodInfo extends PodRequests {
  readonly pod: Pod
  readonly key: string
  readonly uid: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** The same for pods with the same labels. */
  readonly signature: string
  readonly priority: number
  readonly ports: readonly HostPort[]
  readonly affinity: readonly Term[]
  readonly antiAffinity: readonly Term[]
  readonly preferred: readonly WeightedTerm[]
  readonly avoided: readonly WeightedTerm[]
}

/** The pod's spec, with what its node has granted it where that differs. */
export const heldOf = ({ spec, status }: Pod): Pod['spec'] =>
  heldSpec(spec as unknown as JsonObject, status) as unknown as Pod['spec']

const NO_LABELS: Readonly<Record<string, string>> = {}
const NONE: readonly never[] = []

export function podInfo(pod: Pod): PodInfo {
  const { name = '', namespace = '', uid = '', labels = NO_LABELS } = pod.metadata
  const { affinity } = pod.spec
  const terms = (list: readonly PodAffinityTerm[] | undefined): readonly Term[] =>
    list?.map((one) => termOf(one, namespace)) ?? NONE
  const weighted = (list: readonly WeightedPodAffinityTerm[] | undefined): readonly WeightedTerm[] =>
    list?.map(({ weight, podAffinityTerm }) => ({ weight, term: termOf(podAffinityTerm, namespace) })) ?? NONE
  return {
    pod,
    key: `${namespace}/${name}`,
    uid,
    namespace,
    labels,
    signature: labels === NO_LABELS ? '' : JSON.stringify(labels),
    priority: pod.spec.priority ?? 0,
    ports: portsOf(pod),
    affinity: terms(affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: terms(affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: weighted(affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    avoided: weighted(affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    ...podRequests(heldOf(pod)),
  }
}

/** A selector that cannot be read, which validation lets nobody store, selects nothing. */
export function selectorOrNothing(object: unknown): LabelSelector {
  try {
    return selectorOfObject(object)
  } catch {
    return NOTHING
  }
}

function termOf(term: PodAffinityTerm, namespace: string): Term {
  const { namespaces = [], namespaceSelector, labelSelector, topologyKey } = term
  const own = namespaces.length === 0 && namespaceSelector === undefined ? [namespace] : namespaces
  return {
    key: JSON.stringify([own, namespaceSelector, labelSelector, topologyKey]),
    topologyKey,
    selector: selectorOrNothing(labelSelector),
    namespaces: new Set(own),
    namespaceSelector: namespaceSelector === undefined ? undefined : selectorOrNothing(namespaceSelector),
  }
}

/** Labels of a namespace. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

export function termMatches(
  term: Term,
  pod: Pick<PodInfo, 'namespace' | 'labels'>,
  labelsOf: NamespaceLabels,
): boolean {
  const inNamespace =
    term.namespaces.has(pod.namespace) || term.namespaceSelector?.matches(labelsOf(pod.namespace)) === true
  return inNamespace && term.selector.matches(pod.labels)
}

function portsOf({ spec }: Pod): readonly HostPort[] {
  const sidecars = spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? []
  const found: HostPort[] = []
  for (const { ports } of [...sidecars, ...spec.containers]) {
    for (const { hostPort = 0, hostIP, protocol = 'TCP' } of ports ?? []) {
      if (hostPort > 0) found.push({ ip: hostIP || '0.0.0.0', protocol, port: hostPort })
    }
  }
  return found.length === 0 ? NONE : found
}
