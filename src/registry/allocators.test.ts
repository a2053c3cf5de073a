import { describe, expect, it } from 'vitest'
import type { Lister } from '../machinery/lister.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Family } from './addresses.ts'
import { ServiceAllocators } from './allocators.ts'

const SETTINGS = {
  serviceClusterIPRange: ['10.0.0.0/29', 'fd00::/125'],
  serviceNodePortRange: [30000, 30002],
  eventTtlSeconds: 0,
  allowPrivileged: true,
} as const

/** The Services and ServiceCIDRs of a store, and a count of their changes. */
function storeOf(...services: object[]) {
  const store = { services: services as KubeObject[], servicecidrs: [] as object[], changes: 1 }
  const lister = {
    list: ({ resource }: { resource: 'services' | 'servicecidrs' }) => store[resource],
    version: () => store.changes,
  } as unknown as Lister
  return { store, allocators: new ServiceAllocators(lister, SETTINGS) }
}

const service = (spec: object) => ({ metadata: { name: 's' }, spec })

describe('cluster addresses', () => {
  it('are drawn from the range, none twice, until it is full', () => {
    const { allocators } = storeOf()
    const [primary, secondary] = allocators.families as [Family, Family]
    const drawn = Array.from({ length: 7 }, () => allocators.nextAddress(primary, false))
    expect(new Set(drawn.slice(0, 6))).toEqual(new Set([1, 2, 3, 4, 5, 6].map((i) => `10.0.0.${i}`)))
    expect(drawn[6]).toBeUndefined()
    expect(allocators.nextAddress(secondary, false)).toMatch(/^fd00::[1-7]$/)
  })

  it('of stored Services are taken, however they are written', () => {
    const { allocators } = storeOf(
      service({ clusterIP: '10.0.0.3', clusterIPs: ['10.0.0.3', 'fd00:0::0003'] }),
    )
    for (const text of ['10.0.0.3', 'fd00::3']) {
      expect(allocators.takeAddress(text, false)).toEqual({ refused: 'provided IP is already allocated' })
    }
  })

  it('that are given back are free, and a dry run takes none', () => {
    const { allocators } = storeOf()
    expect(allocators.takeAddress('10.0.0.4', true)).toBeUndefined()
    expect(allocators.takeAddress('10.0.0.4', false)).toBeUndefined()
    expect(allocators.takeAddress('10.0.0.4', false)).toBeDefined()
    allocators.releaseAddress('10.0.0.4')
    expect(allocators.takeAddress('10.0.0.4', false)).toBeUndefined()
  })

  it('outside of the range, or at its ends, are refused', () => {
    const { allocators } = storeOf()
    for (const text of ['10.0.0.0', '10.0.0.7', 'fd00::', '192.168.0.1', 'no address']) {
      expect(allocators.takeAddress(text, false)?.refused, text).toContain('does not match the current range')
    }
    expect(allocators.takeAddress('fd00::7', false)).toBeUndefined()
  })

  it('of a dry run must lie in the first range, taken or not', () => {
    const { allocators } = storeOf(service({ clusterIP: '10.0.0.3' }))
    expect(allocators.takeAddress('10.0.0.3', true)).toBeUndefined()
    for (const [text, range] of [
      ['10.0.0.7', '10.0.0.0/29'],
      ['10.0.9.9', '10.0.0.0/29'],
      ['fd00::', 'fd00::/125'],
    ]) {
      const refused = `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${range}`
      expect(allocators.takeAddress(text as string, true)).toEqual({ refused })
    }
  })

  it('come from every ServiceCIDR that is ready, and from no other', () => {
    const { store, allocators } = storeOf()
    const cidr = (text: string, more: object = {}) => ({ metadata: {}, spec: { cidrs: [text] }, ...more })
    const told = (status: string) => ({ status: { conditions: [{ type: 'Ready', status }] } })
    store.servicecidrs = [
      cidr('10.0.0.0/30', told('True')),
      cidr('10.0.1.0/30'),
      cidr('10.0.2.0/30', told('False')),
      cidr('10.0.3.0/30', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ]
    store.changes++
    const drawn = Array.from({ length: 5 }, () => allocators.nextAddress('IPv4', false))
    expect(drawn).toEqual(expect.arrayContaining(['10.0.0.1', '10.0.0.2', '10.0.1.1', '10.0.1.2', undefined]))
    for (const text of ['10.0.2.1', '10.0.3.1', '10.0.0.4']) {
      expect(allocators.takeAddress(text, false)?.refused, text).toContain('does not match the current range')
    }
    store.servicecidrs[2] = cidr('10.0.2.0/30', told('True'))
    store.changes++
    expect(allocators.takeAddress('10.0.2.1', false)).toBeUndefined()
  })
})

describe('node ports', () => {
  it('are drawn from the range, none twice, until it is full', () => {
    const { allocators } = storeOf(service({ ports: [{ nodePort: 30001 }] }))
    expect([allocators.nextPort(false), allocators.nextPort(false)].sort()).toEqual([30000, 30002])
    expect(allocators.nextPort(false)).toBeUndefined()
  })

  it('outside of the range are refused, but not to a dry run, which is refused those that are taken', () => {
    const { allocators } = storeOf(service({ ports: [{ nodePort: 30001 }] }))
    expect(allocators.takePort(80, false)?.refused).toContain('30000-30002')
    expect(allocators.takePort(80, true)).toBeUndefined()
    expect(allocators.takePort(30001, true)).toEqual({ refused: 'provided port is already allocated' })
    expect(allocators.takePort(30002, true)).toBeUndefined()
    expect(allocators.takePort(30002, false)).toBeUndefined()
  })

  it('of a Service that has gone are free as soon as they are asked for', () => {
    const { store, allocators } = storeOf(service({ healthCheckNodePort: 30000 }))
    expect(allocators.takePort(30000, false)).toEqual({ refused: 'provided port is already allocated' })
    store.services = []
    store.changes++
    expect(allocators.takePort(30000, false)).toBeUndefined()
  })
})
