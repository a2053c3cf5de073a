// The Service kubernetes and its endpoints: how pods reach the API server.
// Follows k8s.io/kubernetes/pkg/controlplane/controller/kubernetesservice and pkg/controlplane/reconcilers.
import { isIPv6 } from 'node:net'
import type { KubeObject } from '../../machinery/object.ts'

const HTTPS_PORT = 443

export const kubernetesService = (clusterIP: string, targetPort: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'kubernetes',
    namespace: 'default',
    labels: { provider: 'kubernetes', component: 'apiserver' },
  },
  spec: {
    clusterIP,
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ports: [{ name: 'https', protocol: 'TCP', port: HTTPS_PORT, targetPort }],
  },
})

/** An EndpointSlice and the older Endpoints, both kept by the server itself. */
export function kubernetesEndpoints(address: string, port: number): KubeObject[] {
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  return [
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
      },
      subsets: [{ addresses: [{ ip: address }], ports }],
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': 'kubernetes' },
      },
      addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports,
    },
  ]
}
