import { describe, expect, it } from 'vitest'
import type { ControllerRevision, StatefulSet, StatefulSetSpec } from '../../client/kinds/apps.v1.gen.ts'
import type { PersistentVolumeClaim, Pod } from '../../client/kinds/core.v1.gen.ts'
import type { OwnerReference } from '../../client/kinds/meta.v1.gen.ts'
import { claimOwners, hasOtherController, isStale, revisionOf } from './identity.ts'
import { outdatedNow, planOf } from './plan.ts'
import { PODS } from '../../client/resources.ts'

const NOW = Date.parse('2026-01-01T00:10:00Z')

const setOf = (spec: Partial<StatefulSetSpec> = {}, currentReplicas = 0): StatefulSet => ({
  metadata: { name: 's', uid: 'set' },
  spec: {
    replicas: 3,
    serviceName: '',
    selector: {},
    template: { metadata: {}, spec: { containers: [] } },
    updateStrategy: { type: 'RollingUpdate' },
    ...spec,
  },
  status: { replicas: 0, availableReplicas: 0, currentReplicas },
})

const podOf = (ordinal: number, revision: string, isReady = true): Pod => ({
  metadata: { name: `s-${ordinal}`, uid: `pod-${ordinal}`, labels: { 'controller-revision-hash': revision } },
  spec: { containers: [] },
  status: {
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
  },
})

const revision = (name: string): ControllerRevision => ({ metadata: { name }, revision: 1 })
const revisions = { current: revision('old'), update: revision('new'), collisions: 0 }
const names = (pods: readonly Pod[]): unknown => pods.map(({ metadata }) => metadata.name)

describe('the plan', () => {
  it('has a pod for each ordinal, and those that are to go, the last first', () => {
    const pods = [podOf(7, 'old'), podOf(1, 'old', false), podOf(9, 'old'), podOf(2, 'old')]
    const plan = planOf(setOf({ ordinals: { start: 1 } }), pods, revisions, NOW)
    expect(names(plan.replicas)).toEqual(['s-1', 's-2', 's-3'])
    expect(names(plan.condemned)).toEqual(['s-9', 's-7'])
    expect(plan.firstUnavailable?.metadata.name).toBe('s-1')
  })

  it.each<[string, StatefulSet, string[]]>([
    ['as they were while they are counted as current', setOf({}, 2), ['old', 'old', 'new']],
    [
      'as they were below the partition',
      setOf({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }, 3),
      ['old', 'new', 'new'],
    ],
    [
      'new, where pods are replaced by hand',
      setOf({ updateStrategy: { type: 'OnDelete' } }, 3),
      ['new', 'new', 'new'],
    ],
  ])('makes pods %s', (_name, set, expected) => {
    expect(planOf(set, [], revisions, NOW).replicas.map(revisionOf)).toEqual(expected)
  })
})

describe('an update', () => {
  const pods = (...shapes: readonly string[]): Pod[] =>
    shapes.map((shape, ordinal) => podOf(ordinal, shape.replace('!', ''), !shape.endsWith('!')))
  const rolling = (rollingUpdate: object): StatefulSet =>
    setOf({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
  it.each<[string, StatefulSet, Pod[], string[]]>([
    ['ends the last', setOf(), pods('old', 'old', 'old'), ['s-2']],
    ['waits for the one before', setOf(), pods('old', 'old', 'new!'), []],
    ['goes on then', setOf(), pods('old', 'old', 'new'), ['s-1']],
    ['replaces what is broken', setOf(), pods('old', 'old', 'old!'), ['s-2']],
    ['stops at the partition', rolling({ partition: 2 }), pods('old', 'old', 'new'), []],
    ['ends several', rolling({ maxUnavailable: 2 }), pods('old', 'old', 'old'), ['s-2', 's-1']],
    ['counts those that are out', rolling({ maxUnavailable: '67%' }), pods('old', 'old', 'new!'), ['s-1']],
    ['is left to the user', setOf({ updateStrategy: { type: 'OnDelete' } }), pods('old', 'old', 'old'), []],
  ])('%s', (_name, set, replicas, expected) => {
    expect(names(outdatedNow(set, replicas, 'new', NOW))).toEqual(expected)
  })
})

describe('the owners of a claim', () => {
  const keep = (whenDeleted: string, whenScaled: string): StatefulSet =>
    setOf({ persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } })
  const claimWith = (...ownerReferences: OwnerReference[]): PersistentVolumeClaim => ({
    metadata: { name: 'c', ownerReferences },
    spec: { resources: {} },
    status: {},
  })
  const toSet: OwnerReference = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: 's',
    uid: 'set',
    controller: true,
  }
  const toPod = (uid: string): OwnerReference => ({
    apiVersion: 'v1',
    kind: 'Pod',
    name: 's-0',
    uid,
    controller: true,
  })
  const other: OwnerReference = { apiVersion: 'x/v1', kind: 'Other', name: 'o', uid: 'o', controller: true }
  const kinds = (refs: OwnerReference[] | undefined): unknown => refs?.map(({ kind }) => kind)

  it.each<[string, StatefulSet, number, OwnerReference[], string[] | undefined]>([
    ['kept: none', keep('Retain', 'Retain'), 0, [], undefined],
    ['kept from now on', keep('Retain', 'Retain'), 0, [toSet], []],
    ['go with the set', keep('Delete', 'Retain'), 0, [], ['StatefulSet']],
    ['go with the set already', keep('Delete', 'Delete'), 0, [toSet], undefined],
    ['go with a pod that goes', keep('Delete', 'Delete'), 9, [toSet], ['Pod']],
    ['stay with a pod that stays', keep('Retain', 'Delete'), 0, [], undefined],
    ['are somebody else’s', keep('Delete', 'Delete'), 0, [other], undefined],
    ['are left to somebody else', keep('Delete', 'Delete'), 0, [other, toSet], ['Other']],
  ])('%s', (...[, set, ordinal, refs, expected]) => {
    expect(kinds(claimOwners(set, podOf(ordinal, 'new'), claimWith(...refs)))).toEqual(expected)
  })

  it('of another pod of the name are stale', () => {
    const stale = claimWith(toPod('gone'))
    expect(isStale(stale, PODS, podOf(0, 'new'))).toBe(true)
    expect(claimOwners(keep('Delete', 'Delete'), podOf(0, 'new'), stale)).toBeUndefined()
    expect(hasOtherController(keep('Delete', 'Delete'), podOf(0, 'new'), claimWith(toPod('pod-0')))).toBe(
      false,
    )
  })
})
