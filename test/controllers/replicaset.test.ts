// ReplicaSets and ReplicationControllers against the API server: numbers of pods, adoption and release, status.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PODS, REPLICA_SETS, REPLICATION_CONTROLLERS } from '../../src/client/resources.ts'
import {
  replicaSetController,
  replicationControllerController,
} from '../../src/controllers/replicaset/kinds.ts'
import { startCluster, type TestCluster, until } from './workloads.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({
    controllers: {
      'replicaset-controller': replicaSetController,
      'replication-controller': replicationControllerController,
    },
    runsPods: true,
  })
})
afterAll(() => cluster.stop())

const templateOf = (app: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image: 'i', resources: {} }] },
})
const placeOf = (name: string) => ({ namespace: 'default', name })

describe('a ReplicaSet', () => {
  it('has as many pods as it asks for, and says so', async () => {
    const { api } = cluster
    const spec = { replicas: 3, selector: { matchLabels: { app: 'a' } }, template: templateOf('a') }
    await api.create(REPLICA_SETS, { metadata: placeOf('a'), spec, status: { replicas: 0 } })
    await until(async () =>
      expect((await api.get(REPLICA_SETS, placeOf('a'))).status).toMatchObject({
        replicas: 3,
        fullyLabeledReplicas: 3,
        readyReplicas: 3,
        availableReplicas: 3,
        terminatingReplicas: 0,
        observedGeneration: 1,
      }),
    )
    expect((await cluster.podsOf('app=a'))[0]?.metadata).toMatchObject({
      generateName: 'a-',
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', controller: true }],
    })
    await api.patch(REPLICA_SETS, placeOf('a'), { spec: { replicas: 1 } }, { type: 'merge' })
    await until(async () => expect(await cluster.podsOf('app=a')).toHaveLength(1))
    await until(async () => {
      const events = await cluster.eventsOf('a')
      expect(
        events.filter((event) => event.startsWith('Normal SuccessfulCreate: Created pod: a-')),
      ).toHaveLength(3)
      expect(
        events.filter((event) => event.startsWith('Normal SuccessfulDelete: Deleted pod: a-')),
      ).toHaveLength(2)
    })
  })

  it('adopts an orphan that it selects, and releases a pod that it selects no longer', async () => {
    const { api } = cluster
    const orphan = {
      metadata: { ...placeOf('orphan'), labels: { app: 'b' } },
      spec: templateOf('b').spec,
      status: {},
    }
    await api.create(PODS, orphan)
    const spec = { replicas: 1, selector: { matchLabels: { app: 'b' } }, template: templateOf('b') }
    await api.create(REPLICA_SETS, { metadata: placeOf('b'), spec, status: { replicas: 0 } })
    await until(async () =>
      expect((await api.get(PODS, placeOf('orphan'))).metadata.ownerReferences?.[0]?.name).toBe('b'),
    )
    await until(async () => expect((await api.get(REPLICA_SETS, placeOf('b'))).status.replicas).toBe(1))
    expect(await cluster.podsOf('app=b')).toHaveLength(1)
    await api.patch(PODS, placeOf('orphan'), { metadata: { labels: { app: 'free' } } }, { type: 'merge' })
    await until(async () => {
      expect((await api.get(PODS, placeOf('orphan'))).metadata.ownerReferences).toBeUndefined()
      expect(await cluster.podsOf('app=b')).toHaveLength(1)
    })
  })

  it('replaces what failed, and says why it cannot', async () => {
    const { api } = cluster
    const template = {
      ...templateOf('c'),
      spec: { ...templateOf('c').spec, serviceAccountName: 'nobody-made-me' },
    }
    const spec = { replicas: 2, selector: { matchLabels: { app: 'c' } }, template }
    await api.create(REPLICA_SETS, { metadata: placeOf('c'), spec, status: { replicas: 0 } })
    await until(async () =>
      expect((await api.get(REPLICA_SETS, placeOf('c'))).status.conditions).toMatchObject([
        {
          type: 'ReplicaFailure',
          status: 'True',
          reason: 'FailedCreate',
          message: expect.stringContaining('forbidden'),
        },
      ]),
    )
    await until(async () => {
      const [event] = await cluster.eventsOf('c')
      expect(event).toMatch(/^Warning FailedCreate: Error creating: pods "c-" is forbidden/)
    })
  })
})

it('a ReplicationController keeps its pods by its map of labels', async () => {
  const { api } = cluster
  const spec = { replicas: 2, selector: { app: 'rc' }, template: templateOf('rc') }
  await api.create(REPLICATION_CONTROLLERS, { metadata: placeOf('rc'), spec, status: { replicas: 0 } })
  await until(async () =>
    expect((await api.get(REPLICATION_CONTROLLERS, placeOf('rc'))).status).toEqual({
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      observedGeneration: 1,
    }),
  )
  const [first] = await cluster.podsOf('app=rc')
  await cluster.patchPod(first as never, { phase: 'Failed' })
  await until(async () => expect(await cluster.podsOf('app=rc')).toHaveLength(3))
  expect(first?.metadata.ownerReferences?.[0]).toMatchObject({
    apiVersion: 'v1',
    kind: 'ReplicationController',
  })
})
