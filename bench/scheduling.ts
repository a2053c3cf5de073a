// The scheduler alone: nodes that nobody runs, and pods that ask for room, for others' company, to be spread, or to push
// others out; how many are bound a second. After upstream's scheduler_perf: SchedulingBasic, SchedulingPodAntiAffinity,
// SchedulingPodAffinity, SchedulingPreferredPodAffinity, TopologySpreading, PreemptionBasic, PreemptionAsync,
// Unschedulable.
import { type Client, parallel } from './client.ts'
import { cluster, post } from './clusters.ts'
import { HOST, node, ZONE } from './loads.ts'
import { cpuTime } from './processes.ts'

export interface SchedulingOptions {
  readonly nodes: number
  /** The one workload of this name; undefined: all. */
  readonly only: string | undefined
  row(what: string, ...figures: string[]): void
}

interface Workload {
  readonly name: string
  /** Pods a second that upstream asks of its own scheduler. */
  readonly threshold: number | undefined
  readonly before: number
  readonly pods: number
  /** A part of the nodes that were asked for. */
  readonly part?: number
  /** CPU that each pod asks for, of those before and of those that are measured. */
  readonly cpu?: readonly [string, string]
  readonly beforeSpec?: object
  readonly spec: object
  readonly labels: Record<string, string>
  /** CPU that pods ask for which come beside those that are measured, five a second, and matter more. */
  readonly churn?: string
}

const CHURN_MS = 200

const CONCURRENCY = 32
const BLUE = { color: 'blue' }
const term = (topologyKey: string) => ({
  labelSelector: { matchLabels: BLUE },
  topologyKey,
  namespaces: ['default'],
})
const demanded = (what: string, key: string): object => ({
  affinity: { [what]: { requiredDuringSchedulingIgnoredDuringExecution: [term(key)] } },
})
const preferred = (what: string, key: string): object => ({
  affinity: {
    [what]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(key) }] },
  },
})
const spread = (action: string): object => ({
  topologySpreadConstraints: [
    { maxSkew: 5, topologyKey: ZONE, whenUnsatisfiable: action, labelSelector: { matchLabels: BLUE } },
  ],
})

const WORKLOADS: readonly Workload[] = [
  { name: 'basic', threshold: 270, before: 1000, pods: 10_000, spec: {}, labels: {} },
  {
    name: 'anti-affinity',
    threshold: 60,
    before: 1000,
    pods: 2000,
    spec: demanded('podAntiAffinity', HOST),
    labels: BLUE,
  },
  {
    name: 'affinity',
    threshold: 35,
    before: 5000,
    pods: 5000,
    spec: demanded('podAffinity', ZONE),
    labels: BLUE,
  },
  {
    name: 'preferred affinity',
    threshold: 90,
    before: 5000,
    pods: 5000,
    spec: preferred('podAffinity', HOST),
    labels: BLUE,
  },
  { name: 'spreading', threshold: 85, before: 5000, pods: 2000, spec: spread('DoNotSchedule'), labels: BLUE },
  {
    name: 'preferred spreading',
    threshold: 125,
    before: 5000,
    pods: 2000,
    spec: spread('ScheduleAnyway'),
    labels: BLUE,
  },
  {
    name: 'preemption',
    threshold: undefined,
    part: 0.1,
    before: 2000,
    pods: 500,
    cpu: ['900m', '3000m'],
    beforeSpec: { terminationGracePeriodSeconds: 0 },
    spec: { priorityClassName: 'high', terminationGracePeriodSeconds: 0 },
    labels: {},
  },
  {
    name: 'beside preemption',
    threshold: 160,
    before: 20_000,
    pods: 5000,
    cpu: ['900m', '100m'],
    beforeSpec: { terminationGracePeriodSeconds: 0 },
    spec: {},
    labels: {},
    churn: '3000m',
  },
  {
    name: 'beside what fits nowhere',
    threshold: 170,
    before: 100,
    pods: 10_000,
    spec: {},
    labels: {},
    churn: '9',
  },
]

const PODS = '/api/v1/namespaces/default/pods'

function pod(name: string, labels: Record<string, string>, spec: object, cpu = '100m'): object {
  const resources = { requests: { cpu, memory: '500Mi' } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'app', image: 'registry.k8s.io/pause:3.10', resources }],
      ...spec,
    },
  }
}

/** Creates pods and waits until all are bound; resolves to how many were bound a second. */
async function bindAll(
  client: Client,
  names: readonly string[],
  make: (name: string) => object,
): Promise<number> {
  const waiting = new Set(names)
  let all: () => void = () => undefined
  const bound = new Promise<void>((done) => (all = done))
  const selector = encodeURIComponent('spec.nodeName!=')
  await client.watch(`${PODS}?watch=true&fieldSelector=${selector}`, (text) => {
    const name = /"metadata":\{"name":"([^"]+)"/.exec(text)?.[1]
    if (name !== undefined && waiting.delete(name) && waiting.size === 0) all()
  })
  const at = performance.now()
  await parallel(names.length, CONCURRENCY, (i) => post(client, PODS, make(names[i] as string)))
  await bound
  return names.length / ((performance.now() - at) / 1000)
}

/** Creates pods that matter more, until it is told to stop. */
function churning(client: Client, cpu: string | undefined): () => void {
  if (cpu === undefined) return () => undefined
  let created = 0
  const timer = setInterval(() => {
    const urgent = pod(`urgent-${created++}`, {}, { priorityClassName: 'high' }, cpu)
    void post(client, PODS, urgent)
  }, CHURN_MS)
  return () => clearInterval(timer)
}

async function measure(work: string, workload: Workload, options: SchedulingOptions): Promise<void> {
  const {
    name,
    before,
    pods,
    spec,
    labels,
    threshold,
    cpu: [beforeCpu, cpuEach] = [],
    beforeSpec = spec,
  } = workload
  const nodes = Math.round(options.nodes * (workload.part ?? 1))
  const { program, client, stop } = await cluster(work, ['--parts', 'apiserver,scheduler'])
  try {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    await post(client, '/api/v1/namespaces/default/serviceaccounts', account)
    await parallel(nodes, CONCURRENCY, async (i) => {
      await post(client, '/api/v1/nodes', node(i))
      const type = 'application/merge-patch+json'
      await client.call({
        method: 'PATCH',
        path: `/api/v1/nodes/bench-${i}`,
        type,
        body: '{"spec":{"taints":null}}',
      })
    })
    const high = {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 10,
    }
    await post(client, '/apis/scheduling.k8s.io/v1/priorityclasses', high)
    const named = (prefix: string, count: number): string[] =>
      Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
    await bindAll(client, named('before', before), (one) => pod(one, labels, beforeSpec, beforeCpu))
    const used = cpuTime(program.pid)
    const quiet = churning(client, workload.churn)
    const rate = await bindAll(client, named('pod', pods), (one) => pod(one, labels, spec, cpuEach))
    quiet()
    const now = cpuTime(program.pid)
    const cpu = (now.main + now.others - used.main - used.others) / pods
    const asked = threshold === undefined ? '' : ` (upstream's threshold ${threshold})`
    options.row(
      `${name}: ${pods} pods on ${nodes} nodes, beside ${before}`,
      `${rate.toFixed(0)} pods/s${asked}`,
      `${cpu.toFixed(2)} ms of CPU a pod`,
    )
  } finally {
    await stop()
  }
}

export async function schedulingWorkloads(work: string, options: SchedulingOptions): Promise<void> {
  for (const workload of WORKLOADS)
    if (options.only === undefined || options.only === workload.name) await measure(work, workload, options)
}
