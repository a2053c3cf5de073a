// What a node may do: its own affairs, and what its pods need.
import { describe, expect, it } from 'vitest'
import type { AuthorizationAttributes } from '../machinery/attributes.ts'
import type { KubeObject } from '../machinery/object.ts'
import { builtinAuthorizer } from './chain.ts'
import { NodeAuthorizer } from './node.ts'
import { MemoryLister, role, rule, user } from './policy.fixture.ts'
import { RbacAuthorizer } from './rbac.ts'

const node = user('system:node:a', 'system:nodes', 'system:authenticated')

const pod = (name: string, nodeName: string, spec: object = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n' },
    spec: { nodeName, ...spec },
  }) as never
const mounted = (kind: string, field: string, name: string) => ({
  volumes: [{ name: 'v', [kind]: { [field]: name } }],
})

const lister = new MemoryLister().put(
  role('', 'system:node', rule('get,list,watch', 'services'), rule('update,patch', 'pods/status')),
  pod('one', 'a', {
    serviceAccountName: 'robot',
    containers: [
      {
        env: [{ valueFrom: { secretKeyRef: { name: 'env' } } }],
        envFrom: [{ configMapRef: { name: 'all' } }],
      },
    ],
    imagePullSecrets: [{ name: 'pull' }],
    ...mounted('persistentVolumeClaim', 'claimName', 'data'),
  }),
  pod('two', 'a', mounted('projected', 'sources', 'x')),
  pod('three', 'a', { volumes: [{ projected: { sources: [{ secret: { name: 'projected' } }] } }] }),
  {
    ...pod('four', 'a'),
    status: { resourceClaimStatuses: [{ name: 'x', resourceClaimName: 'made' }] },
  } as never,
  pod('other', 'b', mounted('secret', 'secretName', 'theirs')),
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: {
      claimRef: { namespace: 'n', name: 'data' },
      csi: { nodeStageSecretRef: { namespace: 'n', name: 'stage' } },
    },
  } as never,
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'files' },
    spec: {
      claimRef: { namespace: 'n', name: 'data' },
      azureFile: { secretName: 'account', secretNamespace: null },
    },
  } as never,
)
const authorizer = new NodeAuthorizer(lister)

function ask(line: string, more: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes {
  const [verb = '', path = '', namespace = '', name = ''] = line.split(' ')
  const [whole = '', subresource = ''] = path.split('/')
  const [resource = '', ...group] = whole.split('.')
  const rest = { path: '', version: 'v1', isResourceRequest: true, user: node }
  return {
    ...rest,
    verb,
    group: group.join('.'),
    resource,
    subresource,
    namespace: namespace === '-' ? '' : namespace,
    name,
    ...more,
  }
}

describe('a node', () => {
  it.each([
    'get secrets n env',
    'get secrets n pull',
    'get secrets n projected',
    'get secrets n stage',
    'get secrets n account',
    'get resourceclaims.resource.k8s.io n made',
    'get configmaps n all',
    'watch configmaps n all',
    'get persistentvolumeclaims n data',
    'get persistentvolumes - pv',
    'create serviceaccounts/token n robot',
    'get pods n one',
    'patch pods/status n other',
    'list services',
    'create nodes',
    'patch nodes/status - a',
    'create pods n',
    'delete pods n other',
    'create pods/eviction n other',
    'create resourceslices.resource.k8s.io',
    'get nodes - a',
    'update leases.coordination.k8s.io kube-node-lease a',
    'create leases.coordination.k8s.io kube-node-lease',
    'get csinodes.storage.k8s.io - a',
  ])('may %s', async (line) => {
    expect(await authorizer.authorize(ask(line))).toMatchObject({ decision: 'allow' })
  })

  it.each([
    ['get secrets n theirs', "no relationship found between node 'a' and this object"],
    ['get secrets other env', "no relationship found between node 'a' and this object"],
    ['get secrets n __proto__', "no relationship found between node 'a' and this object"],
    ['list secrets n', 'No Object name found'],
    ['list secrets -', 'can only read namespaced object of this type'],
    ['delete secrets n env', 'can only read resources of this type'],
    ['list persistentvolumeclaims n', 'can only get individual resources of this type'],
    ['create serviceaccounts/token n admin', "no relationship found between node 'a' and this object"],
    ['get pods n other', "no relationship found between node 'a' and this object"],
    ['list pods n', 'can only list/watch pods with spec.nodeName field selector'],
    ['list nodes', "node 'a' cannot read all nodes, only its own Node object"],
    ['update pods n one', ''],
    ['delete nodes - a', ''],
    ['get pods/log n one', ''],
    ['get resourceslices.resource.k8s.io - theirs', "no relationship found between node 'a' and this object"],
    [
      'list resourceslices.resource.k8s.io',
      'can only list/watch/deletecollection resourceslices with nodeName field selector',
    ],
    ['get nodes - b', "node 'a' cannot read 'b', only its own Node object"],
    [
      'update leases.coordination.k8s.io kube-node-lease b',
      'can only access node lease with the same name as the requesting node',
    ],
    [
      'get leases.coordination.k8s.io kube-system a',
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    ['delete deployments.apps n web', ''],
  ])('may not %s', async (line, reason) => {
    expect(await authorizer.authorize(ask(line))).toEqual({ decision: 'noOpinion', reason })
  })

  it('may watch its own pods', async () => {
    const of = (value: string) => ({
      fieldSelector: [{ key: 'spec.nodeName', operator: '=', values: [value] }],
    })
    expect(await authorizer.authorize(ask('watch pods', of('a')))).toMatchObject({ decision: 'allow' })
    expect(await authorizer.authorize(ask('watch pods', of('b')))).toMatchObject({ decision: 'noOpinion' })
  })

  it('is one by name and group alone', async () => {
    const nobody = [user('system:node:a', 'system:authenticated'), user('jane', 'system:nodes')]
    for (const one of nobody) {
      expect(await authorizer.authorize(ask('get pods n one', { user: one }))).toEqual({
        decision: 'noOpinion',
        reason: '',
      })
    }
  })

  it('cannot be told all that it may', () => {
    const rbac = new RbacAuthorizer(new MemoryLister())
    const asked = builtinAuthorizer('Node', { rbac, node: authorizer })
    expect(asked.rulesFor(node, 'n')).toEqual({
      rules: [],
      errors: ['node authorizer does not support user rule resolution'],
      incomplete: true,
    })
    expect(asked.rulesFor(user('jane'), 'n')).toEqual({ rules: [], errors: [] })
  })
})
