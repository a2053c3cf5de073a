// Deployments against the API server: rollouts of both strategies, history, pause, roll-back, a hash that collides.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Deployment, ReplicaSet } from '../../src/client/kinds/apps.v1.gen.ts'
import { DEPLOYMENTS, REPLICA_SETS } from '../../src/client/resources.ts'
import { templateHash } from '../../src/client/templatehash.ts'
import { deploymentController } from '../../src/controllers/deployment/sync.ts'
import { replicaSetController } from '../../src/controllers/replicaset/kinds.ts'
import { startCluster, type TestCluster, until } from './workloads.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({
    controllers: {
      'replicaset-controller': replicaSetController,
      'deployment-controller': deploymentController,
    },
    runsPods: true,
  })
})
afterAll(() => cluster.stop())

const placeOf = (name: string) => ({ namespace: 'default', name })

const deploymentOf = (name: string, spec: Partial<Deployment['spec']> = {}): Deployment => ({
  metadata: { ...placeOf(name), labels: { app: name }, annotations: { team: 'a' } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    strategy: {},
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: '1', resources: {} }] },
    },
    ...spec,
  },
  status: {},
})

const setsOf = async (name: string): Promise<readonly ReplicaSet[]> =>
  (await cluster.api.list(REPLICA_SETS, { namespace: 'default', labelSelector: `app=${name}` })).items

const get = (name: string): Promise<Deployment> => cluster.api.get(DEPLOYMENTS, placeOf(name))

const setImage = (name: string, image: string): Promise<Deployment> => {
  const template = { spec: { containers: [{ name: 'c', image }] } }
  return cluster.api.patch(DEPLOYMENTS, placeOf(name), { spec: { template } }, { type: 'strategic' })
}

const rolledOut = (name: string, revision: string, replicas = 3): Promise<unknown> =>
  until(async () => {
    const { metadata, status } = await get(name)
    expect(metadata.annotations?.['deployment.kubernetes.io/revision']).toBe(revision)
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
    })
    expect(status.conditions?.find(({ type }) => type === 'Progressing')?.reason).toBe(
      'NewReplicaSetAvailable',
    )
  })

describe('a rolling Deployment', () => {
  it('comes up, rolls to a new template, and back', async () => {
    await cluster.api.create(DEPLOYMENTS, deploymentOf('roll'))
    await rolledOut('roll', '1')
    const [first] = await setsOf('roll')
    expect(first?.metadata).toMatchObject({
      name: expect.stringMatching(/^roll-[a-z0-9]+$/),
      annotations: {
        team: 'a',
        'deployment.kubernetes.io/desired-replicas': '3',
        'deployment.kubernetes.io/max-replicas': '4',
        'deployment.kubernetes.io/revision': '1',
      },
      ownerReferences: [{ kind: 'Deployment', name: 'roll', controller: true, blockOwnerDeletion: true }],
    })
    await setImage('roll', '2')
    await rolledOut('roll', '2')
    expect((await setsOf('roll')).map(({ spec }) => spec.replicas).sort()).toEqual([0, 3])
    await setImage('roll', '1')
    await rolledOut('roll', '3')
    const back = (await setsOf('roll')).find(({ metadata }) => metadata.uid === first?.metadata.uid)
    expect(back?.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision-history': '1' })
    await until(async () => {
      const events = await cluster.eventsOf('roll')
      expect(events).toContain(
        `Normal ScalingReplicaSet: Scaled up replica set ${first?.metadata.name} from 0 to 3`,
      )
      expect(events).toContain(
        `Normal ScalingReplicaSet: Scaled down replica set ${first?.metadata.name} from 3 to 2`,
      )
    })
    expect(
      (await get('roll')).status.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    ).toEqual([
      ['Available', 'True', 'MinimumReplicasAvailable'],
      ['Progressing', 'True', 'NewReplicaSetAvailable'],
    ])
  })

  it('is scaled, keeps as many revisions as it shall, and goes back by annotation', async () => {
    await cluster.api.create(DEPLOYMENTS, deploymentOf('keep', { replicas: 1, revisionHistoryLimit: 1 }))
    await rolledOut('keep', '1', 1)
    await cluster.api.patch(DEPLOYMENTS, placeOf('keep'), { spec: { replicas: 2 } }, { type: 'merge' })
    await rolledOut('keep', '1', 2)
    await setImage('keep', '2')
    await rolledOut('keep', '2', 2)
    await setImage('keep', '3')
    await rolledOut('keep', '3', 2)
    await until(async () => expect(await setsOf('keep')).toHaveLength(2))
    const annotations = { 'deprecated.deployment.rollback.to': '0' }
    await cluster.api.patch(DEPLOYMENTS, placeOf('keep'), { metadata: { annotations } }, { type: 'merge' })
    await rolledOut('keep', '4', 2)
    const now = await get('keep')
    expect(now.spec.template.spec.containers[0]?.image).toBe('2')
    expect(now.spec.template.metadata.labels).toEqual({ app: 'keep' })
    expect(now.metadata.annotations).not.toHaveProperty('deprecated.deployment.rollback.to')
    await until(async () =>
      expect(await cluster.eventsOf('keep')).toContain(
        'Normal DeploymentRollback: Rolled back deployment "keep" to revision 2',
      ),
    )
  })

  it('waits while it is paused', async () => {
    await cluster.api.create(DEPLOYMENTS, deploymentOf('pause', { replicas: 1 }))
    await rolledOut('pause', '1', 1)
    await cluster.api.patch(DEPLOYMENTS, placeOf('pause'), { spec: { paused: true } }, { type: 'merge' })
    await setImage('pause', '2')
    await until(async () => {
      const { metadata, status } = await get('pause')
      expect(status.observedGeneration).toBe(metadata.generation)
      expect(status.conditions?.find(({ type }) => type === 'Progressing')).toMatchObject({
        status: 'Unknown',
        reason: 'DeploymentPaused',
        message: 'Deployment is paused',
      })
    })
    expect(await setsOf('pause')).toHaveLength(1)
    await cluster.api.patch(DEPLOYMENTS, placeOf('pause'), { spec: { paused: false } }, { type: 'merge' })
    await rolledOut('pause', '2', 1)
  })

  it('takes another name where its hash collides', async () => {
    const deployment = deploymentOf('hash', { replicas: 1 })
    const dry = await cluster.api.create(DEPLOYMENTS, { ...deployment, metadata: placeOf('defaulted') })
    const hash = templateHash(dry.spec.template)
    await cluster.api.delete(DEPLOYMENTS, placeOf('defaulted'))
    const labels = { other: 'x' }
    const template = { metadata: { labels }, spec: dry.spec.template.spec }
    const spec = { replicas: 0, selector: { matchLabels: labels }, template }
    await cluster.api.create(REPLICA_SETS, {
      metadata: placeOf(`hash-${hash}`),
      spec,
      status: { replicas: 0 },
    })
    await cluster.api.create(DEPLOYMENTS, deployment)
    await rolledOut('hash', '1', 1)
    expect((await get('hash')).status.collisionCount).toBe(1)
  })
})

it('a Deployment that recreates has no old pods when it makes new ones', async () => {
  await cluster.api.create(DEPLOYMENTS, deploymentOf('anew', { replicas: 2, strategy: { type: 'Recreate' } }))
  await rolledOut('anew', '1', 2)
  const before = new Set((await cluster.podsOf('app=anew')).map(({ metadata }) => metadata.uid))
  await setImage('anew', '2')
  await rolledOut('anew', '2', 2)
  const pods = await cluster.podsOf('app=anew')
  expect(pods).toHaveLength(2)
  expect(pods.some(({ metadata }) => before.has(metadata.uid))).toBe(false)
})

it('nothing was warned of', () => {
  expect(cluster.warnings.filter((warning) => !/already exists|default.defaulted/.test(warning))).toEqual([])
})
