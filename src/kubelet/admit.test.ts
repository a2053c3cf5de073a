// What a simulated node takes in, and what keeps a pod's containers from being made.
import { describe, expect, it } from 'vitest'
import type { Api } from '../client/api.ts'
import type { Container, Node, Pod, PodSpec } from '../client/kinds/core.v1.gen.ts'
import { StatusError } from '../machinery/status.ts'
import { admit } from './admit.ts'
import { HostPorts } from './hostports.ts'
import { advance } from './lifecycle.ts'
import { mayBeKept, obstaclesOf } from './obstacles.ts'
import { podStatus } from './podstatus.ts'
import { recordOf } from './record.ts'
import { NodeRoom } from './room.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const ALLOCATABLE = { cpu: '2', memory: '1Gi', pods: '2' }
const NODE: Node = {
  metadata: { name: 'node-1', labels: { 'kubernetes.io/os': 'linux', disk: 'ssd' } },
  spec: {},
  status: { allocatable: ALLOCATABLE } as unknown as Node['status'],
}

function aPod(spec: Partial<PodSpec> = {}, uid = 'u'): Pod {
  return {
    metadata: { name: 'p', namespace: 'n', uid, generation: 1 },
    spec: { containers: [{ name: 'app', image: 'nginx', resources: {} }], ...spec },
    status: {},
  }
}

const asking = (requests: Record<string, string>, more: Partial<Container> = {}): Partial<PodSpec> => ({
  containers: [{ name: 'app', image: 'nginx', resources: { requests }, ...more }],
})

describe('a node', () => {
  const place = () => ({ ports: new HostPorts(), room: new NodeRoom(), node: NODE })
  it.each<[string, Partial<PodSpec>, string | undefined, string]>([
    ['a plain pod', {}, undefined, ''],
    [
      'one of another system',
      { os: { name: 'windows' } },
      'PodOSNotSupported',
      "Failed to admit pod as the OS field doesn't match node OS",
    ],
    [
      'an unsafe kernel parameter',
      { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
      'SysctlForbidden',
      'forbidden sysctl: "kernel.msgmax" not allowlisted',
    ],
    [
      'a safe one',
      { securityContext: { sysctls: [{ name: 'kernel/shm_rmid_forced', value: '1' }] } },
      undefined,
      '',
    ],
    [
      'a safe one of the host',
      { hostNetwork: true, securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] } },
      'SysctlForbidden',
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
    ],
    [
      'one that wants another node',
      { nodeSelector: { disk: 'hdd' } },
      'NodeAffinity',
      "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    ['one that wants this node', { nodeSelector: { disk: 'ssd' } }, undefined, ''],
    [
      'too much',
      asking({ cpu: '2500m' }),
      'OutOfcpu',
      "Node didn't have enough resource: cpu, requested: 2500, used: 0, capacity: 2000",
    ],
    ['what no node has', asking({ 'example.com/gpu': '1' }), undefined, ''],
  ])('judges %s', (_, spec, reason, message) => {
    const expected = reason === undefined ? undefined : { reason, message: `Pod was rejected: ${message}` }
    expect(admit(aPod(spec), place())).toEqual(expected)
  })

  it('counts what its pods hold', () => {
    const at = place()
    expect(admit(aPod(asking({ cpu: '1500m' }), 'a'), at)).toBeUndefined()
    expect(admit(aPod(asking({ cpu: '600m' }), 'b'), at)?.message).toContain(
      'requested: 600, used: 1500, capacity: 2000',
    )
    at.room.giveBack('a')
    expect(admit(aPod(asking({ cpu: '600m' }), 'b'), at)).toBeUndefined()
    const less = aPod(asking({ cpu: '100m' }), 'b')
    expect(at.room.resize(aPod(asking({ cpu: '2100m' }), 'b'), ALLOCATABLE)).toMatchObject({ used: 0 })
    expect(admit(aPod(asking({ cpu: '1900m' }), 'c'), at)?.message).toContain('used: 600')
    expect(at.room.resize(less, ALLOCATABLE)).toBeUndefined()
    expect(admit(aPod(asking({ cpu: '1900m' }), 'c'), at)).toBeUndefined()
    expect(admit(aPod({}, 'd'), at)).toMatchObject({ reason: 'OutOfpods' })
  })

  it('holds nothing for a pod whose port is taken', () => {
    const at = place()
    const port = { ports: [{ containerPort: 80, hostPort: 80 }] }
    expect(admit(aPod(asking({ cpu: '1' }, port), 'a'), at)).toBeUndefined()
    expect(admit(aPod(asking({ cpu: '1' }, port), 'b'), at)).toMatchObject({ reason: 'NodePorts' })
    expect(admit(aPod(asking({ cpu: '1' }), 'c'), at)).toBeUndefined()
  })
})

describe('obstacles', () => {
  /** An API with one ConfigMap, `there`, and a Secret that nobody may read. */
  const api = {
    get: async ({ kind }: { kind: string }, { name }: { name: string }) => {
      if (kind === 'ConfigMap' && name === 'there') return { data: { key: 'value' } }
      const [code, reason] = name === 'hidden' ? [403, 'Forbidden'] : [404, 'NotFound']
      throw new StatusError({ code: code as number, reason: reason as string, message: '' })
    },
  } as unknown as Api
  const env = (name: string, key: string, optional = false): Partial<PodSpec> => ({
    containers: [
      {
        name: 'app',
        resources: {},
        env: [{ name: 'X', valueFrom: { configMapKeyRef: { name, key, ...(optional && { optional }) } } }],
      },
    ],
  })
  const volume = (source: object): Partial<PodSpec> => ({ volumes: [{ name: 'v', ...source }] })
  it.each<[string, Partial<PodSpec>, string | undefined]>([
    ['a key that is there', env('there', 'key'), undefined],
    ['a key that is not', env('there', 'no'), `couldn't find key no in ConfigMap n/there`],
    ['no ConfigMap', env('gone', 'key'), 'configmap "gone" not found'],
    ['a volume of one', volume({ configMap: { name: 'gone' } }), 'configmap "gone" not found'],
    ['a volume of a Secret', volume({ secret: { secretName: 'gone' } }), 'secret "gone" not found'],
    ['a Secret that nobody tells of', volume({ secret: { secretName: 'hidden' } }), undefined],
    [
      'a projected one',
      volume({
        projected: { sources: [{ configMap: { name: 'there', items: [{ key: 'no', path: 'p' }] } }] },
      }),
      `couldn't find key no in ConfigMap n/there`,
    ],
    [
      'root that may not be',
      { securityContext: { runAsNonRoot: true, runAsUser: 0 } },
      "container's runAsUser breaks non-root policy (container: app)",
    ],
  ])('%s', async (_, spec, fault) => {
    const pod = aPod(spec)
    expect(mayBeKept(pod)).toBe(true)
    const { volumes, containers } = await obstaclesOf(pod, api)
    expect([...volumes.values(), ...containers.values()]).toEqual(fault === undefined ? [] : [fault])
  })

  it('are none for most pods', () => {
    expect(
      [aPod(), aPod(env('gone', 'key', true)), aPod({ securityContext: { runAsNonRoot: true } })].map(
        mayBeKept,
      ),
    ).toEqual([false, false, false])
  })

  it('keep containers from being made as long as they are there', () => {
    const pod = aPod()
    const record = recordOf(pod, '10.0.0.2', START)
    const state = () => podStatus(pod, record, { ip: '1.2.3.4' }, START).containerStatuses?.[0]?.state
    record.faults = new Map([['app', 'secret "gone" not found']])
    expect(advance(pod, record, START).events.map(({ message }) => message)).toEqual([
      'Error: secret "gone" not found',
    ])
    expect(state()).toEqual({
      waiting: { reason: 'CreateContainerConfigError', message: 'secret "gone" not found' },
    })
    record.faults = undefined
    record.isUnmounted = true
    expect(advance(pod, record, START).events).toEqual([])
    record.isUnmounted = false
    advance(pod, record, START)
    expect(state()).toMatchObject({ running: {} })
  })
})
