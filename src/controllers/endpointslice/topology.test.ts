// Which endpoints are for which zones.
import { describe, expect, it } from 'vitest'
import type { EndpointSlice } from '../../client/kinds/discovery.v1.gen.ts'
import { hintZones, isOverloaded, wantsZones, zoneRatios } from './topology.ts'
import { ServiceZones } from './zones.ts'

const node = (zone: string | undefined, cpu: string, { ready = 'True', labels = {} } = {}) =>
  ({
    metadata: { labels: { ...labels, ...(zone ? { 'topology.kubernetes.io/zone': zone } : {}) } },
    status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready }] },
  }) as never
const slice = (name: string, zones: readonly string[], hints?: readonly string[]): EndpointSlice =>
  ({
    metadata: { name },
    endpoints: zones.map((zone, at) => ({
      ...{ addresses: [`10.0.0.${at}`], conditions: { ready: true }, zone },
      ...(hints ? { hints: { forZones: [{ name: hints[at] }] } } : {}),
    })),
  }) as never
const hintsOf = ({ endpoints }: EndpointSlice) =>
  endpoints.map(({ hints }) => hints?.forZones?.map(({ name }) => name).join() ?? '').join(' ')
const EVEN = new Map([
  ['a', 0.5],
  ['b', 0.5],
])
const THIRDS = new Map([
  ['a', 1 / 3],
  ['b', 1 / 3],
  ['c', 1 / 3],
])

it.each([
  ['by CPUs', [node('a', '1'), node('b', '3')], { a: 0.25, b: 0.75 }],
  [
    'of what is ready',
    [node('a', '1'), node('b', '1'), node('b', '9', { ready: 'False' })],
    { a: 0.5, b: 0.5 },
  ],
  [
    'without the control plane',
    [
      node('a', '1'),
      node('b', '1'),
      node('c', '1', { labels: { 'node-role.kubernetes.io/control-plane': '' } }),
    ],
    { a: 0.5, b: 0.5 },
  ],
  ['none of one zone', [node('a', '1'), node('a', '1')], undefined],
  ['none where a node has no zone', [node('a', '1'), node('b', '1'), node(undefined, '1')], undefined],
  ['none where a node tells no CPUs', [node('a', '1'), node('b', '0')], undefined],
])('ratios %s', (_what, nodes, ratios) => {
  const found = zoneRatios(nodes)
  expect(found && Object.fromEntries(found)).toEqual(ratios)
})

it.each([
  [{ 'service.kubernetes.io/topology-mode': 'Auto' }, true],
  [{ 'service.kubernetes.io/topology-mode': 'auto' }, true],
  [{ 'service.kubernetes.io/topology-mode': 'other' }, false],
  [
    {
      'service.kubernetes.io/topology-aware-hints': 'disabled',
      'service.kubernetes.io/topology-mode': 'Auto',
    },
    false,
  ],
  [undefined, false],
])('%j asks for hints: %s', (annotations, wants) => {
  expect(wantsZones({ metadata: { annotations } } as never)).toBe(wants)
})

describe('hints', () => {
  it.each([
    ['each for its own zone', ['a', 'b', 'a', 'b'], EVEN, 'a b a b'],
    ['lent to a zone that has too few', ['a', 'a', 'a', 'b'], EVEN, 'b a a b'],
    ['lent to a zone that has none', ['a', 'a', 'a', 'b', 'b', 'b'], THIRDS, 'c a a c b b'],
    ['kept where it is near enough', ['a', 'a', 'a', 'a', 'b', 'b', 'b'], EVEN, 'a a a a b b b'],
  ])('%s', (_what, zones, ratios, wanted) => {
    const one = slice('s', zones)
    const counts = hintZones({ create: [one], update: [], unchanged: [] }, ratios)
    expect(hintsOf(one)).toBe(wanted)
    const told = Object.fromEntries(counts as ReadonlyMap<string, number>)
    for (const [zone, count] of Object.entries(told))
      expect(wanted.split(' ').filter((name) => name === zone)).toHaveLength(count)
  })

  it.each([
    ['of one zone', ['a', 'a'], undefined, /^Insufficient Node information/],
    ['fewer than zones', ['a', 'b'], THIRDS, /^Insufficient number of endpoints \(2 endpoints, 3 zones\)$/],
    [
      'too unlike the zones',
      ['a', 'b', 'c', 'a'],
      THIRDS,
      /^Unable to allocate minimum required endpoints .* \(4 endpoints, 3 zones\)$/,
    ],
    ['without a zone', ['a', 'b', '', 'b'], EVEN, /^One or more endpoints do not have a zone specified$/],
  ])('none where endpoints are %s', (_what, zones, ratios, message) => {
    const update: EndpointSlice[] = []
    const create = [slice('s', zones.slice(1))]
    const unchanged = [slice('u', zones.slice(0, 1), ['a'])]
    const told = hintZones({ create, update, unchanged }, ratios)
    expect(told).toMatch(message)
    expect([...create, ...update].map(hintsOf).join(' ').trim()).toBe('')
    expect(update).toHaveLength(1)
  })

  it('takes old hints away, and leaves what the store has alone', () => {
    const unchanged = slice('u', ['a', 'b'], ['a', 'b'])
    const update: EndpointSlice[] = []
    hintZones({ create: [], update, unchanged: [unchanged] }, undefined)
    expect(update.map(hintsOf)).toEqual([' '])
    expect(hintsOf(unchanged)).toBe('a b')
  })

  it('writes no slice whose hints are still right', () => {
    const update: EndpointSlice[] = []
    const counts = hintZones(
      { create: [], update, unchanged: [slice('u', ['a', 'a', 'b', 'b'], ['a', 'a', 'b', 'b'])] },
      EVEN,
    )
    expect(update).toEqual([])
    expect(counts).toEqual(
      new Map([
        ['a', 2],
        ['b', 2],
      ]),
    )
    hintZones(
      { create: [], update, unchanged: [slice('u', ['a', 'a', 'b', 'b'], ['a', 'a', 'b', 'gone'])] },
      EVEN,
    )
    expect(update.map(hintsOf)).toEqual(['a a b b'])
  })
})

it.each([
  [{ a: 2, b: 2 }, EVEN, false],
  [{ a: 5, b: 1 }, EVEN, true],
  [{ a: 5 }, EVEN, true],
  [{ a: 5 }, undefined, true],
  [{}, undefined, false],
])('%j overloads a zone: %s', (counts, ratios, overloaded) => {
  expect(isOverloaded(new Map(Object.entries(counts)), ratios)).toBe(overloaded)
})

it('tells when hints begin and end, and which services nodes concern', () => {
  let nodes = [node('a', '1'), node('b', '1')]
  const zones = new ServiceZones(() => nodes)
  expect(zones.changed()).toBe(false)
  expect(zones.note('n/s', 'IPv4', undefined)).toBeUndefined()
  expect(
    zones.note(
      'n/s',
      'IPv4',
      new Map([
        ['a', 1],
        ['b', 1],
      ]),
    ),
  ).toEqual({
    type: 'Normal',
    reason: 'TopologyAwareHintsEnabled',
    message: 'Topology Aware Hints has been enabled, addressType: IPv4',
  })
  expect(
    zones.note(
      'n/s',
      'IPv4',
      new Map([
        ['a', 1],
        ['b', 1],
      ]),
    ),
  ).toBeUndefined()
  expect(zones.overloaded()).toEqual([])
  nodes = [node('a', '1')]
  expect(zones.overloaded()).toEqual([])
  expect(zones.changed()).toBe(true)
  expect(zones.overloaded()).toEqual(['n/s'])
  expect(zones.note('n/s', 'IPv4', 'why')).toMatchObject({
    type: 'Warning',
    message: 'why, addressType: IPv4',
  })
  expect(zones.changed()).toBe(false)
})
