// Claims for devices: their names, who they are for, what is left of them.
import { expect, it } from 'vitest'
import type { Pod } from '../../client/kinds/core.v1.gen.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../../client/kinds/resource.v1.gen.ts'
import { claimName, deviceClaimKeys, isReservedFor, notOfPod } from '../../client/podclaims.ts'
import {
  claimOfTemplate,
  claimStatuses,
  freedClaim,
  generatedPrefix,
  isPodDone,
  reservedClaim,
  unprotectedClaim,
} from './changes.ts'

const pod = (status: object = {}, more: object = {}): Pod =>
  ({
    metadata: { namespace: 'n', name: 'p', uid: 'u', ...more },
    spec: {
      resourceClaims: [
        { name: 'own', resourceClaimTemplateName: 't' },
        { name: 'shared', resourceClaimName: 's' },
      ],
    },
    status,
  }) as unknown as Pod
const template = {
  metadata: { name: 't' },
  spec: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec: {} },
} as unknown as ResourceClaimTemplate
const told = { resourceClaimStatuses: [{ name: 'own', resourceClaimName: 'p-own-1' }] }

it('makes a claim of a template', () => {
  const claim = claimOfTemplate(pod(), 'own', template)
  expect(claim.metadata).toEqual({
    namespace: 'n',
    generateName: 'p-own-',
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }],
    annotations: { c: 'd', 'resource.kubernetes.io/pod-claim-name': 'own' },
    labels: { a: 'b' },
  })
  expect(notOfPod(pod(), claim)).toBe(undefined)
  expect(notOfPod(pod({}, { uid: 'v' }), claim)).toContain('(pod is not owner)')
})

it.each([
  ['p', 'c', 'p-c-'],
  ['a'.repeat(50), 'b'.repeat(5), `${'a'.repeat(50)}-${'b'.repeat(5)}-`],
  ['a'.repeat(80), 'b'.repeat(20), `${'a'.repeat(44)}-${'b'.repeat(11)}`],
])('of %s and %s: %s', (name, claim, prefix) => {
  expect(generatedPrefix(name, claim)).toBe(prefix)
})

it('knows the claims of a pod', () => {
  const [own, shared] = pod().spec.resourceClaims ?? []
  expect([own, shared].map((claim) => claim && claimName(pod(), claim))).toEqual([
    'missing',
    { name: 's', isOwned: false },
  ])
  expect(own && claimName(pod(told), own)).toEqual({ name: 'p-own-1', isOwned: true })
  expect(own && claimName(pod({ resourceClaimStatuses: [{ name: 'own' }] }), own)).toBe(undefined)
  expect(deviceClaimKeys(pod({ ...told, extendedResourceClaimStatus: { resourceClaimName: 'e' } }))).toEqual([
    'n/p-own-1',
    'n/s',
    'n/e',
  ])
})

it('tells what was made, and keeps what was told', () => {
  const status = {
    resourceClaimStatuses: [
      { name: 'other', resourceClaimName: 'o' },
      { name: 'own', resourceClaimName: 'old' },
      { name: 'none' },
    ],
  }
  expect(claimStatuses(pod(status), new Map([['own', 'new']]))).toEqual([
    { name: 'other', resourceClaimName: 'o' },
    { name: 'none' },
    { name: 'own', resourceClaimName: 'new' },
  ])
})

it('reserves claims, and frees them', () => {
  const allocation = { devices: { results: [] } }
  const finalizers = ['resource.kubernetes.io/delete-protection', 'x']
  const claim = {
    metadata: { name: 'c', finalizers },
    spec: {},
    status: { allocation },
  } as unknown as ResourceClaim
  const reserved = reservedClaim(claim, pod())
  expect(isReservedFor(claim, pod())).toBe(false)
  expect(isReservedFor(reserved, pod())).toBe(true)
  expect(freedClaim(reserved, reserved.status.reservedFor ?? [])).toEqual(reserved)
  const freed = freedClaim(reserved, [])
  expect(freed.status).toEqual({})
  expect(unprotectedClaim(reserved)).toBe(undefined)
  expect(unprotectedClaim(freed)?.metadata.finalizers).toEqual(['x'])
  const theirs = { ...reserved, metadata: { name: 'c' } }
  expect(freedClaim(theirs, []).status).toEqual({ allocation })
  expect(unprotectedClaim(freedClaim(theirs, []))).toBe(undefined)
})

it.each([
  [{ phase: 'Running' }, {}, false],
  [{ phase: 'Succeeded' }, {}, true],
  [{ phase: 'Pending' }, { deletionTimestamp: 'now' }, true],
])('a pod with %j and %j is done: %s', (status, more, isDone) => {
  expect(isPodDone(pod(status, more))).toBe(isDone)
  const placed = pod({ phase: 'Pending' }, { deletionTimestamp: 'now' })
  expect(isPodDone({ ...placed, spec: { ...placed.spec, nodeName: 'a' } })).toBe(false)
})
