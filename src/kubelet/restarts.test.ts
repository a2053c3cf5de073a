// Containers that end, are ended, come late or are defined anew: what becomes of them and of their pod.
import { describe, expect, it } from 'vitest'
import type { Container, Pod, PodSpec } from '../client/kinds/core.v1.gen.ts'
import { advance } from './lifecycle.ts'
import { podStatus } from './podstatus.ts'
import { type PodEvent, type PodRecord, recordOf } from './record.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const shell = (script: string): Partial<Container> => ({ command: ['sh', '-c', script] })
const container = (name: string, more: Partial<Container> = {}): Container => ({
  ...{ name, image: 'busybox', resources: {} },
  ...more,
})

class Life {
  pod: Pod
  now = START
  readonly record: PodRecord
  readonly events: PodEvent[] = []
  isOver = false

  constructor(spec: Partial<PodSpec>) {
    this.pod = {
      metadata: { name: 'p', namespace: 'n', uid: 'u' },
      spec: { containers: [container('app')], ...spec },
      status: {},
    }
    this.record = recordOf(this.pod, '10.0.0.2', START)
    this.pass(0)
  }

  pass(seconds: number): this {
    this.now += seconds * 1000
    const { events, isOver } = advance(this.pod, this.record, this.now)
    this.events.push(...events)
    this.isOver = isOver
    return this
  }

  define(spec: Partial<PodSpec>): this {
    this.pod = { ...this.pod, spec: { ...this.pod.spec, ...spec } }
    return this.pass(0)
  }

  delete(seconds: number): this {
    const metadata = { ...this.pod.metadata, deletionTimestamp: 'now', deletionGracePeriodSeconds: seconds }
    this.pod = { ...this.pod, metadata }
    return this.pass(0)
  }

  get status() {
    return podStatus(this.pod, this.record, { ip: '1.2.3.4' }, this.now)
  }

  /** The phase, then each container: what it does, "+" where it has started, "!" where it is ready, how often it came again. */
  get summary(): string {
    const {
      phase,
      initContainerStatuses = [],
      containerStatuses = [],
      ephemeralContainerStatuses = [],
    } = this.status
    const all = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses]
    return [
      phase,
      ...all.map(({ name, state, ready, started, restartCount }) => {
        const { waiting, running, terminated } = state ?? {}
        const does = waiting?.reason ?? (running ? 'running' : `ended ${terminated?.exitCode}`)
        return `${name}=${does}${started ? '+' : ''}${ready ? '!' : ''}${restartCount}`
      }),
    ].join(' ')
  }

  told(reason: string): string[] {
    return this.events.filter((event) => event.reason === reason).map(({ message }) => message)
  }
}

describe('policies of containers', () => {
  it('stand before their pod’s', () => {
    const once = container('once', { ...shell('exit 1'), restartPolicy: 'Never' })
    const again = container('again', { ...shell('exit 1'), restartPolicy: 'OnFailure' })
    expect(new Life({ restartPolicy: 'Always', containers: [once] }).summary).toBe('Failed once=ended 10')
    expect(new Life({ restartPolicy: 'Never', containers: [again] }).summary).toBe(
      'Running again=CrashLoopBackOff1',
    )
    expect(new Life({ restartPolicy: 'Never', containers: [once, container('app')] }).summary).toBe(
      'Running once=ended 10 app=running+!0',
    )
  })

  const exitCodes = (operator: string, ...values: number[]) => ({ operator, values })
  it.each([
    ['In', [42], 42, 'Running app=CrashLoopBackOff1'],
    ['In', [42], 1, 'Failed app=ended 10'],
    ['NotIn', [42], 1, 'Running app=CrashLoopBackOff1'],
    ['NotIn', [42], 42, 'Failed app=ended 420'],
  ] as const)('have rules: %s %j, an end with %i', (operator, values, code, summary) => {
    const restartPolicyRules = [{ action: 'Restart', exitCodes: exitCodes(operator, ...values) }]
    const app = container('app', { ...shell(`exit ${code}`), restartPolicy: 'Never', restartPolicyRules })
    expect(new Life({ containers: [app] }).summary).toBe(summary)
  })

  it('have a rule that restarts all, from the containers on that prepare the pod', () => {
    const restartPolicyRules = [{ action: 'RestartAllContainers', exitCodes: exitCodes('In', 7) }]
    const watcher = container('watcher', {
      ...shell('sleep 5; exit 7'),
      ...{ restartPolicy: 'Never', restartPolicyRules },
    })
    const life = new Life({
      initContainers: [container('prepare', shell('sleep 1'))],
      containers: [watcher, container('app', shell('sleep 60'))],
    }).pass(1)
    expect(life.summary).toBe('Running prepare=ended 0!0 watcher=running+!0 app=running+!0')
    life.pass(5)
    expect(life.summary).toBe('Pending prepare=running1 watcher=PodInitializing1 app=PodInitializing1')
    life.pass(1)
    expect(life.summary).toBe('Running prepare=ended 0!1 watcher=running+!1 app=running+!1')
    expect(life.status.conditions?.find(({ type }) => type === 'AllContainersRestarting')?.status).toBe(
      'False',
    )
  })
})

describe('startup probes', () => {
  const startupProbe = { exec: { command: ['cat', '/tmp/up'] }, periodSeconds: 2, failureThreshold: 3 }
  it('come before the others', () => {
    const script = 'sleep 3; touch /tmp/up; sleep 60'
    const readinessProbe = { exec: { command: ['true'] } }
    const life = new Life({
      containers: [container('app', { ...shell(script), startupProbe, readinessProbe })],
    })
    expect(life.summary).toBe('Running app=running0')
    expect(life.pass(3).summary).toBe('Running app=running+!0')
  })

  it('end a container that does not come up', () => {
    const life = new Life({ containers: [container('app', { ...shell('sleep 60'), startupProbe })] })
    expect(life.pass(3).summary).toBe('Running app=running0')
    life.pass(1)
    expect(life.told('Killing')).toEqual(['Container app failed startup probe, will be restarted'])
    expect(life.summary).toBe('Running app=running1')
  })

  it('of sidecars hold up who comes after them', () => {
    const sidecar = container('side', {
      ...{ ...shell('sleep 2; touch /tmp/up; sleep 60'), startupProbe, restartPolicy: 'Always' },
    })
    const life = new Life({ initContainers: [sidecar] })
    expect(life.summary).toBe('Pending side=running0 app=PodInitializing0')
    expect(life.pass(2).summary).toBe('Running side=running+!0 app=running+!0')
  })
})

it('a container whose image is another is restarted, whatever its policy', () => {
  const life = new Life({ restartPolicy: 'Never' })
  life.define({ containers: [container('app', { image: 'other' })] })
  expect(life.told('Killing')).toEqual(['Container app definition changed, will be restarted'])
  expect(life.summary).toBe('Running app=running+!1')
  expect(life.status.containerStatuses?.[0]).toMatchObject({
    image: 'other',
    imageID: 'dinghy-simulated://other',
  })
})

it('ephemeral containers come late, end once, and hold nothing up', () => {
  const life = new Life({})
  const look = { ...container('look', shell('sleep 5; exit 3')), targetContainerName: 'app' }
  life.define({ ephemeralContainers: [look] })
  expect(life.summary).toBe('Running app=running+!0 look=running0')
  expect(life.events.at(-1)).toMatchObject({ reason: 'Started', container: { role: 'ephemeral' } })
  expect(life.pass(5).summary).toBe('Running app=running+!0 look=ended 30')
  expect(life.pass(60).summary).toBe('Running app=running+!0 look=ended 30')
  const status = life.status.ephemeralContainerStatuses?.[0]
  expect(status?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
})

it('a hook that sleeps before the end counts against the grace period', () => {
  const lifecycle = { preStop: { sleep: { seconds: 4 } } }
  const life = new Life({ containers: [container('app', { lifecycle })] }).delete(30)
  expect(life.pass(3).isOver).toBe(false)
  expect(life.pass(1).isOver).toBe(true)
  const short = new Life({ containers: [container('app', { lifecycle })] }).delete(2)
  expect(short.pass(2).isOver).toBe(true)
})
