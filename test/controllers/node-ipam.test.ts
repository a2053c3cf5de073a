// Nodes get ranges for their pods, and nobody gets what another has.
import { expect, it, vi } from 'vitest'
import { CORE_EVENTS, NODES } from '../../src/client/resources.ts'
import { clusterWith } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }

it('gives each node a range of each family until there are none left', async () => {
  const cluster = await clusterWith(['nodeipam'], {
    allocateNodeCidrs: true,
    clusterCidrs: ['10.1.0.0/22', 'fd00:1::/48'],
    serviceCidrs: ['10.1.3.0/24'],
  })
  const { api } = cluster
  const make = (name: string, spec = {}) => api.create(NODES, { metadata: { name }, spec } as never)
  const rangesOf = async (name: string) => (await api.get(NODES, { name })).spec.podCIDRs
  await make('own', { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] })
  await make('first')
  await vi.waitFor(async () => expect(await rangesOf('first')).toHaveLength(2), WAIT)
  await make('second')
  await vi.waitFor(async () => expect(await rangesOf('second')).toHaveLength(2), WAIT)
  const given = [await rangesOf('first'), await rangesOf('second')]
  expect(given.map((ranges) => ranges?.[0]).sort()).toEqual(['10.1.1.0/24', '10.1.2.0/24'])
  expect(given.map((ranges) => ranges?.[1]).sort()).toEqual(['fd00:1:0:1::/64', 'fd00:1::/64'])
  await make('late')
  await vi.waitFor(async () => {
    const { items } = await api.list(CORE_EVENTS, { fieldSelector: 'reason=CIDRNotAvailable' })
    expect(items.map(({ message }) => message)).toContain('Node late status is now: CIDRNotAvailable')
  }, WAIT)
  await api.delete(NODES, { name: 'own' })
  await vi.waitFor(async () => expect((await rangesOf('late'))?.[0]).toBe('10.1.0.0/24'), WAIT)
  await cluster.stop()
})
