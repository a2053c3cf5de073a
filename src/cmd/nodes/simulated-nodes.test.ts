// Which ranges and addresses simulated nodes get beside those that are there.
import { expect, it } from 'vitest'
import { nodeObject } from '../../kubelet/nodeobject.ts'
import { fleet, FLEET_RANGE, NODE_CAPACITY, POD_RANGE } from './simulated-nodes.ts'
import { parseRange } from '../../kubelet/addresses.ts'

const shape = { podRange: POD_RANGE, capacity: NODE_CAPACITY, labels: {} }
const of = (prefix: string, count: number, present: ReturnType<typeof fleet> = []) =>
  fleet(
    { prefix, count, ...shape },
    present.map((specimen) => nodeObject(specimen, 0)),
  )

it('numbers those of a cluster from the first range on', () => {
  expect(of('node', 2).map(({ podCidr, address }) => [podCidr, address])).toEqual([
    ['10.128.0.0/24', '100.64.0.1'],
    ['10.128.1.0/24', '100.64.0.2'],
  ])
})

it('leaves nodes of other processes what they have, and nodes of its own what they had', () => {
  const others = of('other', 300)
  const both = [...others, ...of('node', 300, others)]
  expect(new Set(both.map(({ podCidr }) => podCidr)).size).toBe(600)
  expect(new Set(both.map(({ address }) => address)).size).toBe(600)
  expect(of('node', 300, both)).toEqual(both.slice(300))
  const fleets = parseRange(FLEET_RANGE)
  for (const { podCidr = '' } of both)
    expect(Math.floor((parseRange(podCidr)?.first ?? 0) / 2 ** 21)).toBe((fleets?.first ?? 1) / 2 ** 21)
})

it('begins elsewhere for other names, so that processes that start at once do not meet', () => {
  const ranges = ['a', 'b', 'c', 'd'].flatMap((prefix) => of(prefix, 10).map(({ podCidr }) => podCidr))
  expect(new Set(ranges).size).toBe(40)
})

it('leaves a node without a range where all are taken, so that others may give it one', () => {
  const small = { ...shape, podRange: '10.0.0.0/23', prefix: 'node', count: 3 }
  expect(fleet(small).map(({ podCidr }) => podCidr)).toEqual(['10.0.0.0/24', '10.0.1.0/24', undefined])
})
