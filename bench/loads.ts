// What clusters are loaded with: Deployments of small pods, and nodes that nobody runs.

export const ZONE = 'topology.kubernetes.io/zone'
export const HOST = 'kubernetes.io/hostname'

export const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

export function deployment(name: string, replicas: number): object {
  const labels = { app: name }
  const spec = { containers: [{ name: 'app', image: 'registry.k8s.io/pause:3.10' }] }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  }
}

/** Ready, as if a kubelet had said so. */
export function node(i: number): object {
  const capacity = { cpu: '4', memory: '32Gi', pods: '110' }
  const name = `bench-${i}`
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { [HOST]: name, [ZONE]: `zone-${i % 3}` } },
    // What would be written when the node's kubelet is well: nothing else of a cluster runs here.
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True' }] },
  }
}
