// What objects use, under the names of quotas.
import { describe, expect, it } from 'vitest'
import { countedBy, isInScopes, usageList, usageOf } from './quotausage.ts'

const PODS = { group: '', resource: 'pods' }
const pod = (spec: object, status: object = {}, metadata: object = {}) =>
  ({ metadata, spec, status }) as never
const container = (requests: object, limits: object = {}) => ({
  containers: [{ name: 'a', resources: { requests, limits } }],
})
const used = (of: { group: string; resource: string }, object: never) =>
  usageList(usageOf(of, object, 10_000))

describe('usage', () => {
  it('of a pod is what its containers ask for, until it is over', () => {
    const spec = container({ cpu: '100m', memory: '1Gi', 'example.com/gpu': '2' }, { cpu: '1' })
    expect(used(PODS, pod(spec))).toEqual({
      'count/pods': '1',
      pods: '1',
      cpu: '100m',
      'requests.cpu': '100m',
      memory: '1Gi',
      'requests.memory': '1Gi',
      'requests.example.com/gpu': '2',
      'limits.cpu': '1',
    })
    expect(used(PODS, pod(spec, { phase: 'Failed' }))).toEqual({ 'count/pods': '1' })
    const late = { deletionTimestamp: '1970-01-01T00:00:05Z', deletionGracePeriodSeconds: 3 }
    expect(used(PODS, pod(spec, {}, late))).toEqual({ 'count/pods': '1' })
  })
  it.each([
    [{ type: 'ClusterIP', ports: [{ port: 1 }] }, '0', '0'],
    [{ type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] }, '2', '0'],
    [{ type: 'LoadBalancer', ports: [{ port: 1 }] }, '1', '1'],
    [{ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 1 }] }, '0', '1'],
  ])('of the service %j is %s node ports and %s load balancers', (spec, nodeports, loadbalancers) => {
    expect(used({ group: '', resource: 'services' }, { spec } as never)).toEqual({
      'count/services': '1',
      services: '1',
      'services.nodeports': nodeports,
      'services.loadbalancers': loadbalancers,
    })
  })
  it('of a claim is its storage, of its class too', () => {
    const spec = { storageClassName: 'fast', resources: { requests: { storage: '2Gi' } } }
    expect(used({ group: '', resource: 'persistentvolumeclaims' }, { spec } as never)).toEqual({
      'count/persistentvolumeclaims': '1',
      persistentvolumeclaims: '1',
      'requests.storage': '2Gi',
      'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      'fast.storageclass.storage.k8s.io/requests.storage': '2Gi',
    })
  })
  it('of anything else is its count', () => {
    expect(used({ group: 'apps', resource: 'deployments' }, {} as never)).toEqual({
      'count/deployments.apps': '1',
    })
    expect(used({ group: '', resource: 'secrets' }, {} as never)).toEqual({
      'count/secrets': '1',
      secrets: '1',
    })
  })
})

it.each([
  ['count/deployments.apps', { group: 'apps', resource: 'deployments' }],
  ['requests.cpu', PODS],
  ['limits.memory', PODS],
  ['requests.example.com/gpu', PODS],
  ['hugepages-2Mi', PODS],
  ['services.nodeports', { group: '', resource: 'services' }],
  ['requests.storage', { group: '', resource: 'persistentvolumeclaims' }],
  ['fast.storageclass.storage.k8s.io/requests.storage', { group: '', resource: 'persistentvolumeclaims' }],
  ['nonsense', undefined],
])('%s is used by %j', (name, of) => {
  expect(countedBy(name)).toEqual(of)
})

it.each([
  ['Terminating', { activeDeadlineSeconds: 5 }, true],
  ['NotTerminating', { activeDeadlineSeconds: 5 }, false],
  ['BestEffort', container({}), true],
  ['BestEffort', container({ 'ephemeral-storage': '1' }), true],
  ['NotBestEffort', container({}, { cpu: '1' }), true],
  [
    'CrossNamespacePodAffinity',
    {
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ namespaces: ['a'] }] } },
    },
    true,
  ],
  ['CrossNamespacePodAffinity', {}, false],
])('scope %s holds %j: %s', (scopeName, spec, is) => {
  expect(isInScopes(PODS, pod(spec), [{ scopeName, operator: 'Exists' }])).toBe(is)
})

it('knows the classes of a scope, and that nothing but pods is in any', () => {
  const scope = (operator: string, ...values: string[]) => [{ scopeName: 'PriorityClass', operator, values }]
  const high = pod({ priorityClassName: 'high' })
  expect(isInScopes(PODS, high, scope('In', 'high'))).toBe(true)
  expect(isInScopes(PODS, high, scope('NotIn', 'high'))).toBe(false)
  expect(isInScopes(PODS, pod({}), scope('Exists'))).toBe(false)
  expect(isInScopes({ group: '', resource: 'secrets' }, {}, scope('Exists'))).toBe(false)
})
