// Who may write into the status of a claim; the texts are upstream's.
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../machinery/json.ts'
import { authorizerChain } from './chain.ts'
import { claimStatusCheck, type ClaimStatusWrite, isClaimStatus } from './claimstatus.ts'
import { binding, MemoryLister, role, rule, user } from './policy.fixture.ts'
import { RbacAuthorizer } from './rbac.ts'

const GROUP = { apiGroups: ['resource.k8s.io'] }
const jane = user('jane')
const plugin = {
  ...user('system:serviceaccount:n:plugin'),
  extra: { 'authentication.kubernetes.io/node-name': ['node1'] },
}

function authorizer(...rules: ReturnType<typeof rule>[]) {
  const subjects = ['User/jane', 'User/system:serviceaccount:n:plugin']
  const lister = new MemoryLister().put(
    role('', 'own', ...rules),
    ...subjects.map((subject, i) => binding('', `own-${i}`, 'ClusterRole/own', subject)),
  )
  return authorizerChain([new RbacAuthorizer(lister)])
}

const onNode = (node: string): JsonObject => ({
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
  },
})
const device = (driver: string, more: JsonObject = {}): JsonObject => ({
  driver,
  pool: 'p',
  device: 'd',
  ...more,
})
const write = (
  before: JsonObject,
  now: JsonObject,
  more: Partial<ClaimStatusWrite> = {},
): ClaimStatusWrite => {
  const claim = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { name: 'c' } }
  return {
    user: jane,
    verb: 'update',
    version: 'v1',
    namespace: 'n',
    object: { ...claim, status: now },
    old: { ...claim, status: before },
    ...more,
  }
}
const BINDING = rule('update', 'resourceclaims/binding', GROUP)

test('concerns the status of claims alone', () => {
  const claims = { group: 'resource.k8s.io', resource: 'resourceclaims' }
  expect(isClaimStatus(claims, 'status')).toBe(true)
  expect(isClaimStatus(claims, '')).toBe(false)
  expect(isClaimStatus({ ...claims, group: '' }, 'status')).toBe(false)
})

describe('the allocation and who uses it', () => {
  test.each<[string, JsonObject]>([
    ['allocation', { allocation: onNode('node1') }],
    ['reservedFor', { reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] }],
  ])('%s is for those who may bind', async (_, now) => {
    await claimStatusCheck(write({}, now), authorizer(BINDING))
    await expect(
      claimStatusCheck(write({}, now, { verb: 'patch' }), authorizer(BINDING)),
    ).rejects.toMatchObject({
      status: {
        code: 422,
        details: {
          kind: 'ResourceClaim',
          name: 'c',
          causes: [
            {
              field: 'status.allocation',
              reason: 'FieldValueForbidden',
              message:
                'Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="patch" permission: resourceclaims.resource.k8s.io is forbidden: User "jane" cannot patch resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
            },
          ],
        },
      },
    })
  })
  test('what stays as it is needs nothing', async () => {
    const now = { allocation: onNode('a'), reservedFor: [] }
    await claimStatusCheck(write({ allocation: onNode('a') }, now), authorizer())
  })
})

describe('what drivers say of devices', () => {
  const driver = (verb: string, ...resourceNames: string[]) =>
    rule(verb, 'resourceclaims/driver', { ...GROUP, ...(resourceNames.length ? { resourceNames } : {}) })
  const at = (...devices: JsonObject[]): JsonObject => ({ allocation: onNode('node1'), devices })

  test.each<[string, JsonObject, JsonObject]>([
    ['added', at(), at(device('a'))],
    ['changed', at(device('a')), at(device('a', { data: { x: 1 } }))],
    ['taken away', at(device('a')), at()],
    ['of another share', at(device('a')), at(device('a', { shareID: 's' }))],
  ])('%s, by the driver', async (_, before, now) => {
    await claimStatusCheck(write(before, now), authorizer(driver('arbitrary-node:update', 'a')))
    await expect(
      claimStatusCheck(
        write(before, now),
        authorizer(driver('arbitrary-node:update', 'b'), driver('update')),
      ),
    ).rejects.toThrow(
      'ResourceClaim.resource.k8s.io "c" is invalid: status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[arbitrary-node:update]" permission: resourceclaims.resource.k8s.io "a" is forbidden: User "jane" cannot arbitrary-node:update resource "resourceclaims/driver" in API group "resource.k8s.io" in the namespace "n"',
    )
  })
  test('a driver on the node of the claim needs less', async () => {
    const own = authorizer(driver('associated-node:update'))
    const changed = [at(), at(device('a'))] as const
    await claimStatusCheck(write(...changed, { user: plugin }), own)
    await expect(claimStatusCheck(write(...changed), own)).rejects.toThrow('"[arbitrary-node:update]"')
    const other = { ...at(device('a')), allocation: onNode('node2') }
    await expect(
      claimStatusCheck(write({ allocation: onNode('node2') }, other, { user: plugin }), own),
    ).rejects.toThrow('"[arbitrary-node:update]"')
    await expect(claimStatusCheck(write(...changed, { user: plugin }), authorizer())).rejects.toThrow(
      'verb="[associated-node:update arbitrary-node:update]" permission: resourceclaims.resource.k8s.io "a" is forbidden: User "system:serviceaccount:n:plugin" cannot associated-node:update',
    )
  })
  test('are dropped with the allocation, which asks for nothing of drivers', async () => {
    await claimStatusCheck(write(at(device('a')), { devices: [] }), authorizer(BINDING))
  })
})
