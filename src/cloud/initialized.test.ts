// Nodes before and after their cloud told of them; routes that they ask for.
import { expect, it } from 'vitest'
import type { Node } from '../client/kinds/core.v1.gen.ts'
import { addressesToSet, initialized, isUninitialized, labelsToFollow } from './initialized.ts'
import { metadataOf } from './local/machines.ts'
import { routeChanges } from './routing.ts'

const node = (name: string, extra: { spec?: Node['spec']; labels?: Record<string, string> } = {}): Node => ({
  metadata: { name, labels: extra.labels ?? {} },
  spec: extra.spec ?? {},
  status: {
    capacity: { cpu: '8', memory: '32Gi' },
    addresses: [{ type: 'Hostname', address: name }],
  } as never,
})

it('gives a node its id, zone, region and type, and takes the taint', () => {
  const other = { key: 'mine', effect: 'NoSchedule' }
  const taints = [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', effect: 'NoSchedule' }, other]
  const raw = node('node-4', { spec: { taints }, labels: { 'node.dinghy.dev/simulated': 'true' } })
  expect(isUninitialized(raw)).toBe(true)
  const made = initialized(raw, metadataOf(raw, 3))
  expect(isUninitialized(made)).toBe(false)
  expect(made.spec).toEqual({ taints: [other], providerID: 'dinghy://node-4' })
  expect(made.metadata.labels).toEqual({
    'node.dinghy.dev/simulated': 'true',
    'failure-domain.beta.kubernetes.io/region': 'local',
    'topology.kubernetes.io/region': 'local',
    'failure-domain.beta.kubernetes.io/zone': 'local-b',
    'topology.kubernetes.io/zone': 'local-b',
    'beta.kubernetes.io/instance-type': 'simulated-8cpu-32Gi',
    'node.kubernetes.io/instance-type': 'simulated-8cpu-32Gi',
  })
  expect(initialized(node('a', { spec: { providerID: 'x://1' } }), metadataOf(raw, 1)).spec.providerID).toBe(
    'x://1',
  )
})

it('lets labels follow their older names', () => {
  const zone = 'topology.kubernetes.io/zone'
  const older = { 'failure-domain.beta.kubernetes.io/zone': 'z' }
  expect(labelsToFollow(node('a', { labels: older }))).toEqual({ [zone]: 'z' })
  expect(labelsToFollow(node('a', { labels: { ...older, [zone]: 'y' } }))).toEqual({ [zone]: 'z' })
  expect(labelsToFollow(node('a', { labels: { ...older, [zone]: 'z' } }))).toBeUndefined()
  expect(labelsToFollow(node('a', { labels: { [zone]: 'z' } }))).toBeUndefined()
})

it('takes the cloud’s addresses, the provided one alone of its type', () => {
  const internal = { type: 'InternalIP', address: '10.0.0.1' }
  const second = { type: 'InternalIP', address: '10.0.0.2' }
  const host = { type: 'Hostname', address: 'a' }
  expect(addressesToSet(node('a'), [])).toBeUndefined()
  expect(addressesToSet(node('a'), [host])).toBeUndefined()
  expect(addressesToSet(node('a'), [internal])).toEqual([internal, host])
  const provided = node('a')
  provided.metadata.annotations = { 'alpha.kubernetes.io/provided-node-ip': '10.0.0.2' }
  expect(addressesToSet(provided, [internal, second])).toEqual([second, host])
  expect(() => addressesToSet(provided, [internal])).toThrow('that matches ip: 10.0.0.2')
})

it('makes routes for nodes’ ranges, and takes away those of nobody, within the cluster’s range', () => {
  const nodes = [
    node('a', { spec: { podCIDRs: ['10.1.0.0/24'] } }),
    node('b', { spec: { podCIDRs: ['10.1.1.0/24'] } }),
    node('c'),
  ]
  const routes = [
    { name: 'kept', node: 'a', cidr: '10.1.0.0/24' },
    { name: 'gone', node: 'x', cidr: '10.1.7.0/24' },
    { name: 'moved', node: 'a', cidr: '10.1.1.0/24' },
    { name: 'hole', node: '', cidr: '10.1.9.0/24', blackhole: true },
    { name: 'elsewhere', node: 'x', cidr: '192.168.0.0/24' },
    { name: 'nonsense', node: 'x', cidr: 'nonsense' },
  ]
  const changes = routeChanges(nodes, routes, ['10.1.0.0/16'])
  expect(changes.remove.map(({ name }) => name)).toEqual(['gone', 'moved', 'hole'])
  expect(changes.create.map(({ node: { metadata }, cidr }) => [metadata.name, cidr])).toEqual([
    ['b', '10.1.1.0/24'],
  ])
})
