// What valid objects of each stored kind hold besides their names, with more than the least in it.
import type { JsonObject } from '../../src/machinery/json.ts'
import { EXTENSION_SAMPLES } from './samples-extensions.ts'

const LABELS = { app: 'web' }
const SELECTOR = {
  matchLabels: LABELS,
  matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }],
}
const CONTAINER = {
  name: 'c',
  image: 'registry.example.com/web:1',
  command: ['/bin/web'],
  env: [
    { name: 'A', value: 'ä€😀' },
    { name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  ],
  ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1500m' } },
  readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 7 },
  securityContext: { runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
  volumeMounts: [{ name: 'v', mountPath: '/v' }],
}
const POD = { containers: [CONTAINER], volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }] }
const TEMPLATE = { metadata: { labels: LABELS }, spec: POD }
const WORKLOAD = { selector: { matchLabels: LABELS }, template: TEMPLATE }
const JOB = { backoffLimit: 3, template: { spec: { ...POD, restartPolicy: 'Never' } } }
const CLAIM = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const NODE = { nodeName: 'n1' }

/** By group and resource; `metadata` joins the object's own. */
export const SAMPLES: Readonly<Record<string, JsonObject>> = {
  '/configmaps': {
    data: { a: '1 ä€😀', 'b.txt': 'line\nline' },
    binaryData: { b: 'AP8B' },
    immutable: false,
  },
  '/endpoints': {
    subsets: [
      {
        addresses: [
          { ip: '10.1.2.3', hostname: 'h', targetRef: { kind: 'Pod', name: 'p', namespace: 'default' } },
        ],
        ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      },
    ],
  },
  '/events': {
    involvedObject: { kind: 'Pod', name: 'a', namespace: 'default', apiVersion: 'v1' },
    reason: 'Started',
    message: 'Started container',
    source: { component: 'kubelet', host: 'n1' },
    firstTimestamp: '2026-01-02T03:04:05Z',
    lastTimestamp: '2026-01-02T03:04:06Z',
    count: 2,
    type: 'Normal',
  },
  '/limitranges': {
    spec: {
      limits: [
        { type: 'Container', max: { cpu: '2' }, default: { cpu: '1' }, defaultRequest: { cpu: '0.5' } },
      ],
    },
  },
  '/namespaces': { metadata: { labels: LABELS } },
  '/nodes': {
    spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'], taints: [{ key: 'k', effect: 'NoSchedule' }] },
    status: { capacity: { cpu: '4', memory: '8Gi' }, nodeInfo: { kubeletVersion: 'v1.36.3' } },
  },
  '/persistentvolumeclaims': { spec: { ...CLAIM, storageClassName: 'fast', volumeMode: 'Block' } },
  '/persistentvolumes': {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/x', type: '' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }],
        },
      },
    },
  },
  '/pods': {
    spec: {
      ...POD,
      serviceAccountName: 'default',
      automountServiceAccountToken: false,
      tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: SELECTOR, topologyKey: 'kubernetes.io/hostname' },
          ],
        },
      },
    },
  },
  '/podtemplates': { template: TEMPLATE },
  '/replicationcontrollers': { spec: { replicas: 2, selector: LABELS, template: TEMPLATE } },
  '/resourcequotas': { spec: { hard: { 'count/widgets.example.com': '10' } } },
  '/secrets': { type: 'Opaque', data: { a: 'AP8B' }, stringData: { b: 'text' } },
  '/serviceaccounts': { imagePullSecrets: [{ name: 's' }], automountServiceAccountToken: false },
  '/services': {
    spec: {
      type: 'LoadBalancer',
      selector: LABELS,
      externalTrafficPolicy: 'Local',
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' },
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 5353 },
      ],
    },
  },
  'apiregistration.k8s.io/apiservices': {
    spec: {
      group: 'sample.example.com',
      version: 'v1',
      service: { namespace: 'default', name: 'absent', port: 443 },
      insecureSkipTLSVerify: true,
      groupPriorityMinimum: 10,
      versionPriority: 10,
    },
  },
  'apps/controllerrevisions': { revision: 3, data: { spec: { a: [1, 2.5, null, 'x'] } } },
  'apps/daemonsets': {
    spec: {
      ...WORKLOAD,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '20%' } },
    },
  },
  'apps/deployments': {
    spec: { ...WORKLOAD, replicas: 3, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } } },
  },
  'apps/replicasets': { spec: { ...WORKLOAD, replicas: 2, minReadySeconds: 5 } },
  'apps/statefulsets': {
    spec: {
      ...WORKLOAD,
      serviceName: 's',
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: CLAIM }],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
    },
  },
  'events.k8s.io/events': {
    eventTime: '2026-01-02T03:04:05.000006Z',
    reportingController: 'example.com/c',
    reportingInstance: 'c-1',
    action: 'Binding',
    reason: 'Scheduled',
    note: 'assigned',
    regarding: { kind: 'Pod', name: 'a', namespace: 'default', apiVersion: 'v1' },
    series: { count: 2, lastObservedTime: '2026-01-02T03:04:06.000007Z' },
    type: 'Normal',
  },
  'autoscaling/horizontalpodautoscalers': {
    spec: {
      minReplicas: 2,
      maxReplicas: 5,
      scaleTargetRef: { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' },
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
        },
        {
          type: 'Pods',
          pods: {
            metric: { name: 'rate', selector: SELECTOR },
            target: { type: 'AverageValue', averageValue: '150m' },
          },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    },
  },
  'batch/cronjobs': { spec: { schedule: '*/5 * * * *', timeZone: 'Etc/UTC', jobTemplate: { spec: JOB } } },
  'batch/jobs': { spec: { ...JOB, completions: 4, parallelism: 2, completionMode: 'Indexed' } },
  'networking.k8s.io/ingressclasses': { spec: { controller: 'example.com/c' } },
  'networking.k8s.io/ingresses': {
    spec: {
      tls: [{ hosts: ['a.example.com'], secretName: 's' }],
      rules: [
        {
          host: 'a.example.com',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } },
              { path: '/x', pathType: 'Exact', backend: { service: { name: 's', port: { name: 'http' } } } },
            ],
          },
        },
      ],
    },
  },
  'networking.k8s.io/ipaddresses': {
    spec: {
      parentRef: { group: 'gateway.example.com', resource: 'gateways', namespace: 'default', name: 'g' },
    },
  },
  'networking.k8s.io/networkpolicies': {
    spec: {
      podSelector: SELECTOR,
      ingress: [
        {
          from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }, { podSelector: {} }],
          ports: [
            { port: 'http', protocol: 'TCP' },
            { port: 5000, endPort: 6000 },
          ],
        },
      ],
      egress: [{}],
    },
  },
  'networking.k8s.io/servicecidrs': { spec: { cidrs: ['10.200.0.0/24'] } },
  'policy/poddisruptionbudgets': {
    spec: { minAvailable: '50%', selector: SELECTOR, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
  },
  'rbac.authorization.k8s.io/clusterrolebindings': {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [
      { kind: 'User', name: 'u' },
      { kind: 'ServiceAccount', name: 'sa', namespace: 'default' },
    ],
  },
  'rbac.authorization.k8s.io/clusterroles': {
    aggregationRule: { clusterRoleSelectors: [SELECTOR] },
    rules: [{ nonResourceURLs: ['/x/*'], verbs: ['get'] }],
  },
  'rbac.authorization.k8s.io/rolebindings': {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    subjects: [{ kind: 'Group', name: 'g', apiGroup: 'rbac.authorization.k8s.io' }],
  },
  'rbac.authorization.k8s.io/roles': {
    rules: [
      { apiGroups: ['', 'apps'], resources: ['pods', 'pods/log'], resourceNames: ['p'], verbs: ['get'] },
    ],
  },
  'storage.k8s.io/csidrivers': {
    spec: {
      attachRequired: false,
      podInfoOnMount: true,
      tokenRequests: [{ audience: 'a' }],
      fsGroupPolicy: 'File',
    },
  },
  'storage.k8s.io/csinodes': {
    spec: {
      drivers: [{ name: 'd.example.com', nodeID: 'n1', topologyKeys: ['zone'], allocatable: { count: 5 } }],
    },
  },
  'storage.k8s.io/csistoragecapacities': {
    storageClassName: 'fast',
    capacity: '10Gi',
    maximumVolumeSize: '1536Mi',
    nodeTopology: { matchLabels: { zone: 'a' } },
  },
  'storage.k8s.io/storageclasses': {
    provisioner: 'example.com/p',
    parameters: { type: 'ssd' },
    mountOptions: ['ro'],
    allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }],
    volumeBindingMode: 'WaitForFirstConsumer',
  },
  'storage.k8s.io/volumeattachments': {
    spec: { attacher: 'd.example.com', nodeName: 'n1', source: { persistentVolumeName: 'pv' } },
  },
  'storage.k8s.io/volumeattributesclasses': { driverName: 'd.example.com', parameters: { iops: '100' } },
  'scheduling.k8s.io/priorityclasses': { value: 1000, description: 'd', preemptionPolicy: 'Never' },
  'coordination.k8s.io/leases': {
    spec: {
      holderIdentity: 'h',
      leaseDurationSeconds: 10,
      acquireTime: '2026-01-02T03:04:05.000006Z',
      renewTime: '2026-01-02T03:04:05.100000Z',
      leaseTransitions: 2,
    },
  },
  'node.k8s.io/runtimeclasses': {
    handler: 'h',
    overhead: { podFixed: { cpu: '250m' } },
    scheduling: { nodeSelector: LABELS },
  },
  'discovery.k8s.io/endpointslices': {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true, serving: false }, ...NODE, zone: 'a' }],
    ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
  },
  'certificates.k8s.io/certificatesigningrequests': {
    spec: {
      signerName: 'example.com/s',
      usages: ['digital signature'],
      expirationSeconds: 3600,
      request: '',
    },
  },
  ...EXTENSION_SAMPLES,
}
