// Which changes of Services and nodes matter to balancers.
import { expect, it } from 'vitest'
import type { Node, Service } from '../client/kinds/core.v1.gen.ts'
import {
  balancedNodes,
  changesBalancers,
  namesOf,
  needsCleanup,
  needsUpdate,
  wantsBalancer,
} from './balanced.ts'

const service = (spec: Service['spec'], metadata: Service['metadata'] = {}): Service => ({
  metadata: { name: 'web', uid: '1', ...metadata },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
  status: { loadBalancer: {} },
})
const node = (name: string, extra: Partial<Node> = {}): Node =>
  ({ metadata: { name, ...extra.metadata }, spec: { ...extra.spec }, status: {} }) as Node

it('leaves Services of other types and of classes alone', () => {
  expect(wantsBalancer(service({}))).toBe(true)
  expect(wantsBalancer(service({ type: 'NodePort' }))).toBe(false)
  expect(wantsBalancer(service({ loadBalancerClass: 'example.com/other' }))).toBe(false)
})

it.each([
  ['nothing', service({}), false],
  ['the type', service({ type: 'ClusterIP' }), true],
  ['a port', service({ ports: [{ port: 81 }] }), true],
  ['an annotation', service({}, { annotations: { a: 'b' } }), true],
  ['the affinity', service({ sessionAffinity: 'ClientIP' }), true],
  ['the ranges of clients', service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }), true],
  ['the address asked for', service({ loadBalancerIP: '127.64.0.9' }), true],
  ['another Service of the name', service({}, { uid: '2' }), true],
  ['a label', service({}, { labels: { a: 'b' } }), false],
  ['the selector', service({ selector: { app: 'other' } }), false],
])('looks again or not after a change of %s', (_, after, expected) => {
  expect(needsUpdate(service({}), after)).toBe(expected)
})

it('cleans up what has the finalizer and goes, or is of another type', () => {
  const finalizers = ['service.kubernetes.io/load-balancer-cleanup']
  expect(needsCleanup(service({}, { finalizers }))).toBe(false)
  expect(needsCleanup(service({}, { finalizers, deletionTimestamp: 'now' }))).toBe(true)
  expect(needsCleanup(service({ type: 'ClusterIP' }, { finalizers }))).toBe(true)
  expect(needsCleanup(service({ type: 'ClusterIP' }))).toBe(false)
})

it('keeps out nodes that go, that say so, and that the autoscaler takes away', () => {
  const label = (value: string) => ({
    metadata: { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': value } },
  })
  const nodes = [
    node('a'),
    node('b', { metadata: { deletionTimestamp: 'now' } }),
    node('c', label('')),
    node('d', label('true')),
    node('e', label('false')),
    node('f', { spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } }),
  ]
  expect(balancedNodes(nodes).map(({ metadata }) => metadata.name)).toEqual(['a', 'e'])
  expect(changesBalancers(node('a'), node('a', label('true')))).toBe(true)
  expect(changesBalancers(node('a'), node('a', { spec: { providerID: 'x://a' } }))).toBe(true)
  expect(changesBalancers(node('a'), node('a', { spec: { unschedulable: true } }))).toBe(false)
})

it('names twenty nodes, and how many more there are', () => {
  const nodes = Array.from({ length: 22 }, (_, i) => node(`n${String(i).padStart(2, '0')}`))
  expect(namesOf(nodes)).toMatch(/^\[n00 .* n19 <2 more>\]$/)
})
