import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../machinery/object.ts'
import { PortBitmap } from './portbitmap.ts'
import { repairAddresses, repairPorts } from './servicerepair.ts'

const NOW = new Date('2026-01-01T01:00:00Z')
const AGES = { old: '2026-01-01T00:00:00Z', fresh: '2026-01-01T00:59:58Z' }

const service = (name: string, spec: Record<string, unknown>): KubeObject =>
  ({ kind: 'Service', metadata: { name, namespace: 'ns' }, spec }) as KubeObject
const withIP = (name: string, ...clusterIPs: string[]) => service(name, { clusterIPs })

function address(
  name: string,
  parent: string,
  { age = 'old', labelled = true, resource = 'services' } = {},
): KubeObject {
  const family = name.includes(':') ? 'IPv6' : 'IPv4'
  const labels = {
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    ...(labelled ? { 'ipaddress.kubernetes.io/ip-family': family } : {}),
  }
  const creationTimestamp = AGES[age as keyof typeof AGES]
  const parentRef = { resource, namespace: 'ns', name: parent }
  return { kind: 'IPAddress', metadata: { name, labels, creationTimestamp }, spec: { parentRef } }
}

const repaired = (services: KubeObject[], addresses: KubeObject[]) =>
  repairAddresses({ services, addresses, cidrs: ['10.0.0.0/24', 'fd00::/112'], now: NOW }).map(
    ({ finding, remove, create }) => [
      finding?.reason,
      remove?.metadata.name,
      create?.metadata.name,
      finding?.note,
    ],
  )

describe('cluster IPs and their IPAddresses', () => {
  it('are left alone where they agree, are headless, or just being made', () => {
    const services = [
      withIP('a', '10.0.0.1', 'fd00::1'),
      withIP('b', 'None'),
      service('c', { type: 'ExternalName' }),
    ]
    const addresses = [
      address('10.0.0.1', 'a'),
      address('fd00::1', 'a'),
      address('10.0.0.2', 'coming', { age: 'fresh' }),
      address('10.0.0.3', 'c', { age: 'fresh' }),
      { ...address('10.0.0.4', 'gone'), metadata: { name: '10.0.0.4', labels: {} } },
    ]
    expect(repaired(services, addresses)).toEqual([])
  })

  it.each([
    [
      'nothing records it',
      [withIP('a', '10.0.0.1')],
      [],
      [
        'ClusterIPNotAllocated',
        undefined,
        '10.0.0.1',
        'Cluster IP [IPv4]: 10.0.0.1 is not allocated; repairing',
      ],
    ],
    [
      'its record is of a Service that is gone',
      [withIP('a', '10.0.0.1')],
      [address('10.0.0.1', 'gone', { age: 'fresh' })],
      [
        'ClusterIPNotAllocated',
        '10.0.0.1',
        '10.0.0.1',
        'the ClusterIP [IPv4]: 10.0.0.1 for Service ns/a has a wrong reference; repairing',
      ],
    ],
    [
      'another Service has it, too',
      [withIP('a', '10.0.0.1'), withIP('b', '10.0.0.1')],
      [address('10.0.0.1', 'a')],
      [
        'ClusterIPAlreadyAllocated',
        undefined,
        undefined,
        'Cluster IP [IPv4]:10.0.0.1 was assigned to multiple services; please recreate service',
      ],
    ],
    [
      'no range has it',
      [withIP('a', '10.9.0.1')],
      [],
      [
        'ClusterIPOutOfRange',
        undefined,
        undefined,
        'Cluster IP [IPv4]: 10.9.0.1 is not within any configured Service CIDR; please recreate service',
      ],
    ],
    [
      'its record lacks labels',
      [withIP('a', 'fd00::1')],
      [address('fd00::1', 'a', { labelled: false })],
      [undefined, 'fd00::1', 'fd00::1', undefined],
    ],
    [
      'a record has no Service',
      [],
      [address('10.0.0.1', 'a')],
      [
        'IPAddressNotAllocated',
        '10.0.0.1',
        undefined,
        'IPAddress: 10.0.0.1 for Service ns/a appears to have leaked: cleaning up',
      ],
    ],
    [
      'a record is of a Service with another address',
      [withIP('a', 'None')],
      [address('10.0.0.1', 'a')],
      [
        'IPAddressWrongReference',
        '10.0.0.1',
        undefined,
        'IPAddress: 10.0.0.1 for Service ns/a has a wrong reference; cleaning up',
      ],
    ],
  ])('are set right where %s', (_title, services, addresses, wanted) => {
    expect(repaired(services, addresses)).toEqual([wanted])
  })
})

describe('node ports and their record', () => {
  const SPAN = [30000, 30010] as const
  const holding = (name: string, ...nodePorts: number[]) =>
    service(name, { ports: nodePorts.map((nodePort) => ({ nodePort, protocol: 'TCP' })) })
  const look = (services: KubeObject[], record: PortBitmap, leaks = new Map<number, number>()) =>
    repairPorts(services, record, SPAN, leaks)

  it('gain what Services hold, and tell of what cannot be', () => {
    const record = new PortBitmap(SPAN)
    record.set(30001)
    const { findings } = look([holding('a', 30001, 30002), holding('b', 30002, 40000)], record)
    expect(findings.map(({ about, reason, note }) => [about.metadata.name, reason, note])).toEqual([
      ['a', 'PortNotAllocated', 'Port 30002 is not allocated; repairing'],
      ['b', 'PortAlreadyAllocated', 'Port 30002 was assigned to multiple services; please recreate service'],
      ['b', 'PortOutOfRange', 'Port 40000 is not within the port range 30000-30010; please recreate service'],
    ])
    expect(record.has(30002)).toBe(true)
  })

  it('take a port of two protocols for one', () => {
    const both = service('a', { ports: ['TCP', 'UDP'].map((protocol) => ({ nodePort: 30003, protocol })) })
    const { findings } = look([both], new PortBitmap(SPAN))
    expect(findings.map(({ reason }) => reason)).toEqual(['PortNotAllocated'])
  })

  it('lose what nobody holds at the fourth look', () => {
    const record = new PortBitmap(SPAN)
    record.set(30004)
    let leaks: ReadonlyMap<number, number> = new Map()
    for (let i = 0; i < 3; i++) {
      ;({ leaks } = repairPorts([], record, SPAN, leaks))
      expect(record.has(30004)).toBe(true)
    }
    ;({ leaks } = repairPorts([], record, SPAN, leaks))
    expect(record.has(30004)).toBe(false)
    expect(leaks.size).toBe(0)
  })
})
