// An API server in this process, controllers with their own users at work on it, and a kubelet of sorts that makes pods run.
import { vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import { SYSTEM_CLOCK } from '../../src/client/clock.ts'
import type { Controller, ControllerContext } from '../../src/client/controller.ts'
import { Informers } from '../../src/client/informer.ts'
import type { Pod } from '../../src/client/kinds/core.v1.gen.ts'
import { EventRecorder } from '../../src/client/recorder.ts'
import { CORE_EVENTS, PODS, SERVICE_ACCOUNTS } from '../../src/client/resources.ts'
import { startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

/** The machine may be busy: what is true at last is true. */
export const until = (check: () => Promise<unknown>): Promise<unknown> =>
  vi.waitFor(check, { timeout: 90_000, interval: 20 })

const userOf = (name: string): { name: string; groups: string[] } => ({
  name: `system:serviceaccount:kube-system:${name}`,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
})

export interface TestCluster {
  /** An administrator's. */
  readonly api: Api
  /** What the controllers warned of. */
  readonly warnings: string[]
  /** "Normal SuccessfulCreate: Created pod: …" about objects of this name. */
  eventsOf(name: string): Promise<string[]>
  podsOf(label: string): Promise<readonly Pod[]>
  patchPod(pod: Pod, status: object): Promise<unknown>
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** By the name of the service account. */
  readonly controllers: Readonly<Record<string, (context: ControllerContext) => Controller>>
  /** Whether pods become ready as soon as they are there. */
  readonly runsPods?: boolean
}

export async function startCluster({ controllers, runsPods }: ClusterOptions): Promise<TestCluster> {
  const server = await startApiServer({ ...DEFAULTS, port: 0 })
  const stop = new AbortController()
  const warnings: string[] = []
  const note = (details: object, message: string): void =>
    void warnings.push(`${message}: ${JSON.stringify(details)}`)
  const none = (): void => undefined
  const log = { error: note, warn: note, info: none, debug: none }
  const api = new Api(server.loopback(ADMIN), 'test/1')
  // Pods are refused without the service account that another controller makes.
  await api.create(SERVICE_ACCOUNTS, { metadata: { namespace: 'default', name: 'default' } })
  const informers = new Informers({ api, clock: SYSTEM_CLOCK, log })
  const recorders: EventRecorder[] = []
  const running = Object.entries(controllers).map(([name, make]) => {
    const own = new Api(server.loopback(userOf(name)), 'kube-controller-manager/test')
    const recorder = new EventRecorder(own, SYSTEM_CLOCK, { component: name })
    recorders.push(recorder)
    return make({ api: own, informers, clock: SYSTEM_CLOCK, log, recorder })
  })
  if (runsPods) {
    const run = (pod: Pod): void => {
      if (pod.status.phase === 'Pending' && !pod.metadata.deletionTimestamp) void runPod(api, pod).catch(none)
    }
    informers.of(PODS).handle({ added: run })
  }
  await informers.start(stop.signal)
  const ended = Promise.all(running.map((controller) => controller.run(stop.signal)))
  return {
    api,
    warnings,
    patchPod: (pod, status) => patchPod(api, pod, status),
    podsOf: async (label) => (await api.list(PODS, { namespace: 'default', labelSelector: label })).items,
    eventsOf: async (name) => {
      const { items } = await api.list(CORE_EVENTS, { fieldSelector: `involvedObject.name=${name}` })
      return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
    },
    stop: async () => {
      stop.abort()
      await ended
      await server.stop()
    },
  }
}

const patchPod = (api: Api, { metadata }: Pod, status: object): Promise<unknown> =>
  api.patch(
    PODS,
    { namespace: metadata.namespace, name: metadata.name ?? '', subresource: 'status' },
    { status: JSON.parse(JSON.stringify(status)) as never },
    { type: 'strategic' },
  )

const runPod = (api: Api, pod: Pod): Promise<unknown> => {
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, '')
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime }]
  return patchPod(api, pod, { phase: 'Running', conditions })
}
