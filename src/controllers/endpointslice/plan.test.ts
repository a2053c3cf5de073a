// Which slices are written for which changes.
import { describe, expect, it } from 'vitest'
import type { Pod, Service } from '../../client/kinds/core.v1.gen.ts'
import type { EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'
import { type Plan, planSlices } from './plan.ts'

const service = (spec: object = {}): Service =>
  ({
    metadata: { name: 'web', namespace: 'ns', uid: 'u' },
    spec: {
      clusterIP: '10.0.0.1',
      ipFamilies: ['IPv4'],
      ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
      ...spec,
    },
  }) as never

const pods = (first: number, count: number, more: object = {}): Pod[] =>
  Array.from({ length: count }, (_, i) => ({
    metadata: { namespace: 'ns', name: `p${first + i}`, uid: `u${first + i}` },
    spec: { containers: [{ name: 'a' }], nodeName: 'n' },
    status: {
      podIP: `10.1.0.${first + i}`,
      podIPs: [{ ip: `10.1.0.${first + i}` }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
    ...more,
  })) as never

const NODE = { metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': 'z' } } } as never

const plan = (existing: readonly EndpointSlice[], wanted: readonly Pod[], of = service()): Plan =>
  planSlices({
    service: of,
    pods: wanted,
    existing,
    nodeOf: (name) => (name === 'n' ? NODE : undefined),
    maxEndpoints: 3,
  })

const sizes = (slices: readonly EndpointSlice[]): number[] => slices.map(({ endpoints }) => endpoints.length)

/** The slices of a plan as the server would hold them. */
const stored = ({ create, update }: Plan): EndpointSlice[] =>
  [...create, ...update].map((slice, i) => ({
    ...slice,
    metadata: { ...slice.metadata, name: slice.metadata.name ?? `s${i}` },
  }))

describe('slices', () => {
  it('are as few as hold the endpoints', () => {
    expect(sizes(plan([], pods(0, 7)).create)).toEqual([3, 3, 1])
  })
  it('stay as they are where nothing changes', () => {
    const first = stored(plan([], pods(0, 7)))
    expect(plan(first, pods(0, 7))).toMatchObject({ create: [], update: [], remove: [], lost: [] })
  })
  it('take a new endpoint into the fullest that has room', () => {
    const first = stored(plan([], pods(0, 7)))
    const next = plan(first, pods(0, 8))
    expect([next.create.length, sizes(next.update), next.remove.length]).toEqual([0, [2], 0])
  })
  it('fill those that change anyway', () => {
    const first = stored(plan([], pods(0, 7)))
    const next = plan(first, [...pods(1, 6), ...pods(10, 1)])
    expect([sizes(next.create), sizes(next.update)]).toEqual([[], [3]])
    expect(next.update[0]?.endpoints.map(({ targetRef }) => targetRef?.name)).toEqual(['p1', 'p2', 'p10'])
  })
  it('go when they are empty, and one stays to say that there is nothing', () => {
    const first = stored(plan([], pods(0, 4)))
    const next = plan(first, [])
    expect([next.create.length, sizes(next.update), next.remove.length]).toEqual([0, [0], 1])
    expect(plan(stored(plan([], [])), [])).toMatchObject({ create: [], update: [], remove: [], lost: [] })
  })
  it('leave pods out whose nodes nobody knows', () => {
    const lost = pods(0, 1, { spec: { containers: [], nodeName: 'gone' } })
    expect(plan([], lost).lost).toEqual(['p0'])
    expect(sizes(plan([], lost, service({ publishNotReadyAddresses: true })).create)).toEqual([1])
  })
  it('hint at zones and nodes where the service wants traffic near', () => {
    const hints = (trafficDistribution: string) =>
      plan([], pods(0, 1), service({ trafficDistribution })).create[0]?.endpoints[0]?.hints
    expect(hints('PreferSameZone')).toEqual({ forZones: [{ name: 'z' }] })
    expect(hints('PreferSameNode')).toEqual({ forZones: [{ name: 'z' }], forNodes: [{ name: 'n' }] })
  })
  it('of another service of that name go', () => {
    const first = stored(plan([], pods(0, 1)))
    const other = { ...service(), metadata: { ...service().metadata, uid: 'other' } }
    const next = plan(first, pods(0, 1), other)
    expect([next.create.length, next.update.length, next.remove.length]).toEqual([1, 0, 1])
  })
})
