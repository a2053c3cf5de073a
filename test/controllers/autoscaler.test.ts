// Autoscalers against a server whose metrics are told by the test, and one that serves none.
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { SETTINGS } from '../../src/cmd/controllers/settings.ts'
import type { HorizontalPodAutoscaler } from '../../src/client/kinds/autoscaling.v2.gen.ts'
import { AUTOSCALERS, CORE_EVENTS, PODS, REPLICA_SETS } from '../../src/client/resources.ts'
import type { ClientRequest, ClientResponse, Transport } from '../../src/client/transport.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 20 }
const namespace = 'default'
const settings = { autoscaler: { ...SETTINGS.autoscaler, syncMs: 50, downscaleStabilizationMs: 300 } }

/** Answers by the path's beginning; what is not in it is asked of the server. */
const served = new Map<string, object>()
const asked: string[] = []

function measured(transport: Transport): Transport {
  const answer = (object: object): ClientResponse => {
    const body = Buffer.from(JSON.stringify(object))
    const chunks = async function* () {
      yield await Promise.resolve(body)
    }
    return { status: 200, headers: {}, body: () => Promise.resolve(body), chunks }
  }
  return {
    send(request: ClientRequest) {
      const path = decodeURIComponent(request.path)
      const known = [...served].find(([prefix]) => path === prefix || path.startsWith(`${prefix}?`))
      if (!known) return transport.send(request)
      asked.push(path)
      return Promise.resolve(answer(known[1]))
    },
    close: () => transport.close(),
  }
}

let cluster: TestCluster
beforeAll(async () => {
  cluster = await clusterWith(['serviceaccount', 'horizontalpodautoscaling'], settings, measured)
})
afterAll(() => cluster.stop())
beforeEach(() => served.clear())

/** A set of so many pods that run, and its autoscaler. */
async function scaled(name: string, replicas: number, spec: object): Promise<void> {
  const { api } = cluster
  const labels = { app: name }
  const resources = { requests: { cpu: '200m', memory: '64Mi' } }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a', resources }] } }
  const metadata = { namespace, name }
  await api.create(REPLICA_SETS, {
    metadata,
    spec: { replicas, selector: { matchLabels: labels }, template },
  } as never)
  const startTime = new Date(Date.now() - 3600_000).toISOString()
  for (let at = 0; at < replicas; at++) {
    const pod = { ...template, metadata: { namespace, name: `${name}-${at}`, labels } }
    await vi.waitFor(() => api.create(PODS, pod as never), WAIT)
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: startTime }]
    const status = { phase: 'Running', startTime, conditions }
    await api.patch(
      PODS,
      { namespace, name: `${name}-${at}`, subresource: 'status' },
      { status },
      { type: 'strategic' },
    )
  }
  const ready = { status: { replicas } }
  await api.patch(REPLICA_SETS, { namespace, name, subresource: 'status' }, ready, { type: 'merge' })
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name }
  await api.create(AUTOSCALERS, { metadata, spec: { scaleTargetRef, maxReplicas: 10, ...spec } } as never)
}

const cpu = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
}
const timestamp = (): string => new Date().toISOString()
const useOf = (name: string, uses: readonly string[]) => ({
  items: uses.map((use, at) => ({
    metadata: { namespace, name: `${name}-${at}` },
    ...{ timestamp: timestamp(), window: '30s' },
    containers: [{ name: 'a', usage: { cpu: use, memory: '48Mi' } }],
  })),
})
const PODS_METRICS = '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods'

const statusOf = async (name: string) => (await cluster.api.get(AUTOSCALERS, { namespace, name })).status
const replicasOf = async (name: string) =>
  (await cluster.api.get(REPLICA_SETS, { namespace, name })).spec.replicas
const conditionOf = (status: HorizontalPodAutoscaler['status'], type: string) =>
  status.conditions?.find((one) => one.type === type)
async function eventsOf(name: string): Promise<string[]> {
  const { items } = await cluster.api.list(CORE_EVENTS, {
    namespace,
    fieldSelector: `involvedObject.name=${name},involvedObject.kind=HorizontalPodAutoscaler`,
  })
  return items.map(({ reason, message, source }) => `${source?.component} ${reason}: ${message}`)
}

it('scales up by the CPU that pods use, tells so, and down again when the window is over', async () => {
  served.set(PODS_METRICS, useOf('busy', ['200m', '200m']))
  await scaled('busy', 2, { metrics: [cpu] })
  await vi.waitFor(async () => {
    expect(await replicasOf('busy')).toBe(4)
    const status = await statusOf('busy')
    expect(status).toMatchObject({
      desiredReplicas: 4,
      currentMetrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: 100, averageValue: '200m' } },
        },
      ],
    })
    expect(status.lastScaleTime).toBeTruthy()
    expect(conditionOf(status, 'ScalingActive')).toMatchObject({
      status: 'True',
      reason: 'ValidMetricFound',
      message:
        'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
    })
  }, WAIT)
  expect(asked.some((path) => path.endsWith('?labelSelector=app=busy'))).toBe(true)
  await vi.waitFor(async () => {
    expect(await eventsOf('busy')).toContain(
      'horizontal-pod-autoscaler SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
    )
  }, WAIT)
  served.set(PODS_METRICS, useOf('busy', ['10m', '10m']))
  await vi.waitFor(async () => {
    expect(await replicasOf('busy')).toBe(1)
    expect(conditionOf(await statusOf('busy'), 'AbleToScale')).toMatchObject({ status: 'True' })
    expect(await eventsOf('busy')).toContain(
      'horizontal-pod-autoscaler SuccessfulRescale: New size: 1; reason: All metrics below target',
    )
  }, WAIT)
})

describe('without metrics', () => {
  it('says what upstream says', async () => {
    await scaled('blind', 1, { metrics: [cpu] })
    const cause =
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)'
    await vi.waitFor(async () => {
      const status = await statusOf('blind')
      expect(conditionOf(status, 'AbleToScale')).toMatchObject({
        status: 'True',
        reason: 'SucceededGetScale',
      })
      expect(conditionOf(status, 'ScalingActive')).toMatchObject({
        status: 'False',
        reason: 'FailedGetResourceMetric',
        message: `the HPA was unable to compute the replica count: ${cause}`,
      })
      expect(status).toMatchObject({ currentReplicas: 1, desiredReplicas: 0, currentMetrics: [{ type: '' }] })
      const events = await eventsOf('blind')
      expect(events).toContain(`horizontal-pod-autoscaler FailedGetResourceMetric: ${cause}`)
      expect(events).toContain(
        `horizontal-pod-autoscaler FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${cause}`,
      )
    }, WAIT)
  })

  it('keeps to the limits', async () => {
    await scaled('many', 3, { metrics: [cpu], maxReplicas: 2 })
    await scaled('few', 1, { metrics: [cpu], minReplicas: 2 })
    await vi.waitFor(
      async () => expect([await replicasOf('many'), await replicasOf('few')]).toEqual([2, 2]),
      WAIT,
    )
    await vi.waitFor(async () => {
      expect((await eventsOf('many')).join()).toMatch(
        /New size: 2; reason: Current number of replicas above Spec.MaxReplicas/,
      )
      expect((await eventsOf('few')).join()).toMatch(
        /New size: 2; reason: Current number of replicas below Spec.MinReplicas/,
      )
    }, WAIT)
  })

  it('leaves alone what was set to zero', async () => {
    await scaled('off', 0, { metrics: [cpu] })
    await vi.waitFor(async () => {
      expect(conditionOf(await statusOf('off'), 'ScalingActive')).toMatchObject({
        status: 'False',
        reason: 'ScalingDisabled',
      })
    }, WAIT)
    expect(await replicasOf('off')).toBe(0)
  })
})

it('refuses pods that another autoscaler scales', async () => {
  served.set(PODS_METRICS, useOf('shared', ['100m']))
  await scaled('shared', 1, { metrics: [cpu] })
  const { spec } = await cluster.api.get(AUTOSCALERS, { namespace, name: 'shared' })
  await cluster.api.create(AUTOSCALERS, { metadata: { namespace, name: 'second' }, spec } as never)
  await vi.waitFor(async () => {
    expect(conditionOf(await statusOf('second'), 'ScalingActive')).toMatchObject({
      ...{ status: 'False', reason: 'AmbiguousSelector' },
      message:
        'pods by selector app=shared are controlled by multiple HPAs: [{shared default} {second default}]',
    })
  }, WAIT)
})

it('tells that there is nothing to scale', async () => {
  const spec = { maxReplicas: 2, metrics: [cpu] }
  const make = (name: string, kind: string) =>
    cluster.api.create(AUTOSCALERS, {
      metadata: { namespace, name },
      spec: { ...spec, scaleTargetRef: { apiVersion: 'apps/v1', kind, name: 'absent' } },
    } as never)
  await make('lost', 'Deployment')
  await make('strange', 'Nonsense')
  const prefix = "the HPA controller was unable to get the target's current scale: "
  await vi.waitFor(async () => {
    expect(conditionOf(await statusOf('lost'), 'AbleToScale')).toMatchObject({
      ...{ status: 'False', reason: 'FailedGetScale' },
      message: `${prefix}deployments.apps "absent" not found`,
    })
    expect(conditionOf(await statusOf('strange'), 'AbleToScale')).toMatchObject({
      message: `${prefix}no matches for kind "Nonsense" in group "apps"`,
    })
  }, WAIT)
})

it('follows metrics of pods, objects and others, the one that asks for the most, and rules', async () => {
  const custom = '/apis/custom.metrics.k8s.io'
  served.set(custom, { preferredVersion: { version: 'v1beta2' }, versions: [{ version: 'v1beta2' }] })
  const value = (amount: string, name?: string) => ({
    describedObject: { name },
    timestamp: timestamp(),
    value: amount,
  })
  served.set(`${custom}/v1beta2/namespaces/default/pods/*/requests`, {
    items: [value('15', 'mixed-0'), value('25', 'mixed-1')],
  })
  served.set(`${custom}/v1beta2/namespaces/default/ingresses.networking.k8s.io/door/hits`, {
    items: [value('6k')],
  })
  served.set('/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue', {
    items: [value('3'), value('4')],
  })
  served.set(PODS_METRICS, useOf('mixed', ['100m', '100m']))
  const describedObject = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'door' }
  await scaled('mixed', 2, {
    metrics: [
      {
        type: 'Pods',
        pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
      },
      {
        type: 'Object',
        object: { describedObject, metric: { name: 'hits' }, target: { type: 'Value', value: '3k' } },
      },
      {
        type: 'External',
        external: {
          metric: { name: 'queue', selector: { matchLabels: { of: 'it' } } },
          target: { type: 'AverageValue', averageValue: '1' },
        },
      },
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'memory',
          container: 'a',
          target: { type: 'AverageValue', averageValue: '48Mi' },
        },
      },
    ],
    behavior: { scaleUp: { policies: [{ type: 'Pods', value: 3, periodSeconds: 60 }] } },
  })
  await vi.waitFor(async () => {
    expect(await replicasOf('mixed')).toBe(5)
    const status = await statusOf('mixed')
    expect(status.currentMetrics).toMatchObject([
      { type: 'Pods', pods: { metric: { name: 'requests' }, current: { averageValue: '20' } } },
      { type: 'Object', object: { describedObject, current: { value: '6k' } } },
      { type: 'External', external: { metric: { name: 'queue' }, current: { averageValue: '3500m' } } },
      { type: 'ContainerResource', containerResource: { container: 'a', current: { averageValue: '48Mi' } } },
    ])
    expect(conditionOf(status, 'ScalingLimited')).toMatchObject({ status: 'True', reason: 'ScaleUpLimit' })
  }, WAIT)
  expect(asked).toContain(
    '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue?labelSelector=of=it',
  )
  await vi.waitFor(async () => {
    expect((await eventsOf('mixed')).join('\n')).toContain(
      'New size: 5; reason: external metric queue(&LabelSelector{MatchLabels:map[string]string{of: it,},MatchExpressions:[]LabelSelectorRequirement{},}) above target',
    )
  }, WAIT)
})
