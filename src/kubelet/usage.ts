// What simulated containers use: what their pods declare, else what they request, else nothing.
//
//   simulate.dinghy.dev/cpu-usage: 250m
//   simulate.dinghy.dev/memory-usage: 64Mi
//
// Follows the role of cAdvisor in k8s.io/kubernetes/pkg/kubelet/stats.
import type { Pod } from '../client/kinds/core.v1.gen.ts'
import { parseQuantity, quantityMilliValue, quantityValue } from '../machinery/quantity.ts'
import { declared } from './behaviour.ts'
import type { ContainerRecord, PodRecord } from './record.ts'

export interface Usage {
  /** Cores. */
  readonly cpu: number
  /** Cores, times the seconds since the container began. */
  readonly cpuSeconds: number
  /** Bytes. */
  readonly memory: number
}

export interface ContainerUsage extends Usage {
  readonly name: string
  /** ms since 1970 */
  readonly startedAt: number
}

export interface PodUsage extends Usage {
  readonly pod: Pod
  readonly startedAt: number
  readonly containers: readonly ContainerUsage[]
}

/** Of the containers that run now; `now` in ms. */
export function podUsage(pod: Pod, record: PodRecord, now: number): PodUsage {
  const containers = record.containers
    .filter(({ phase }) => phase === 'running')
    .map((one) => containerUsage(pod, one, now))
  return { pod, startedAt: record.startedAt, containers, ...total(containers) }
}

function containerUsage(pod: Pod, { container, startedAt }: ContainerRecord, now: number): ContainerUsage {
  const amount = (what: 'cpu' | 'memory'): number => {
    const said = declared(pod, container, `${what}-usage`) ?? container.resources?.requests?.[what]
    return said === undefined ? 0 : amountOf(said)
  }
  const cpu = amount('cpu')
  const cpuSeconds = (cpu * Math.max(0, now - startedAt)) / 1000
  return { name: container.name, startedAt, cpu, cpuSeconds, memory: amount('memory') }
}

/** Cores, bytes; 0 for what does not parse. */
export function amountOf(quantity: string): number {
  try {
    const parsed = parseQuantity(quantity)
    const milli = quantityMilliValue(parsed) / 1000
    // Large amounts have no room for their thousandths.
    return milli < Number.MAX_SAFE_INTEGER / 1000 ? milli : quantityValue(parsed)
  } catch {
    return 0
  }
}

export function total(all: readonly Usage[]): Usage {
  const sum = (what: keyof Usage): number => all.reduce((so, one) => so + one[what], 0)
  return { cpu: sum('cpu'), cpuSeconds: sum('cpuSeconds'), memory: sum('memory') }
}
