// Metrics of a simulated node in Prometheus' text format, under the kubelet's names: /metrics and /metrics/resource.
// Follows k8s.io/kubernetes/pkg/kubelet/metrics (metrics.go, collectors/resource_metrics.go).
import type { PodUsage } from './usage.ts'
import { total } from './usage.ts'

type Labels = Readonly<Record<string, string>>
interface Sample {
  readonly labels: Labels
  readonly value: number
  /** ms since 1970; absent: now. */
  readonly at?: number
}

const SIMULATED = '(simulated: what pods declare)'

/** What a kubelet tells of itself. */
export function kubeletMetrics(node: string, pods: readonly PodUsage[]): string {
  const containers = pods.reduce((count, pod) => count + pod.containers.length, 0)
  const running = pods.filter((pod) => pod.containers.length > 0).length
  return [
    family('kubelet_node_name', 'gauge', 'The name of the node', [{ labels: { node }, value: 1 }]),
    family('kubelet_running_containers', 'gauge', `Containers that run ${SIMULATED}`, [
      { labels: { container_state: 'running' }, value: containers },
    ]),
    family('kubelet_running_pods', 'gauge', `Pods that run ${SIMULATED}`, [{ labels: {}, value: running }]),
  ].join('')
}

/** What a metrics server reads. `now` in ms. */
export function resourceMetrics(pods: readonly PodUsage[], now: number): string {
  const containers = pods.flatMap(({ pod, containers: all }) =>
    all.map((usage) => ({ labels: { container: usage.name, ...labelsOf(pod) }, usage })),
  )
  const whole = pods.filter((pod) => pod.containers.length > 0)
  const ofPods = whole.map((usage) => ({ labels: labelsOf(usage.pod), usage }))
  const node = total(pods)
  const at = now
  return [
    family(
      'container_cpu_usage_seconds_total',
      'counter',
      `CPU time used by the container, in core-seconds ${SIMULATED}`,
      containers.map(({ labels, usage }) => ({ labels, value: usage.cpuSeconds, at })),
    ),
    family(
      'container_memory_working_set_bytes',
      'gauge',
      `Working set of the container, in bytes ${SIMULATED}`,
      containers.map(({ labels, usage }) => ({ labels, value: usage.memory, at })),
    ),
    family(
      'container_start_time_seconds',
      'gauge',
      'When the container began, in seconds since 1970',
      containers.map(({ labels, usage }) => ({ labels, value: usage.startedAt / 1000 })),
    ),
    family(
      'node_cpu_usage_seconds_total',
      'counter',
      `CPU time used by the node, in core-seconds ${SIMULATED}`,
      [{ labels: {}, value: node.cpuSeconds, at }],
    ),
    family('node_memory_working_set_bytes', 'gauge', `Working set of the node, in bytes ${SIMULATED}`, [
      { labels: {}, value: node.memory, at },
    ]),
    family(
      'pod_cpu_usage_seconds_total',
      'counter',
      `CPU time used by the pod, in core-seconds ${SIMULATED}`,
      ofPods.map(({ labels, usage }) => ({ labels, value: usage.cpuSeconds, at })),
    ),
    family(
      'pod_memory_working_set_bytes',
      'gauge',
      `Working set of the pod, in bytes ${SIMULATED}`,
      ofPods.map(({ labels, usage }) => ({ labels, value: usage.memory, at })),
    ),
    family('resource_scrape_error', 'gauge', '1 where the metrics could not be read', [
      { labels: {}, value: 0 },
    ]),
  ].join('')
}

const labelsOf = ({ metadata: { namespace = '', name = '' } }: PodUsage['pod']): Labels => ({
  namespace,
  pod: name,
})

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const lines = samples.map(({ labels, value, at }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`)
    const shown = pairs.length === 0 ? '' : `{${pairs.sort().join(',')}}`
    return `${name}${shown} ${value}${at === undefined ? '' : ` ${at}`}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}
