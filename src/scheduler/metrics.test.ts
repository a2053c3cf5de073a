import { describe, expect, it } from 'vitest'
import { SchedulerMetrics } from './metrics.ts'

const idle = {
  pending: () => ({ active: 0, backoff: 1, unschedulable: 2, gated: 3 }),
  cacheSize: () => ({ nodes: 4, pods: 5, assumed_pods: 6 }),
  queueLines: () => ['# TYPE of_the_queue gauge'],
}

describe('the metrics of a scheduler', () => {
  it('count attempts by how they ended', () => {
    const metrics = new SchedulerMetrics(idle)
    metrics.attempted('default-scheduler', 'scheduled', 0.0015)
    metrics.attempted('default-scheduler', 'scheduled', 0.5)
    metrics.attempted('a"b', 'unschedulable', 100)
    const lines = metrics.text().split('\n')
    const labels = 'profile="default-scheduler",result="scheduled"'
    expect(lines).toContain(`scheduler_schedule_attempts_total{${labels}} 2`)
    expect(lines).toContain('scheduler_schedule_attempts_total{profile="a\\"b",result="unschedulable"} 1')
    const durations = `scheduler_scheduling_attempt_duration_seconds`
    expect(lines).toContain(`${durations}_bucket{${labels},le="0.001"} 0`)
    expect(lines).toContain(`${durations}_bucket{${labels},le="0.002"} 1`)
    expect(lines).toContain(`${durations}_bucket{${labels},le="0.512"} 2`)
    expect(lines).toContain(`${durations}_sum{${labels}} 0.5015`)
    const late = 'profile="a\\"b",result="unschedulable"'
    expect(lines).toContain(`${durations}_bucket{${late},le="16.384"} 0`)
    expect(lines).toContain(`${durations}_bucket{${late},le="+Inf"} 1`)
  })

  it('tell how long pods waited, by how often they were tried', () => {
    const metrics = new SchedulerMetrics(idle)
    metrics.bound(1, 0.005)
    metrics.bound(40, 3)
    metrics.preempted(0)
    metrics.preempted(3)
    const lines = metrics.text().split('\n')
    expect(lines).toContain('scheduler_pod_scheduling_sli_duration_seconds_bucket{attempts="1",le="0.01"} 1')
    expect(lines).toContain('scheduler_pod_scheduling_sli_duration_seconds_count{attempts="15+"} 1')
    expect(lines).toContain('scheduler_pod_scheduling_attempts_bucket{le="16"} 1')
    expect(lines).toContain('scheduler_preemption_attempts_total 2')
    expect(lines).toContain('scheduler_preemption_victims_sum 3')
  })

  it('look at the queue and the cluster when they are asked', () => {
    const lines = new SchedulerMetrics(idle).text().split('\n')
    expect(lines).toContain('scheduler_pending_pods{queue="gated"} 3')
    expect(lines).toContain('scheduler_cache_size{type="assumed_pods"} 6')
  })

  it('name each family once', () => {
    const types = new SchedulerMetrics(idle).text().match(/^# TYPE .*$/gm) ?? []
    expect(new Set(types).size).toBe(15)
  })
})
