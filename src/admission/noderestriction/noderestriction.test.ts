// What a kubelet may write, and what not, in upstream's words.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Decision } from '../../machinery/attributes.ts'
import type { JsonObject } from '../../machinery/json.ts'
import { attributesOf, FakeLister, type Write } from '../fixture.ts'
import { NodeRestriction } from './noderestriction.ts'

let lister: FakeLister
let decision: Decision['decision']
const plugin = new NodeRestriction({ authorize: () => ({ decision, reason: '' }) })
const pod = (name: string, nodeName: string, volumes: JsonObject[] = []): JsonObject => ({
  metadata: { name, namespace: 'ns', uid: `uid-${name}` },
  spec: { nodeName, volumes },
})

beforeEach(() => {
  decision = 'noOpinion'
  lister = new FakeLister()
  lister.put('nodes', { metadata: { name: 'a', uid: 'node-a' } })
  const projected = { sources: [{ serviceAccountToken: { audience: 'vault' } }] }
  lister.put(
    'pods',
    pod('mine', 'a', [
      { name: 't', projected },
      { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
    ]),
  )
  lister.put('pods', pod('theirs', 'b'))
  lister.put('persistentvolumeclaims', {
    metadata: { name: 'data', namespace: 'ns' },
    spec: { volumeName: 'pv' },
  })
  lister.put('persistentvolumes', { metadata: { name: 'pv' }, spec: { csi: { driver: 'd' } } })
  lister.put('csidrivers', { metadata: { name: 'd' }, spec: { tokenRequests: [{ audience: 'disks' }] } })
})

const ask = async (write: Write, name = 'system:node:a', groups = ['system:nodes']): Promise<void> => {
  const attributes = { ...attributesOf(write), user: { name, groups } }
  expect(plugin.handles(attributes)).toBe(true)
  await plugin.admit(attributes, lister)
}
const refusal = async (write: Write): Promise<string> =>
  ask(write).then(
    () => '',
    (error: Error) => error.message.replace(/^.* is forbidden: /, ''),
  )
const object = (metadata: JsonObject, spec: JsonObject = {}): JsonObject => ({ metadata, spec })

describe('NodeRestriction', () => {
  it('is about kubelets alone', async () => {
    const write = { resource: 'nodes', object: object({ name: 'b' }) }
    await ask(write, 'jane', ['system:nodes'])
    await ask(write, 'system:node:a', [])
    await expect(ask(write)).rejects.toThrow(
      'nodes "b" is forbidden: node "a" is not allowed to modify node "b"',
    )
    await expect(ask(write, 'system:node:')).rejects.toThrow(
      'could not determine node from user "system:node:"',
    )
    const secret = { resource: 'secrets', object: object({ name: 's' }) }
    expect(plugin.handles(attributesOf(secret))).toBe(true)
    await ask(secret)
    await expect(ask(secret, 'system:node:')).rejects.toThrow('could not determine node from user')
  })

  it.each<[string, Write, string]>([
    ['its labels', { object: object({ name: 'a', labels: { 'kubernetes.io/os': 'linux', x: 'y' } }) }, ''],
    [
      'others’ labels',
      { object: object({ name: 'a', labels: { 'x.k8s.io/b': '', 'node-restriction.kubernetes.io/a': '' } }) },
      'node "a" is not allowed to set the following labels: node-restriction.kubernetes.io/a, x.k8s.io/b',
    ],
    [
      'labels by update',
      {
        operation: 'UPDATE',
        name: 'a',
        old: object({ name: 'a', labels: { 'k8s.io/a': '' } }),
        object: object({ name: 'a' }),
      },
      'is not allowed to modify labels: k8s.io/a',
    ],
    [
      'taints',
      {
        operation: 'UPDATE',
        name: 'a',
        old: object({ name: 'a' }),
        object: object({ name: 'a' }, { taints: [{ key: 'k' }] }),
      },
      'node "a" is not allowed to modify taints',
    ],
    [
      'owners',
      {
        operation: 'UPDATE',
        name: 'a',
        old: object({ name: 'a' }),
        object: object({ name: 'a', ownerReferences: [{ uid: 'u' }] }),
      },
      'node "a" is not allowed to modify ownerReferences',
    ],
    [
      'another',
      { operation: 'DELETE', name: 'b', old: object({ name: 'b' }) },
      'node "a" is not allowed to modify node "b"',
    ],
  ])('of nodes sees %s', async (_, write, why) => {
    expect(await refusal({ resource: 'nodes', ...write })).toBe(why)
  })

  const OWNER = { apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'node-a', controller: true }
  const mirror = (spec: JsonObject = {}, owner: JsonObject = {}): JsonObject => ({
    metadata: {
      name: 'm',
      annotations: { 'kubernetes.io/config.mirror': '' },
      ownerReferences: [{ ...OWNER, ...owner }],
    },
    spec: { nodeName: 'a', ...spec },
  })
  it.each<[JsonObject, string]>([
    [mirror(), ''],
    [
      pod('p', 'a'),
      'pod does not have "kubernetes.io/config.mirror" annotation, node "a" can only create mirror pods',
    ],
    [mirror({ nodeName: 'b' }), 'node "a" can only create pods with spec.nodeName set to itself'],
    [mirror({}, { name: 'b' }), 'node "a" can only create pods with an owner reference set to itself'],
    [
      mirror({}, { controller: false }),
      'node "a" can only create pods with a controller owner reference set to itself',
    ],
    [
      mirror({}, { blockOwnerDeletion: true }),
      'node "a" must not set blockOwnerDeletion on an owner reference',
    ],
    [mirror({}, { uid: 'x' }), 'node a UID mismatch: expected x got node-a'],
    [mirror({ serviceAccountName: 'x' }), 'node "a" can not create pods that reference serviceaccounts'],
    [mirror({ imagePullSecrets: [{ name: 'x' }] }), 'node "a" can not create pods that reference secrets'],
    [
      mirror({ volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: {} }] } }] }),
      'node "a" can not create pods that reference serviceaccounts (via projected volumes)',
    ],
  ])('creates mirror pods only: %j', async (given, why) => {
    expect(await refusal({ object: given })).toBe(why)
  })

  it.each<[Write, string]>([
    [{ operation: 'DELETE', name: 'mine' }, ''],
    [
      { operation: 'DELETE', name: 'theirs' },
      'node "a" can only delete pods with spec.nodeName set to itself',
    ],
    [{ operation: 'DELETE', name: 'gone' }, 'pod "gone" not found'],
    [
      { operation: 'UPDATE', name: 'mine' },
      'unexpected operation "UPDATE", node "a" can only create and delete mirror pods',
    ],
    [{ subresource: 'eviction', name: 'mine' }, ''],
    [
      { subresource: 'eviction', name: 'theirs' },
      'node a can only evict pods with spec.nodeName set to itself',
    ],
    [
      { subresource: 'binding', name: 'mine' },
      `unexpected pod subresource "binding", only 'status' and 'eviction' are allowed`,
    ],
  ])('of pods may %j', async (write, why) => expect(await refusal(write)).toBe(why))

  it.each<[JsonObject, string]>([
    [{ ...pod('mine', 'a'), status: { phase: 'Running' } }, ''],
    [{ metadata: { name: 'mine', labels: { a: 'b' } } }, 'node "a" cannot update labels through pod status'],
    [
      { ...pod('mine', 'a'), status: { resourceClaimStatuses: [{ name: 'x' }] } },
      'node "a" cannot update resource claim statues',
    ],
  ])('writes the status %j', async (given, why) => {
    const write = { operation: 'UPDATE', subresource: 'status', name: 'mine', object: given } as const
    expect(await refusal({ ...write, old: pod('mine', 'a') })).toBe(why)
    const only = 'node "a" can only update pod status for pods with spec.nodeName set to itself'
    expect(await refusal({ ...write, old: pod('mine', 'b') })).toBe(only)
  })

  it.each<[Write, string]>([
    [
      { resource: 'leases.coordination.k8s.io', object: object({ name: 'a' }) },
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    [
      { resource: 'csinodes.storage.k8s.io', object: object({ name: 'b' }) },
      'can only access CSINode with the same name as the requesting node',
    ],
    [{ resource: 'csinodes.storage.k8s.io', operation: 'UPDATE', name: 'a' }, ''],
    [
      { resource: 'resourceslices.resource.k8s.io', object: object({ name: 's' }, { nodeName: 'b' }) },
      'can only create ResourceSlice with the same NodeName as the requesting node',
    ],
    [
      {
        resource: 'resourceslices.resource.k8s.io',
        operation: 'DELETE',
        old: object({ name: 's' }, { nodeName: 'a' }),
      },
      '',
    ],
    [{ resource: 'persistentvolumeclaims', object: object({ name: 'c' }) }, 'may only update PVC status'],
    [
      {
        resource: 'certificatesigningrequests.certificates.k8s.io',
        object: object({ name: 'r' }, { signerName: 'kubernetes.io/kubelet-serving', request: '' }),
      },
      'unable to parse csr: PEM block type must be CERTIFICATE REQUEST',
    ],
  ])('of other things may %j', async (write, why) => expect(await refusal(write)).toBe(why))

  it('lets a claim’s status say its size and nothing else', async () => {
    const status = {
      operation: 'UPDATE',
      resource: 'persistentvolumeclaims',
      subresource: 'status',
      name: 'c',
    } as const
    const old = { ...object({ name: 'c', resourceVersion: '1' }), status: { phase: 'Bound' } }
    const grown = { ...old, status: { phase: 'Bound', capacity: { storage: '1Gi' } } }
    expect(await refusal({ ...status, old, object: grown })).toBe('')
    expect(await refusal({ ...status, old, object: { ...old, status: {} } })).toContain(
      'other than status.quantity',
    )
  })

  const token = (ref: JsonObject | undefined, ...audiences: string[]): Write => ({
    resource: 'serviceaccounts',
    subresource: 'token',
    name: 'robot',
    object: object({ name: 'robot' }, { audiences, ...(ref ? { boundObjectRef: ref } : {}) }),
  })
  const bound = (name: string, uid: string): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', name, uid })
  it.each<[Write, string]>([
    [token(undefined), 'node requested token not bound to a pod'],
    [token(bound('mine', '')), 'node requested token with a pod binding without a uid'],
    [token(bound('gone', 'x')), 'pod "gone" not found'],
    [
      token(bound('mine', 'x')),
      'the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      token(bound('theirs', 'uid-theirs')),
      'node requested token bound to a pod scheduled on a different node',
    ],
    [token(bound('mine', 'uid-mine'), 'vault'), ''],
    [token(bound('mine', 'uid-mine'), 'disks'), ''],
    [token(bound('mine', 'uid-mine'), 'vault', 'disks'), 'node may only request 0 or 1 audiences'],
    [
      token(bound('mine', 'uid-mine'), 'other'),
      'audience "other" not found in pod spec volume, system:node:a is not authorized to request tokens for this audience',
    ],
  ])('gets tokens: %j', async (write, why) => expect(await refusal(write)).toBe(why))

  it('gets tokens for audiences that it is granted', async () => {
    decision = 'allow'
    expect(await refusal(token(bound('mine', 'uid-mine'), 'other'))).toBe('')
  })
})
