// metrics.k8s.io for simulated nodes: what `kubectl top` and the autoscaler ask. The amounts are those that pods declare,
// and every object says that it is simulated. Follows sigs.k8s.io/metrics-server and k8s.io/metrics/pkg/apis/metrics/v1beta1.
//
// DEVIATION: upstream serves this group by a server of its own. Where such a server is registered, it is asked instead.
import { measuredHandlers } from '../../handlers/computed.ts'
import type { NodeAgent } from '../../kubelet/agent.ts'
import { SIMULATED_LABEL } from '../../client/simulated.ts'
import { type PodUsage, total, type Usage } from '../../kubelet/usage.ts'
import type { Registration } from '../../machinery/apiregistration.ts'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { definitionOf } from '../../registry/custom/definition.ts'
import { resourcesOf } from '../../registry/custom/resources.ts'
import type { AddedResource } from '../apiserver/apiserver.ts'

const GROUP = 'metrics.k8s.io'
const VERSION = 'v1beta1'
/** Its APIService, with upstream's priorities. */
export const METRICS: Registration = {
  group: GROUP,
  version: VERSION,
  groupPriority: 100,
  versionPriority: 100,
}
/** How often a metrics server looks. */
const WINDOW = '15s'
const NANO = 1e9
const KIB = 1024

/** nodes and pods of the group. */
export function metricsResources(agent: NodeAgent): AddedResource[] {
  const nodes = (): KubeObject[] => nodeMetrics(agent)
  const pods = (namespace: string): KubeObject[] =>
    agent
      .usages()
      .filter(({ pod, containers }) => {
        const isAsked = namespace === '' || pod.metadata.namespace === namespace
        return isAsked && containers.length > 0
      })
      .map(podMetrics)
  return [
    ...added({ plural: 'nodes', kind: 'NodeMetrics', scope: 'Cluster' }, nodes),
    ...added({ plural: 'pods', kind: 'PodMetrics', scope: 'Namespaced' }, pods),
  ]
}

interface Names {
  readonly plural: string
  readonly kind: string
  readonly scope: string
}

/** The resource as a definition would add it, but that it can be read alone. */
function added({ plural, kind, scope }: Names, list: (namespace: string) => KubeObject[]): AddedResource[] {
  const names = { plural, singular: '', kind, listKind: `${kind}List` }
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const definition = definitionOf({
    metadata: { name: `${plural}.${GROUP}` },
    spec: { group: GROUP, scope, names, versions: [{ name: VERSION, served: true, storage: true, schema }] },
    status: { acceptedNames: names, conditions: [{ type: 'Established', status: 'True' }] },
  })
  return resourcesOf(definition).map((resource) => ({
    resource: { ...resource, row: { ...resource.row, verbs: ['get', 'list'], storagePrefix: '' } },
    handlers: measuredHandlers({ list }),
  }))
}

function nodeMetrics(agent: NodeAgent): KubeObject[] {
  const byNode = new Map<string, PodUsage[]>()
  for (const usage of agent.usages()) {
    const name = usage.pod.spec.nodeName ?? ''
    byNode.set(name, [...(byNode.get(name) ?? []), usage])
  }
  return agent.nodes().map(({ metadata: { name = '', labels = {} } }) => ({
    kind: 'NodeMetrics',
    apiVersion: `${GROUP}/${VERSION}`,
    ...measured({ name, labels }),
    usage: usageOf(total(byNode.get(name) ?? [])),
  }))
}

function podMetrics({ pod, containers }: PodUsage): KubeObject {
  const { name = '', namespace = '', labels = {} } = pod.metadata
  return {
    kind: 'PodMetrics',
    apiVersion: `${GROUP}/${VERSION}`,
    ...measured({ name, namespace, labels }),
    containers: containers.map((one) => ({ name: one.name, usage: usageOf(one) })),
  }
}

function measured(metadata: KubeObject['metadata']): Pick<KubeObject, 'metadata'> & JsonObject {
  const timestamp = `${new Date().toISOString().slice(0, 19)}Z`
  const annotations = { [SIMULATED_LABEL]: 'true' }
  return { metadata: { ...metadata, creationTimestamp: timestamp, annotations }, timestamp, window: WINDOW }
}

const usageOf = ({ cpu, memory }: Usage): JsonObject => ({
  cpu: cpu === 0 ? '0' : `${Math.round(cpu * NANO)}n`,
  memory: memory % KIB === 0 ? `${memory / KIB}Ki` : String(Math.round(memory)),
})
