// What users do with workloads, step by step, in a namespace of its own; each step waits for what it leads to.
import { isNotFound } from '../../src/client/api.ts'
import type { Deployment, StatefulSet } from '../../src/client/kinds/apps.v1.gen.ts'
import type { Resource } from '../../src/client/resource.ts'
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  JOBS,
  NAMESPACES,
  NODES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
} from '../../src/client/resources.ts'
import { StatusError } from '../../src/machinery/status.ts'
import type { User } from './user.ts'

const DRAINED = 'node-1'

const template = (app: string, image: string, annotations = {}): object => ({
  metadata: { labels: { app }, annotations },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image }] },
})
const selector = (app: string): object => ({ matchLabels: { app } })

/** The same each time, but for names and numbers that are drawn. */
export async function tellStory(user: User, namespace: string): Promise<void> {
  await user.create(NAMESPACES, { metadata: { name: namespace } })
  await Promise.all([
    rollOut(user, namespace),
    updateInOrder(user, namespace),
    workOff(user, namespace),
    cascade(user, namespace),
    drain(user, namespace),
  ])
}

async function rollOut(user: User, namespace: string): Promise<void> {
  const place = { namespace, name: 'web' }
  const spec = { replicas: 3, selector: selector('web'), template: template('web', 'a') }
  await user.create(DEPLOYMENTS, { metadata: place, spec })
  await user.create(SERVICES, { metadata: place, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } })
  await rolledOut(user, place, 3)
  const containers = [{ name: 'main', image: 'b' }]
  await user.patch(DEPLOYMENTS, place, { spec: { template: { spec: { containers } } } })
  await rolledOut(user, place, 3)
  await user.patch(DEPLOYMENTS, place, { spec: { replicas: 5 } })
  await rolledOut(user, place, 5)
}

interface Place {
  readonly namespace: string
  readonly name: string
}

const rolledOut = (user: User, place: Place, replicas: number): Promise<void> =>
  user.until(`the rollout of ${place.name}`, async () => {
    const { metadata, spec, status } = await user.api.get<Deployment>(DEPLOYMENTS, place)
    const isDone =
      status?.observedGeneration === metadata.generation &&
      [status?.replicas, status?.updatedReplicas, status?.availableReplicas].every((one) => one === replicas)
    return (isDone && spec?.replicas === replicas) || status
  })

async function updateInOrder(user: User, namespace: string): Promise<void> {
  const place = { namespace, name: 'db' }
  const spec = { replicas: 3, serviceName: 'db', selector: selector('db'), template: template('db', 'a') }
  const ready = (image: string): Promise<void> =>
    user.until(`the update of db to ${image}`, async () => {
      const { metadata, status } = await user.api.get<StatefulSet>(STATEFUL_SETS, place)
      const isDone =
        status?.observedGeneration === metadata.generation &&
        status?.readyReplicas === 3 &&
        status.currentRevision === status.updateRevision &&
        status.updatedReplicas === 3
      return isDone || status
    })
  await user.create(STATEFUL_SETS, { metadata: place, spec })
  await ready('a')
  const containers = [{ name: 'main', image: 'b' }]
  await user.patch(STATEFUL_SETS, place, { spec: { template: { spec: { containers } } } })
  await user.until('the update of db', async () => {
    const { status } = await user.api.get<StatefulSet>(STATEFUL_SETS, place)
    return status?.currentRevision !== undefined && status.updatedReplicas !== undefined
  })
  await ready('b')
}

async function workOff(user: User, namespace: string): Promise<void> {
  const podTemplate = {
    metadata: { annotations: { 'simulate.dinghy.dev/run-for': '300ms' } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a' }] },
  }
  const spec = { completions: 4, parallelism: 2, completionMode: 'Indexed', template: podTemplate }
  await user.create(JOBS, { metadata: { namespace, name: 'once' }, spec })
  const failing = { ...podTemplate.metadata.annotations, 'simulate.dinghy.dev/exit-code': '1' }
  const bad = { ...podTemplate, metadata: { annotations: failing } }
  await user.create(JOBS, { metadata: { namespace, name: 'bad' }, spec: { backoffLimit: 0, template: bad } })
  for (const [name, type] of [
    ['once', 'Complete'],
    ['bad', 'Failed'],
  ] as const)
    await user.until(`the end of ${name}`, async () => {
      const { status } = await user.api.get(JOBS, { namespace, name })
      return status?.conditions?.some((one) => one.type === type && one.status === 'True') === true || status
    })
}

/** One goes with all that it made, foremost what it made; another leaves that behind. */
async function cascade(user: User, namespace: string): Promise<void> {
  for (const [name, propagationPolicy] of [
    ['goes', 'Foreground'],
    ['leaves', 'Orphan'],
  ] as const) {
    const spec = { replicas: 2, selector: selector(name), template: template(name, 'a') }
    await user.create(DEPLOYMENTS, { metadata: { namespace, name }, spec })
    await rolledOut(user, { namespace, name }, 2)
    await user.create(CONFIG_MAPS, await owned(user, namespace, name))
    await user.delete(DEPLOYMENTS, { namespace, name }, { propagationPolicy })
    await gone(user, DEPLOYMENTS, { namespace, name })
  }
  await user.until('the end of what goes', async () => {
    const left = [...(await user.list(REPLICA_SETS, namespace)), ...(await user.list(PODS, namespace))]
    return left.every(({ metadata }) => metadata.labels?.['app'] !== 'goes')
  })
}

async function owned(user: User, namespace: string, name: string): Promise<object> {
  const { metadata } = await user.insist(() => user.api.get(DEPLOYMENTS, { namespace, name }))
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name, uid: metadata.uid }
  return { metadata: { namespace, name, ownerReferences: [owner] } }
}

const gone = (user: User, resource: Resource, place: Place): Promise<void> =>
  user.until(`the end of ${place.name}`, () =>
    user.api.get(resource, place).then(
      () => false,
      (error: unknown) => {
        if (isNotFound(error)) return true
        throw error
      },
    ),
  )

/** As kubectl drain: cordon, evict what a budget lets go, and let pods come again. */
async function drain(user: User, namespace: string): Promise<void> {
  const place = { namespace, name: 'drained' }
  const spec = { replicas: 4, selector: selector('drained'), template: template('drained', 'a') }
  await user.create(DEPLOYMENTS, { metadata: place, spec })
  await user.create(POD_DISRUPTION_BUDGETS, {
    metadata: place,
    spec: { minAvailable: 3, selector: selector('drained') },
  })
  await rolledOut(user, place, 4)
  await user.patch(NODES, { name: DRAINED }, { spec: { unschedulable: true } })
  await user.until('the drain', async () => {
    const pods = (await user.list(PODS, namespace)).filter(
      ({ metadata, spec: { nodeName } }) => metadata.labels?.['app'] === 'drained' && nodeName === DRAINED,
    )
    for (const { metadata } of pods) await evict(user, { namespace, name: metadata.name ?? '' })
    return pods.length === 0 || pods.length
  })
  await user.patch(NODES, { name: DRAINED }, { spec: { unschedulable: false } })
  await rolledOut(user, place, 4)
}

async function evict(user: User, place: Place): Promise<void> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { ...place } }
  try {
    await user.api.post(PODS, { ...place, subresource: 'eviction' }, body)
  } catch (error) {
    // The budget says not yet, or it is gone; a server that is away is asked again with the next look.
    if (error instanceof StatusError && ![404, 409, 429].includes(error.code) && error.code < 500) throw error
  }
}
