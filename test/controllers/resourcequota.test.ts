// Quotas follow what is there, of every kind that they name.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  NAMESPACES,
  PODS,
  RESOURCE_QUOTAS,
  SERVICES,
} from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'counted'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(['resourcequota', 'serviceaccount'])
  await cluster.api.create(NAMESPACES, { metadata: { name: namespace } } as never)
})
afterAll(() => cluster.stop())

const used = async (name: string) =>
  (await cluster.api.get(RESOURCE_QUOTAS, { namespace, name })).status?.used

it('counts pods, services and whatever else is named', async () => {
  const { api } = cluster
  const hard = {
    pods: '5',
    'requests.cpu': '1',
    services: '2',
    'services.nodeports': '1',
    configmaps: '9',
    'count/deployments.apps': '3',
  }
  await api.create(RESOURCE_QUOTAS, { metadata: { namespace, name: 'all' }, spec: { hard } } as never)
  const zero = {
    pods: '0',
    'requests.cpu': '0',
    services: '0',
    'services.nodeports': '0',
    configmaps: '0',
    'count/deployments.apps': '0',
  }
  await vi.waitFor(async () => expect(await used('all')).toEqual(zero), WAIT)

  const pod = (name: string, spec: object = {}) =>
    vi.waitFor(
      () =>
        api.create(PODS, {
          metadata: { namespace, name },
          spec: {
            containers: [{ name: 'a', image: 'a', resources: { requests: { cpu: '150m' } } }],
            ...spec,
          },
        } as never),
      WAIT,
    )
  await pod('one')
  await pod('two')
  await api.create(SERVICES, {
    metadata: { namespace, name: 's' },
    spec: { type: 'NodePort', ports: [{ port: 80 }] },
  } as never)
  await api.create(CONFIG_MAPS, { metadata: { namespace, name: 'c' } })
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a' }] } }
  const spec = { selector: { matchLabels: { a: 'b' } }, template }
  await api.create(DEPLOYMENTS, { metadata: { namespace, name: 'd' }, spec } as never)
  await vi.waitFor(async () => {
    expect(await used('all')).toEqual({
      pods: '2',
      'requests.cpu': '300m',
      services: '1',
      'services.nodeports': '1',
      configmaps: '1',
      'count/deployments.apps': '1',
    })
  }, WAIT)

  const place = { namespace, name: 'one', subresource: 'status' }
  await api.patch(PODS, place, { status: { phase: 'Succeeded' } }, { type: 'strategic' })
  await api.delete(CONFIG_MAPS, { namespace, name: 'c' })
  await vi.waitFor(async () => {
    expect(await used('all')).toMatchObject({ pods: '1', 'requests.cpu': '150m', configmaps: '0' })
  }, WAIT)
})

it('counts only what is in its scopes', async () => {
  const { api } = cluster
  const spec = { hard: { pods: '5' }, scopes: ['Terminating'] }
  await api.create(RESOURCE_QUOTAS, { metadata: { namespace, name: 'scoped' }, spec } as never)
  await vi.waitFor(async () => expect(await used('scoped')).toEqual({ pods: '0' }), WAIT)
  await api.create(PODS, {
    metadata: { namespace, name: 'brief' },
    spec: {
      containers: [{ name: 'a', image: 'a', resources: { requests: { cpu: '10m' } } }],
      activeDeadlineSeconds: 60,
    },
  } as never)
  await vi.waitFor(async () => expect(await used('scoped')).toEqual({ pods: '1' }), WAIT)
})
