// What a controller's copy does not tell yet is tried again, and nobody is warned of it; of other refusals they are.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { ClientResponse, Transport } from '../../src/client/transport.ts'
import {
  CORE_EVENTS,
  ENDPOINTS,
  PERSISTENT_VOLUME_CLAIMS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  SERVICES,
} from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 20 }
const namespace = 'default'
let cluster: TestCluster
/** What was answered with "there already", by the end of the path. */
const behind = new Map<string, number>()

/** Makes of these resources are told to be there already, once; those of what is named "barred" never succeed. */
function stubborn(transport: Transport): Transport {
  return {
    close: () => transport.close(),
    async send(request) {
      const what = /\/(endpoints|endpointslices|persistentvolumeclaims)$/.exec(request.path)?.[1]
      if (request.method !== 'POST' || what === undefined) return transport.send(request)
      if (request.body?.includes('barred')) return answer(500, 'InternalError', 'no room')
      const times = behind.get(what) ?? 0
      behind.set(what, times + 1)
      return times === 0 ? answer(409, 'AlreadyExists', `${what} already exists`) : transport.send(request)
    },
  }
}

function answer(code: number, reason: string, message: string): ClientResponse {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }
  return {
    ...{ status: code, headers: {} },
    body: () => Promise.resolve(Buffer.from(JSON.stringify(status))),
    chunks: () => {
      throw new Error('no stream')
    },
  }
}

beforeAll(async () => {
  const names = ['endpoint', 'endpointslice', 'ephemeral-volume', 'disruption', 'serviceaccount']
  cluster = await clusterWith(names, {}, stubborn)
})
afterAll(() => cluster.stop())

/** Reasons and messages of what was told of it. */
async function told(name: string): Promise<string[]> {
  const fieldSelector = `involvedObject.name=${name}`
  const { items } = await cluster.api.list(CORE_EVENTS, { namespace, fieldSelector })
  return items.map(({ reason, message }) => `${reason}: ${message}`)
}

const serviceOf = (name: string) =>
  cluster.api.create(SERVICES, {
    metadata: { namespace, name },
    spec: { selector: { app: name }, ports: [{ port: 80 }] },
  } as never)

it('warns of endpoints that cannot be made, not of those that are there already', async () => {
  await serviceOf('web')
  await vi.waitFor(() => cluster.api.get(ENDPOINTS, { namespace, name: 'web' }), WAIT)
  await vi.waitFor(() => expect(behind.get('endpointslices')).toBeGreaterThan(1), WAIT)
  await serviceOf('barred')
  const refused = [
    'FailedToCreateEndpoint: Failed to create endpoint for service default/barred: no room',
    'FailedToUpdateEndpointSlices: Error updating Endpoint Slices for Service default/barred: failed to create EndpointSlice for Service default/barred: no room',
  ]
  await vi.waitFor(async () => expect([...new Set(await told('barred'))].sort()).toEqual(refused), WAIT)
  // Each recorder tells in order: what is told of the second service comes after what was told of the first.
  expect(await told('web')).toEqual([])
})

const podOf = (name: string) => ({
  metadata: { namespace, name, labels: { app: 'pod' } },
  spec: {
    containers: [{ name: 'a', image: 'a' }],
    volumes: [
      {
        name: 'scratch',
        ephemeral: {
          volumeClaimTemplate: {
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1' } } },
          },
        },
      },
    ],
  },
})

it('warns of claims that cannot be made, not of those that are there already', async () => {
  await vi.waitFor(() => cluster.api.create(PODS, podOf('first') as never), WAIT)
  const claim = { namespace, name: 'first-scratch' }
  await vi.waitFor(() => cluster.api.get(PERSISTENT_VOLUME_CLAIMS, claim), WAIT)
  await cluster.api.create(PODS, podOf('barred-pod') as never)
  const refused = ['FailedBinding: ephemeral volume scratch: no room']
  await vi.waitFor(async () => expect([...new Set(await told('barred-pod'))]).toEqual(refused), WAIT)
  expect(await told('first')).toEqual([])
})

it('warns of a pod that several budgets count', async () => {
  for (const name of ['one', 'other'])
    await cluster.api.create(POD_DISRUPTION_BUDGETS, {
      metadata: { namespace, name },
      spec: { minAvailable: 1, selector: { matchLabels: { twice: 'yes' } } },
    } as never)
  // Which says that both are known.
  await vi.waitFor(async () => {
    const { items } = await cluster.api.list(POD_DISRUPTION_BUDGETS, { namespace })
    expect(items.map(({ status }) => status?.observedGeneration)).toEqual([1, 1])
  }, WAIT)
  const pod = podOf('counted')
  await cluster.api.create(PODS, {
    metadata: { ...pod.metadata, labels: { twice: 'yes' } },
    spec: { containers: pod.spec.containers },
  } as never)
  const warning =
    /^MultiplePodDisruptionBudgets: Pod "default"\/"counted" matches multiple PodDisruptionBudgets\. {2}Chose "(one|other)" arbitrarily\.$/
  await vi.waitFor(
    async () => expect(await told('counted')).toContainEqual(expect.stringMatching(warning)),
    WAIT,
  )
})
