// The rules about volumes, each by itself.
import { describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../../client/kinds/core.v1.gen.ts'
import { aNode, aPod, clusterOf, verdicts } from '../fixture.ts'
import type { NodeInfo } from '../nodeinfo.ts'
import type { FilterWork } from '../plugin.ts'
import { volumeRestrictions } from './volumerestrictions.ts'
import { nodeVolumeLimits, volumeBinding, volumeZone } from './volumes.ts'

const HOST = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'

describe('volumes', () => {
  const claim = (more: object): PersistentVolumeClaim =>
    ({
      metadata: {
        name: 'data',
        namespace: 'default',
        annotations: { 'pv.kubernetes.io/bind-completed': 'yes' },
      },
      spec: { volumeName: 'pv', ...more },
      status: {},
    }) as never
  const volume = (spec: object, labels = {}): PersistentVolume =>
    ({ metadata: { name: 'pv', labels }, spec, status: {} }) as never
  const pod = () => aPod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })
  const nodes = [aNode('a', { labels: { [ZONE]: 'x' } }), aNode('b', { labels: { [ZONE]: 'y' } })]
  it('finds no node for claims that are missing or not bound', () => {
    expect(verdicts(volumeBinding, pod(), clusterOf(nodes))).toBe('persistentvolumeclaim "data" not found')
    const unbound = { claim: () => claim({ volumeName: undefined }) }
    expect(verdicts(volumeBinding, pod(), clusterOf(nodes, [], unbound))).toBe(
      'pod has unbound immediate PersistentVolumeClaims',
    )
  })
  it('waits for the claims of its own volumes, and takes no claim of others for them', () => {
    const own = aPod({ volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: {} } }] } as never, {
      name: 'p',
    })
    expect(verdicts(volumeBinding, own, clusterOf(nodes))).toBe(
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"',
    )
    expect(verdicts(volumeBinding, own, clusterOf(nodes, [], { claim: () => claim({}) }))).toBe(
      'PVC default/p-v was not created for pod default/p (pod is not owner)',
    )
  })
  it('stays where the volume can be reached', () => {
    const required = {
      nodeSelectorTerms: [{ matchExpressions: [{ key: HOST, operator: 'In', values: ['b'] }] }],
    }
    const local = { claim: () => claim({}), volume: () => volume({ nodeAffinity: { required } }) }
    expect(verdicts(volumeBinding, pod(), clusterOf(nodes, [], local))).toEqual({
      a: "node(s) didn't match PersistentVolume's node affinity",
      b: 'ok',
    })
    const zonal = { claim: () => claim({}), volume: () => volume({}, { [ZONE]: 'x' }) }
    expect(verdicts(volumeZone, pod(), clusterOf(nodes, [], zonal))).toEqual({
      a: 'ok',
      b: 'node(s) had no available volume zone',
    })
  })
  it('waits with claims for the node, where a volume can be had there', () => {
    const waiting = claim({ volumeName: undefined, storageClassName: 'late' })
    const sources = (provisioner: string) => ({
      claim: () => waiting,
      storageClass: () => ({
        metadata: { name: 'late' },
        provisioner,
        volumeBindingMode: 'WaitForFirstConsumer',
      }),
    })
    const no = "node(s) didn't find available persistent volumes to bind"
    expect(
      verdicts(volumeBinding, pod(), clusterOf(nodes, [], sources('kubernetes.io/no-provisioner'))),
    ).toEqual({ a: no, b: no })
    expect(verdicts(volumeBinding, pod(), clusterOf(nodes, [], sources('example.com/disks')))).toEqual({
      a: 'ok',
      b: 'ok',
    })
  })
  it('asks drivers that tell of it for room', () => {
    const waiting = claim({
      ...{ volumeName: undefined, storageClassName: 'late' },
      resources: { requests: { storage: '5Gi' } },
    })
    const room = (zone: string, capacity: object) => ({
      metadata: {},
      storageClassName: 'late',
      nodeTopology: { matchLabels: { [ZONE]: zone } },
      ...capacity,
    })
    const sources = (storageCapacity: boolean, capacities: object[]) =>
      ({
        claim: () => waiting,
        storageClass: () => ({
          metadata: { name: 'late' },
          provisioner: 'disks',
          volumeBindingMode: 'WaitForFirstConsumer',
        }),
        csiDriver: () => ({ metadata: {}, spec: { storageCapacity } }),
        capacities: () => capacities,
      }) as never
    const verdictsWith = (...given: Parameters<typeof sources>) =>
      verdicts(volumeBinding, pod(), clusterOf(nodes, [], sources(...given)))
    const no = 'node(s) did not have enough free storage'
    expect(verdictsWith(false, [])).toEqual({ a: 'ok', b: 'ok' })
    expect(verdictsWith(true, [])).toEqual({ a: no, b: no })
    expect(verdictsWith(true, [room('x', { capacity: '5Gi' }), room('y', { capacity: '4Gi' })])).toEqual({
      a: 'ok',
      b: no,
    })
    // One volume may not be as large as what there is.
    const split = { capacity: '9Gi', maximumVolumeSize: '4Gi' }
    expect(verdictsWith(true, [room('x', split), room('y', { capacity: '9Gi' })])).toEqual({ a: no, b: 'ok' })
  })
  it.each([
    ['gcePersistentDisk', { pdName: 'd' }, false],
    ['gcePersistentDisk', { pdName: 'd', readOnly: true }, true],
    ['awsElasticBlockStore', { volumeID: 'd' }, false],
    ['awsElasticBlockStore', { volumeID: 'd', readOnly: true }, false],
    ['iscsi', { targetPortal: 't', iqn: 'd', lun: 0 }, false],
    ['iscsi', { targetPortal: 't', iqn: 'd', lun: 0, readOnly: true }, true],
    ['rbd', { monitors: ['m', 'n'], image: 'd', pool: 'rbd' }, false],
    ['rbd', { monitors: ['m', 'n'], image: 'd', pool: 'rbd', readOnly: true }, true],
  ])('shares no %s %j with others of its node, but to read', (kind, source, isShared) => {
    const using = (more: object) => aPod({ volumes: [{ name: 'v', [kind]: { ...source, ...more } }] })
    const cluster = clusterOf(nodes, [[using({}), 'a']])
    const no = 'node(s) had no available disk'
    expect(verdicts(volumeRestrictions, using({}), cluster)).toEqual({ a: isShared ? 'ok' : no, b: 'ok' })
    const other = { pdName: 'o', volumeID: 'o', iqn: 'o', image: 'o' }
    expect(verdicts(volumeRestrictions, using(other), cluster)).toEqual({ a: 'ok', b: 'ok' })
  })
  it('leaves alone what one pod has for itself, and what is full', () => {
    const alone = { claim: () => claim({ accessModes: ['ReadWriteOncePod'] }) }
    const inUse =
      'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod'
    const other = pod()
    const cluster = clusterOf(nodes, [[other, 'a']], alone)
    // Wherever it is.
    expect(verdicts(volumeRestrictions, pod(), cluster)).toEqual({ a: inUse, b: inUse })
    const work = volumeRestrictions.filter?.(pod(), cluster) as FilterWork
    const [a, b] = cluster.nodes as [NodeInfo, NodeInfo]
    work.changed?.(a, other, -1)
    expect(work.filter(b)).toBeUndefined()
    const csi = { driver: 'd', volumeHandle: 'h' }
    const full = {
      claim: () => claim({}),
      volume: () => volume({ csi }),
      csiNode: (name: string) => ({
        metadata: { name },
        spec: { drivers: [{ name: 'd', nodeID: name, allocatable: { count: name === 'a' ? 0 : 1 } }] },
      }),
    }
    expect(verdicts(nodeVolumeLimits, pod(), clusterOf(nodes, [], full as never))).toEqual({
      a: 'node(s) exceed max volume count',
      b: 'ok',
    })
  })
})
