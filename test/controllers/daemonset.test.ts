// DaemonSets against the API server: a pod for each node that they are for, updates, revisions, failed pods.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DaemonSet, DaemonSetSpec } from '../../src/client/kinds/apps.v1.gen.ts'
import type { Node } from '../../src/client/kinds/core.v1.gen.ts'
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES } from '../../src/client/resources.ts'
import { nodeOf } from '../../src/controllers/daemonset/daemonpods.ts'
import { daemonSetController } from '../../src/controllers/daemonset/sync.ts'
import { startCluster, type TestCluster, until } from './workloads.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster({
    controllers: { 'daemon-set-controller': daemonSetController },
    runsPods: true,
  })
  for (const name of ['n1', 'n2']) await addNode(name)
})
afterAll(() => cluster.stop())

/** New nodes are tainted until somebody finds them ready. */
async function addNode(name: string): Promise<void> {
  const labels = { disk: name === 'n1' ? 'ssd' : 'hdd' }
  await cluster.api.create(NODES, { metadata: { name, labels }, spec: {}, status: {} as Node['status'] })
  await cluster.api.patch(NODES, { name }, { spec: { taints: null } }, { type: 'merge' })
}
const placeOf = (name: string) => ({ namespace: 'default', name })
const get = (name: string): Promise<DaemonSet> => cluster.api.get(DAEMON_SETS, placeOf(name))
const change = (name: string, spec: object): Promise<DaemonSet> =>
  cluster.api.patch(
    DAEMON_SETS,
    placeOf(name),
    { spec: JSON.parse(JSON.stringify(spec)) as never },
    { type: 'strategic' },
  )
const image = (value: string) => ({ template: { spec: { containers: [{ name: 'c', image: value }] } } })

const create = (name: string, spec: Partial<DaemonSetSpec> = {}): Promise<DaemonSet> =>
  cluster.api.create(DAEMON_SETS, {
    metadata: placeOf(name),
    spec: {
      selector: { matchLabels: { app: name } },
      updateStrategy: {},
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: '1', resources: {} }] },
      },
      ...spec,
    },
    status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  })

/** "n1 image" in order. */
const podsOf = async (name: string): Promise<string[]> =>
  (await cluster.podsOf(`app=${name}`))
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map((pod) => `${nodeOf(pod)} ${pod.spec.containers[0]?.image}`)
    .sort()

const up = (name: string, nodes: number): Promise<unknown> =>
  until(async () => {
    const { metadata, status } = await get(name)
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      desiredNumberScheduled: nodes,
      currentNumberScheduled: nodes,
      numberReady: nodes,
      numberAvailable: nodes,
      updatedNumberScheduled: nodes,
      numberMisscheduled: 0,
    })
    expect(status.numberUnavailable).toBeUndefined()
  })

describe('a DaemonSet', () => {
  it('has a pod for each node, and for one that joins; is updated, and goes back', async () => {
    await create('all')
    await up('all', 2)
    await addNode('n3')
    await up('all', 3)
    expect(await podsOf('all')).toEqual(['n1 1', 'n2 1', 'n3 1'])
    await change('all', image('2'))
    await up('all', 3)
    expect(await podsOf('all')).toEqual(['n1 2', 'n2 2', 'n3 2'])
    const hash = (await cluster.podsOf('app=all'))[0]?.metadata.labels?.['controller-revision-hash']
    const revisions = async () =>
      (await cluster.api.list(CONTROLLER_REVISIONS, { namespace: 'default', labelSelector: 'app=all' })).items
    expect((await revisions()).find(({ revision }) => revision === 2)?.metadata.labels).toMatchObject({
      'controller-revision-hash': hash,
    })
    await change('all', image('1'))
    await up('all', 3)
    expect((await revisions()).map(({ revision }) => revision).sort()).toEqual([2, 3])
  })

  it('surges: the new pod is there before the old one goes', async () => {
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 }
    await create('surge', { updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
    await up('surge', 3)
    await change('surge', image('2'))
    await up('surge', 3)
    await until(async () => expect(await podsOf('surge')).toEqual(['n1 2', 'n2 2', 'n3 2']))
  })

  it('follows the labels of nodes, and replaces failed pods', async () => {
    await create('ssd')
    await change('ssd', { template: { spec: { nodeSelector: { disk: 'ssd' } } } })
    await up('ssd', 1)
    await cluster.api.patch(
      NODES,
      { name: 'n2' },
      { metadata: { labels: { disk: 'ssd' } } },
      { type: 'merge' },
    )
    await up('ssd', 2)
    expect(await podsOf('ssd')).toEqual(['n1 1', 'n2 1'])
    const [victim] = await cluster.podsOf('app=ssd')
    await cluster.patchPod(victim as never, { phase: 'Failed' })
    await until(async () =>
      expect(
        (await cluster.podsOf('app=ssd')).some(({ metadata }) => metadata.uid === victim?.metadata.uid),
      ).toBe(false),
    )
    await up('ssd', 2)
    await until(async () =>
      expect(await cluster.eventsOf('ssd')).toContain(
        `Warning FailedDaemonPod: Found failed daemon pod default/${victim?.metadata.name} on node ${nodeOf(victim as never)}, will try to kill it`,
      ),
    )
  })
})

it('nothing was warned of', () => {
  expect(cluster.warnings).toEqual([])
})
