// What is remembered of nodes: as long as they are what they were, and no longer.
import { describe, expect, it } from 'vitest'
import { Cycle } from './cycle.ts'
import { aNode, aPod, asking, clusterOf } from './fixture.ts'
import { Memory, PerNode } from './pernode.ts'
import { CycleMeter, PointMetrics } from './pointmetrics.ts'
import { defaultProfile } from './profile.ts'

describe('values of nodes', () => {
  it('are found out once, and again when the node has changed', () => {
    const cluster = clusterOf([aNode('a'), aNode('b')])
    const [a, b] = [cluster.node('a'), cluster.node('b')]
    if (!a || !b) throw new Error('no nodes')
    const memory = new PerNode<string>()
    let asked = 0
    const find = ({ name }: { readonly name: string }): string => `${name} ${++asked}`
    expect([memory.get(b, find), memory.get(a, find), memory.get(b, find)]).toEqual(['b 1', 'a 2', 'b 1'])
    cluster.place(aPod(), 'b')
    expect([memory.get(b, find), memory.get(a, find)]).toEqual(['b 3', 'a 2'])
    cluster.setNode(aNode('a', { labels: { zone: 'x' } }))
    expect(memory.get(a, find)).toBe('a 4')
  })

  it('are not those of the node whose row it has now', () => {
    const cluster = clusterOf([aNode('a'), aNode('b')])
    const memory = new PerNode<string>()
    const nameOf = ({ name }: { readonly name: string }): string => name
    for (const node of cluster.nodes) memory.get(node, nameOf)
    cluster.removeNode('a')
    cluster.setNode(aNode('c'))
    expect(cluster.nodes.map((node) => memory.get(node, nameOf))).toEqual(['b', 'c'])
  })

  it('are kept for the kinds that came last', () => {
    const memory = new Memory<number>()
    const first = memory.of('first')
    for (let i = 0; i < 15; i++) memory.of(`kind ${i}`)
    expect(memory.of('first')).toBe(first)
    for (let i = 0; i < 16; i++) memory.of(`other ${i}`)
    expect(memory.of('first')).not.toBe(first)
  })
})

describe('a cycle', () => {
  const meter = new CycleMeter(new PointMetrics(), 'default-scheduler')
  const cycleOf = (cluster: ReturnType<typeof clusterOf>): Cycle =>
    new Cycle({ cluster, profile: defaultProfile(), nominated: () => [], meter, random: () => 0.5 })
  const placeOf = (cycle: Cycle, cpu: string): string => {
    const found = cycle.run(asking({ cpu }))
    return 'node' in found ? found.node.name : 'none'
  }

  it('sees what came to a node since a pod of the same kind was looked at', () => {
    const cluster = clusterOf([aNode('a'), aNode('b')])
    const cycle = cycleOf(cluster)
    const places = []
    for (let i = 0; i < 5; i++) {
      const pod = asking({ cpu: '2' })
      const found = cycle.run(pod)
      places.push('node' in found ? found.node.name : 'none')
      if ('node' in found) cluster.place(pod, found.node.name)
    }
    expect(places.slice(0, 4).sort()).toEqual(['a', 'a', 'b', 'b'])
    expect(places[4]).toBe('none')
  })

  it('does not take pods that ask for different things for the same', () => {
    const cycle = cycleOf(clusterOf([aNode('a')]))
    expect([placeOf(cycle, '5'), placeOf(cycle, '3'), placeOf(cycle, '5')]).toEqual(['none', 'a', 'none'])
  })

  it('sees a node that is cordoned, tainted, and freed again', () => {
    const cluster = clusterOf([aNode('a')])
    const cycle = cycleOf(cluster)
    const seen = [placeOf(cycle, '1')]
    const taints = [{ key: 'x', effect: 'NoSchedule' }]
    for (const spec of [{ unschedulable: true }, { taints }, {}]) {
      cluster.setNode(aNode('a', { spec }))
      seen.push(placeOf(cycle, '1'))
    }
    expect(seen).toEqual(['a', 'none', 'none', 'a'])
  })

  it('keeps away from nodes that are avoided, where it can', () => {
    const cluster = clusterOf([
      aNode('a', { spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] } }),
      aNode('b'),
    ])
    const cycle = cycleOf(cluster)
    expect(placeOf(cycle, '1')).toBe('b')
    cluster.removeNode('b')
    expect(placeOf(cycle, '1')).toBe('a')
  })
})
