// Devices for claims, on nodes that have some.
import { expect, it } from 'vitest'
import type { Device, ResourceClaim, ResourceSlice } from '../../../client/kinds/resource.v1.gen.ts'
import { aNode } from '../../fixture.ts'
import { NodeInfo } from '../../nodeinfo.ts'
import { allocate } from './allocator.ts'
import { amountsOf } from './capacity.ts'
import { deviceId, newestSlices } from './pools.ts'
import { type DeviceSelectors, SelectorFault } from './selectors.ts'

const NODE = new NodeInfo(aNode('a'))
/** Expressions of the form "name=value", of string attributes. */
const selectors: DeviceSelectors = {
  isLoaded: true,
  load: () => Promise.resolve(),
  matches(expression, _, { attributes = {} }) {
    if (expression === 'fails') throw new Error('no such thing')
    const [name = '', value] = expression.split('=')
    return attributes[name]?.string === value
  },
}
const device = (name: string, zone: string, more: Partial<Device> = {}): Device => ({
  name,
  attributes: { zone: { string: zone } },
  ...more,
})
const slice = (devices: Device[], more: Partial<ResourceSlice['spec']> = {}): ResourceSlice => ({
  metadata: { name: `s-${devices.map(({ name }) => name).join('-')}` },
  spec: {
    driver: 'd.example.com',
    pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
    nodeName: 'a',
    devices,
    ...more,
  },
})
const claim = (...requests: ResourceClaim['spec']['devices']['requests']): ResourceClaim => ({
  metadata: { name: 'c', namespace: 'n', uid: 'u' },
  spec: { devices: { requests } },
  status: {},
})
const exactly = (more: object = {}) => ({ deviceClassName: 'k', ...more })
const run = (
  one: ResourceClaim,
  slices: readonly ResourceSlice[],
  taken: readonly string[] = [],
  used: Readonly<Record<string, string>> = {},
) =>
  allocate([one], NODE, {
    selectors,
    slices: newestSlices(slices),
    taken: new Set(taken.map((name) => deviceId('d.example.com', 'p', name))),
    shared: new Map(
      Object.entries(used).map(([name, memory]) => [
        deviceId('d.example.com', 'p', name),
        amountsOf({ memory }),
      ]),
    ),
    deviceClass: (name) => (name === 'k' ? { metadata: { name }, spec: {} } : undefined),
  })
const got = (...args: Parameters<typeof run>) =>
  run(...args)?.[0]?.devices.results?.map(({ request, device: name }) => `${request}:${name}`)

const THREE = [slice([device('x', 'one'), device('y', 'two'), device('z', 'two')])]

it('gives as many as are asked for, of those that nobody has', () => {
  expect(got(claim({ name: 'r', exactly: exactly({ count: 2 }) }), THREE)).toEqual(['r:x', 'r:y'])
  expect(got(claim({ name: 'r', exactly: exactly({ count: 2 }) }), THREE, ['x'])).toEqual(['r:y', 'r:z'])
  expect(got(claim({ name: 'r', exactly: exactly({ count: 4 }) }), THREE)).toBeUndefined()
  const other = [slice([device('x', 'one')], { nodeName: 'b' })]
  expect(got(claim({ name: 'r', exactly: exactly() }), other)).toBeUndefined()
})
it('gives all, or none', () => {
  const all = claim({ name: 'r', exactly: exactly({ allocationMode: 'All' }) })
  expect(got(all, THREE)).toEqual(['r:x', 'r:y', 'r:z'])
  expect(got(all, THREE, ['y'])).toBeUndefined()
  const part = [slice([device('x', 'one')], { pool: { name: 'p', generation: 1, resourceSliceCount: 2 } })]
  expect(() => run(all, part)).toThrow(
    'claim n/c, request r: asks for all devices, but resource pool d.example.com/p is currently being updated',
  )
})
it('goes back where a choice does not fit the others', () => {
  const pair = claim({ name: 'r', exactly: exactly({ count: 2 }) })
  pair.spec.devices.constraints = [{ matchAttribute: 'd.example.com/zone' }]
  expect(got(pair, THREE)).toEqual(['r:y', 'r:z'])
  pair.spec.devices.constraints = [{ distinctAttribute: 'd.example.com/zone' }]
  expect(got(pair, THREE)).toEqual(['r:x', 'r:y'])
})
it('takes the first alternative that can be had, and lets administrators in', () => {
  const selected = (value: string) => ({ selectors: [{ cel: { expression: `zone=${value}` } }] })
  const either = claim({
    name: 'r',
    firstAvailable: [
      { name: 'best', deviceClassName: 'k', ...selected('one') },
      { name: 'rest', deviceClassName: 'k', ...selected('two') },
    ],
  })
  expect(got(either, THREE)).toEqual(['r/best:x'])
  expect(got(either, THREE, ['x'])).toEqual(['r/rest:y'])
  const admin = claim({ name: 'r', exactly: exactly({ adminAccess: true, ...selected('one') }) })
  expect(got(admin, THREE, ['x'])).toEqual(['r:x'])
})
it('lets nobody have anything by an expression that fails', () => {
  const faulty = claim({ name: 'r', exactly: exactly({ selectors: [{ cel: { expression: 'fails' } }] }) })
  expect(() => run(faulty, THREE)).toThrow(SelectorFault)
  expect(() => run(faulty, THREE)).toThrow('claim n/c: selector #0: CEL runtime error: no such thing')
})
it('looks at taints, counters and the newest generation alone', () => {
  const taints = [{ key: 'bad', effect: 'NoSchedule' }]
  const tainted = [slice([device('x', 'one', { taints })])]
  expect(got(claim({ name: 'r', exactly: exactly() }), tainted)).toBeUndefined()
  const tolerant = exactly({ tolerations: [{ key: 'bad', operator: 'Exists' }] })
  expect(got(claim({ name: 'r', exactly: tolerant }), tainted)).toEqual(['r:x'])
  const newer = slice([device('w', 'one')], { pool: { name: 'p', generation: 2, resourceSliceCount: 1 } })
  expect(got(claim({ name: 'r', exactly: exactly() }), [...THREE, newer])).toEqual(['r:w'])
  const part = (name: string, value: string) =>
    device(name, 'one', { consumesCounters: [{ counterSet: 's', counters: { memory: { value } } }] })
  const shared = slice([part('big', '8Gi'), part('small', '4Gi')], {
    sharedCounters: [{ name: 's', counters: { memory: { value: '8Gi' } } }],
  })
  const two = claim({ name: 'r', exactly: exactly({ count: 2 }) })
  expect(got(two, [shared])).toBeUndefined()
  expect(got(claim({ name: 'r', exactly: exactly() }), [shared], ['small'])).toBeUndefined()
  expect(got(claim({ name: 'r', exactly: exactly() }), [shared])).toEqual(['r:big'])
})
it('says where the devices can be used', () => {
  const fields = [{ key: 'metadata.name', operator: 'In', values: ['a'] }]
  expect(run(claim({ name: 'r', exactly: exactly() }), THREE)?.[0]?.nodeSelector).toEqual({
    nodeSelectorTerms: [{ matchFields: fields }],
  })
})

it('gives shares of devices that several may have', () => {
  const part = (name: string, more: Partial<Device> = {}) =>
    device(name, 'one', { allowMultipleAllocations: true, capacity: { memory: { value: '8Gi' } }, ...more })
  const two = [slice([part('x'), part('y')])]
  const asking = (memory: string) => exactly({ capacity: { requests: { memory } } })
  const pair = claim({ name: 'a', exactly: asking('5Gi') }, { name: 'b', exactly: asking('3Gi') })
  // Both are of the same device, which has as much.
  expect(got(pair, two)).toEqual(['a:x', 'b:x'])
  expect(got(pair, two, [], { x: '4Gi' })).toEqual(['a:y', 'b:x'])
  expect(got(pair, two, [], { x: '6Gi', y: '2Gi' })).toBeUndefined()
  const results = run(pair, two)?.[0]?.devices.results ?? []
  expect(results.map(({ consumedCapacity }) => consumedCapacity)).toEqual([
    { memory: '5Gi' },
    { memory: '3Gi' },
  ])
  expect(new Set(results.map(({ shareID }) => shareID)).size).toBe(2)
  const all = claim({ name: 'r', exactly: { ...asking('3Gi'), allocationMode: 'All' } })
  expect(got(all, two, [], { x: '6Gi' })).toEqual(['r:y'])
  // One that nobody else may have is asked for its capacity, too, and has no shares.
  const alone = [slice([part('x', { allowMultipleAllocations: false })])]
  expect(got(claim({ name: 'r', exactly: asking('9Gi') }), alone)).toBeUndefined()
  const [whole] = run(claim({ name: 'r', exactly: asking('3Gi') }), alone)?.[0]?.devices.results ?? []
  expect([whole?.shareID, whole?.consumedCapacity]).toEqual([undefined, undefined])
})
it('takes the counters of a shared device once, and returns what a choice that led nowhere took', () => {
  const consumesCounters = [{ counterSet: 's', counters: { memory: { value: '8Gi' } } }]
  const more = { allowMultipleAllocations: true, capacity: { memory: { value: '8Gi' } }, consumesCounters }
  const sharedCounters = [{ name: 's', counters: { memory: { value: '8Gi' } } }]
  const slices = [
    slice([device('x', 'one', more), device('y', 'two', { consumesCounters })], { sharedCounters }),
  ]
  const asking = { capacity: { requests: { memory: '2Gi' } } }
  const selected = { selectors: [{ cel: { expression: 'zone=two' } }] }
  expect(
    got(claim({ name: 'a', exactly: exactly(asking) }, { name: 'b', exactly: exactly(asking) }), slices),
  ).toEqual(['a:x', 'b:x'])
  expect(got(claim({ name: 'a', exactly: exactly(selected) }), slices, [], { x: '1Gi' })).toBeUndefined()
  const either = claim({
    name: 'a',
    firstAvailable: [
      { name: 'both', deviceClassName: 'k', count: 2 },
      { name: 'one', deviceClassName: 'k', ...selected },
    ],
  })
  expect(got(either, slices)).toEqual(['a/one:y'])
})
it('tells of conditions that come before a pod is bound, and binds to the node what has to be', () => {
  const late = device('x', 'one', {
    bindingConditions: ['Ready'],
    bindingFailureConditions: ['Lost'],
    bindsToNode: true,
  })
  const [allocation] =
    run(claim({ name: 'r', exactly: exactly() }), [slice([late], { nodeName: undefined, allNodes: true })]) ??
    []
  expect(allocation?.devices.results?.[0]).toMatchObject({
    bindingConditions: ['Ready'],
    bindingFailureConditions: ['Lost'],
  })
  expect(allocation?.nodeSelector?.nodeSelectorTerms[0]?.matchFields?.[0]?.values).toEqual(['a'])
})
