// Containers whose commands can be followed: what their files, probes and last words come to in a pod's life.
import { describe, expect, it } from 'vitest'
import type { Container, Pod, PodSpec } from '../client/kinds/core.v1.gen.ts'
import { HostPorts } from './hostports.ts'
import { advance } from './lifecycle.ts'
import { podStatus } from './podstatus.ts'
import type { Disk } from './programs.ts'
import { type PodRecord, recordOf } from './record.ts'

const START = Date.parse('2026-01-01T00:00:00Z')

const sh = (script: string, more: Partial<Container> = {}): Container => ({
  name: 'app',
  image: 'busybox',
  command: ['sh', '-c', script],
  resources: {},
  ...more,
})

const podOf = (spec: Partial<PodSpec>, annotations: Record<string, string> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'n', uid: 'u', annotations },
  spec: { containers: [], ...spec },
  status: {},
})

class Life {
  readonly pod: Pod
  readonly record: PodRecord
  now = START
  wakeAt = Infinity

  constructor(pod: Pod, nodeFiles?: Disk) {
    this.pod = pod
    this.record = recordOf(pod, '10.0.0.2', this.now, nodeFiles)
    this.pass(0)
  }

  pass(seconds: number): this {
    this.now += seconds * 1000
    this.wakeAt = advance(this.pod, this.record, this.now).wakeAt
    return this
  }

  get app() {
    const { phase, containerStatuses = [] } = podStatus(this.pod, this.record, { ip: '1.2.3.4' }, this.now)
    return { phase, ...containerStatuses[0] }
  }
}

describe('containers whose command can be followed', () => {
  it('run as long as it says and end as it says', () => {
    const life = new Life(podOf({ containers: [sh('sleep 5; exit 3')], restartPolicy: 'Never' }))
    expect(life.app).toMatchObject({ phase: 'Running', ready: true })
    expect(life.wakeAt).toBe(START + 5000)
    expect(life.pass(5).app).toMatchObject({ phase: 'Failed', state: { terminated: { exitCode: 3 } } })
  })

  it('know the environment that their pod says, and no other', () => {
    const env = [
      { name: 'INDEX', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['index']" } } },
      { name: 'CODE', value: '$(INDEX)' },
    ]
    const spec = { restartPolicy: 'Never' }
    const known = new Life(podOf({ ...spec, containers: [sh('exit $CODE', { env })] }, { index: '4' }))
    expect(known.app).toMatchObject({ state: { terminated: { exitCode: 4 } } })
    const other = [{ name: 'CODE', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }]
    const unknown = new Life(podOf({ ...spec, containers: [sh('exit $CODE', { env: other })] }))
    expect(unknown.app.phase).toBe('Running')
  })

  it('stand behind what the pod declares', () => {
    const said = { 'simulate.dinghy.dev/run-for': '1s' }
    const life = new Life(podOf({ containers: [sh('exit 3')], restartPolicy: 'Never' }, said))
    expect(life.app.phase).toBe('Running')
    expect(life.pass(1).app.phase).toBe('Succeeded')
  })
})

describe('their files', () => {
  const once = 'if [ -e /data/x ]; then exit 0; else touch /data/x; exit 1; fi'
  const volumeMounts = [{ name: 'data', mountPath: '/data' }]

  it('stay in the pod over runs', () => {
    const volumes = [{ name: 'data', emptyDir: {} }]
    const containers = [sh(once, { volumeMounts })]
    const life = new Life(podOf({ containers, volumes, restartPolicy: 'OnFailure' }))
    expect(life.app).toMatchObject({ phase: 'Succeeded', restartCount: 1 })
  })

  it('stay on the node over pods, where the volume is of the node', () => {
    const volumes = [{ name: 'data', hostPath: { path: '/srv' } }]
    const pod = podOf({ containers: [sh(once, { volumeMounts })], volumes, restartPolicy: 'Never' })
    const node: Disk = new Map()
    expect(new Life(pod, node).app.phase).toBe('Failed')
    expect(new Life(pod, node).app.phase).toBe('Succeeded')
    expect(new Life(pod).app.phase).toBe('Failed')
  })

  it('go with the run elsewhere', () => {
    const script = 'if [ -e /tmp/x ]; then exit 0; else touch /tmp/x; exit 1; fi'
    const life = new Life(podOf({ containers: [sh(script)], restartPolicy: 'OnFailure' }))
    expect(life.app).toMatchObject({ phase: 'Running', restartCount: 1 })
  })

  it('are looked at by probes, when their time has come', () => {
    const exec = { command: ['cat', '/tmp/up'] }
    const more = {
      readinessProbe: { exec },
      livenessProbe: { exec, failureThreshold: 1, initialDelaySeconds: 10 },
    }
    const script = 'sleep 2; touch /tmp/up; sleep 20; rm /tmp/up; sleep 600'
    const life = new Life(podOf({ containers: [sh(script, more)] }))
    expect(life.app).toMatchObject({ ready: false, state: { running: {} } })
    expect(life.pass(2).app.ready).toBe(true)
    expect(life.pass(19).app).toMatchObject({ ready: true, restartCount: 0 })
    expect(life.pass(1).app.restartCount).toBe(1)
  })

  it('hold the last words', () => {
    const ends = (script: string, more: Partial<Container> = {}): unknown =>
      new Life(podOf({ containers: [sh(script, more)], restartPolicy: 'Never' })).app.state?.terminated
        ?.message
    expect(ends('echo -n done > /dev/termination-log')).toBe('done')
    expect(ends('echo no; exit 1')).toBeUndefined()
    const terminationMessagePolicy = 'FallbackToLogsOnError'
    expect(ends('echo no; exit 1', { terminationMessagePolicy })).toBe('no\n')
    expect(ends('echo yes', { terminationMessagePolicy })).toBeUndefined()
  })
})

describe('host ports of a node', () => {
  const asking = (uid: string, hostPort: number, hostIP?: string): Pod => {
    const ports = [{ containerPort: 80, hostPort, ...(hostIP === undefined ? {} : { hostIP }) }]
    const pod = podOf({ containers: [sh('true', { ports })] })
    return { ...pod, metadata: { ...pod.metadata, uid } }
  }

  it('are held by one pod, per address', () => {
    const ports = new HostPorts()
    expect(ports.take(asking('a', 80, '10.0.0.1'))).toBe(true)
    expect(ports.take(asking('b', 80, '10.0.0.2'))).toBe(true)
    expect(ports.take(asking('c', 80))).toBe(false)
    expect(ports.take(asking('d', 81))).toBe(true)
    ports.giveBack('a')
    ports.giveBack('b')
    expect(ports.take(asking('c', 80))).toBe(true)
  })
})
