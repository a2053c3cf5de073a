// StatefulSets against the API server: order, names, claims, updates down to a partition, revisions.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StatefulSet, StatefulSetSpec } from '../../src/client/kinds/apps.v1.gen.ts'
import {
  CONTROLLER_REVISIONS,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  STATEFUL_SETS,
} from '../../src/client/resources.ts'
import { statefulSetController } from '../../src/controllers/statefulset/sync.ts'
import { startCluster, type TestCluster, until } from './workloads.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({
    controllers: { 'statefulset-controller': statefulSetController },
    runsPods: true,
  })
})
afterAll(() => cluster.stop())

const placeOf = (name: string) => ({ namespace: 'default', name })
const get = (name: string): Promise<StatefulSet> => cluster.api.get(STATEFUL_SETS, placeOf(name))
const change = (name: string, spec: object): Promise<StatefulSet> =>
  cluster.api.patch(
    STATEFUL_SETS,
    placeOf(name),
    { spec: JSON.parse(JSON.stringify(spec)) as never },
    { type: 'strategic' },
  )
const image = (value: string) => ({ template: { spec: { containers: [{ name: 'c', image: value }] } } })

const create = (name: string, spec: Partial<StatefulSetSpec> = {}): Promise<StatefulSet> =>
  cluster.api.create(STATEFUL_SETS, {
    metadata: placeOf(name),
    spec: {
      replicas: 3,
      serviceName: 'svc',
      selector: { matchLabels: { app: name } },
      updateStrategy: {},
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: '1', resources: {} }] },
      },
      ...spec,
    },
    status: { replicas: 0, availableReplicas: 0 },
  })

const up = (name: string, replicas: number): Promise<unknown> =>
  until(async () => {
    const { metadata, status } = await get(name)
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      updatedReplicas: replicas,
      currentReplicas: replicas,
    })
    expect(status.currentRevision).toBe(status.updateRevision)
  })

/** "web-0 image" in order. */
const podsOf = async (name: string): Promise<string[]> =>
  (await cluster.podsOf(`app=${name}`))
    .map((pod) => `${pod.metadata.name} ${pod.spec.containers[0]?.image}`)
    .sort()

describe('a StatefulSet', () => {
  it('makes its pods in order, updates them from the last, and ends them from the last', async () => {
    await create('web')
    await up('web', 3)
    await until(async () => {
      const events = (await cluster.eventsOf('web')).filter((event) => event.includes('SuccessfulCreate'))
      expect(events.sort()).toEqual(
        [0, 1, 2].map((n) => `Normal SuccessfulCreate: Create Pod web-${n} in StatefulSet web successful`),
      )
    })
    const pod = await cluster.api.get(PODS, placeOf('web-1'))
    const { updateRevision } = (await get('web')).status
    expect(pod.metadata.labels).toEqual({
      app: 'web',
      'apps.kubernetes.io/pod-index': '1',
      'controller-revision-hash': updateRevision,
      'statefulset.kubernetes.io/pod-name': 'web-1',
    })
    expect(pod.spec).toMatchObject({ hostname: 'web-1', subdomain: 'svc' })
    await change('web', {
      ...image('2'),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } },
    })
    await until(async () => expect(await podsOf('web')).toEqual(['web-0 1', 'web-1 1', 'web-2 2']))
    await change('web', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } })
    await up('web', 3)
    expect(await podsOf('web')).toEqual(['web-0 2', 'web-1 2', 'web-2 2'])
    await change('web', { replicas: 1 })
    await up('web', 1)
    expect(await podsOf('web')).toEqual(['web-0 2'])
    await change('web', image('1'))
    await up('web', 1)
    const { items } = await cluster.api.list(CONTROLLER_REVISIONS, {
      namespace: 'default',
      labelSelector: 'app=web',
    })
    expect(items.map(({ revision }) => revision).sort()).toEqual([2, 3])
    expect((await get('web')).status.currentRevision).toBe(updateRevision)
  })

  it('starts at its first ordinal, all at once where it may', async () => {
    await create('par', { podManagementPolicy: 'Parallel', ordinals: { start: 5 } })
    await up('par', 3)
    expect(await podsOf('par')).toEqual(['par-5 1', 'par-6 1', 'par-7 1'])
  })

  it('leaves pods to whoever deletes them, where it is told so', async () => {
    await create('hand', { replicas: 2, updateStrategy: { type: 'OnDelete' } })
    await until(async () => expect((await get('hand')).status.readyReplicas).toBe(2))
    await change('hand', image('2'))
    await until(async () => expect((await get('hand')).status.observedGeneration).toBe(2))
    expect(await podsOf('hand')).toEqual(['hand-0 1', 'hand-1 1'])
    await cluster.api.delete(PODS, placeOf('hand-0'))
    await until(async () => expect(await podsOf('hand')).toEqual(['hand-0 2', 'hand-1 1']))
  })

  it('makes claims, and gives them away as its policy says', async () => {
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      status: {},
    }
    await create('vol', {
      replicas: 2,
      volumeClaimTemplates: [claim],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
    })
    await up('vol', 2)
    const claimOf = (n: number) => cluster.api.get(PERSISTENT_VOLUME_CLAIMS, placeOf(`data-vol-${n}`))
    const ownersOf = async (n: number): Promise<unknown> =>
      (await claimOf(n)).metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`)
    await until(async () => {
      expect([await ownersOf(0), await ownersOf(1)]).toEqual([['StatefulSet vol'], ['StatefulSet vol']])
    })
    expect((await cluster.api.get(PODS, placeOf('vol-1'))).spec.volumes?.[0]).toMatchObject({
      name: 'data',
      persistentVolumeClaim: { claimName: 'data-vol-1' },
    })
    await change('vol', { replicas: 1 })
    await up('vol', 1)
    expect(await ownersOf(1)).toEqual(['Pod vol-1'])
    // The claim still goes with the pod that is gone: the next one waits for it.
    await change('vol', { replicas: 2 })
    await until(async () => expect((await get('vol')).status.observedGeneration).toBe(3))
    expect(await podsOf('vol')).toEqual(['vol-0 1'])
    await cluster.api.patch(
      PERSISTENT_VOLUME_CLAIMS,
      placeOf('data-vol-1'),
      { metadata: { ownerReferences: null } },
      { type: 'merge' },
    )
    // Nothing tells the controller of claims: it looks at them when it looks at the set.
    let looks = 0
    await until(async () => {
      const labels = { look: String(looks++) }
      await cluster.api.patch(STATEFUL_SETS, placeOf('vol'), { metadata: { labels } }, { type: 'merge' })
      expect(await podsOf('vol')).toEqual(['vol-0 1', 'vol-1 1'])
    })
    await up('vol', 2)
  })
})

it('nothing was warned of', () => {
  expect(cluster.warnings).toEqual([])
})
