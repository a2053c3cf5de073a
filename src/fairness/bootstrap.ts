// The flow schemas and priority levels that every cluster starts with, as data.
// Follows k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap.
import type { JsonObject } from '../machinery/json.ts'
import type { KubeObject } from '../machinery/object.ts'
import { CATCH_ALL, EXEMPT } from './spec.ts'

const API_VERSION = 'flowcontrol.apiserver.k8s.io/v1'
const metadata = (name: string) => ({ name, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } })

const ALL = ['*']
const groups = (...names: string[]) => names.map((name) => ({ kind: 'Group', group: { name } }))
const users = (...names: string[]) => names.map((name) => ({ kind: 'User', user: { name } }))
const SYSTEM_ACCOUNTS = [{ kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } }]
const EVERYBODY = groups('system:unauthenticated', 'system:authenticated')

const EVERYTHING = {
  resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL, clusterScope: true, namespaces: ALL }],
  nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
}
const leases = (verbs: string[]) => ({
  verbs,
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  namespaces: ALL,
})

/** name, priority level, precedence, distinguisher, who, what */
type Schema = readonly [string, string, number, 'ByUser' | 'ByNamespace' | '', JsonObject[], JsonObject]

const SCHEMAS: readonly Schema[] = [
  ['exempt', 'exempt', 1, '', groups('system:masters'), EVERYTHING],
  [
    'probes',
    'exempt',
    2,
    '',
    EVERYBODY,
    { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  ],
  [
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...SYSTEM_ACCOUNTS],
    { resourceRules: [leases(['get', 'create', 'update'])] },
  ],
  [
    'system-node-high',
    'node-high',
    400,
    'ByUser',
    groups('system:nodes'),
    {
      resourceRules: [
        {
          verbs: ALL,
          apiGroups: [''],
          resources: ['nodes', 'nodes/status'],
          clusterScope: true,
          namespaces: ALL,
        },
        leases(ALL),
      ],
    },
  ],
  ['system-nodes', 'system', 500, 'ByUser', groups('system:nodes'), EVERYTHING],
  [
    'kube-controller-manager',
    'workload-high',
    800,
    'ByNamespace',
    users('system:kube-controller-manager'),
    EVERYTHING,
  ],
  ['kube-scheduler', 'workload-high', 800, 'ByNamespace', users('system:kube-scheduler'), EVERYTHING],
  ['kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', SYSTEM_ACCOUNTS, EVERYTHING],
  ['service-accounts', 'workload-low', 9000, 'ByUser', groups('system:serviceaccounts'), EVERYTHING],
  ['global-default', 'global-default', 9900, 'ByUser', EVERYBODY, EVERYTHING],
  ['catch-all', 'catch-all', 10000, 'ByUser', EVERYBODY, EVERYTHING],
]

/** name, shares, lendable percent, queues, hand size */
const QUEUED: readonly (readonly [string, number, number, number, number])[] = [
  ['system', 30, 33, 64, 6],
  ['node-high', 40, 25, 64, 6],
  ['leader-election', 10, 0, 16, 4],
  ['workload-high', 40, 50, 128, 6],
  ['workload-low', 100, 90, 128, 6],
  ['global-default', 20, 50, 128, 6],
]
const QUEUE_LENGTH = 50

/** All of them; each has the annotation by which the server may bring it up to date. */
export function flowControlObjects(): KubeObject[] {
  return [...priorityLevels(), ...SCHEMAS.map(flowSchema)]
}

/** Those without which nothing works are there in any case, and as they are here. */
export const isMandatory = ({ metadata: { name } }: KubeObject): boolean =>
  name === EXEMPT || name === CATCH_ALL

export const mandatoryLevels = (): KubeObject[] => priorityLevels().filter(isMandatory)
export const mandatorySchemas = (): KubeObject[] => SCHEMAS.map(flowSchema).filter(isMandatory)

function flowSchema([name, level, matchingPrecedence, distinguisher, subjects, rules]: Schema): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'FlowSchema',
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
      rules: [{ subjects, ...rules }],
    },
  }
}

function priorityLevels(): KubeObject[] {
  const level = (name: string, spec: JsonObject): KubeObject => ({
    apiVersion: API_VERSION,
    kind: 'PriorityLevelConfiguration',
    metadata: metadata(name),
    spec,
  })
  const exempt = { nominalConcurrencyShares: 0, lendablePercent: 0 }
  const rejecting = { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } }
  return [
    level('exempt', { type: 'Exempt', exempt }),
    level('catch-all', { type: 'Limited', limited: rejecting }),
    ...QUEUED.map(([name, nominalConcurrencyShares, lendablePercent, queues, handSize]) => {
      const queuing = { queues, handSize, queueLengthLimit: QUEUE_LENGTH }
      const limited = { nominalConcurrencyShares, lendablePercent, limitResponse: { type: 'Queue', queuing } }
      return level(name, { type: 'Limited', limited })
    }),
  ]
}
