// Extended resources that devices stand for.
import { expect, it } from 'vitest'
import type { Container } from '../../../client/kinds/core.v1.gen.ts'
import type { DeviceClass } from '../../../client/kinds/resource.v1.gen.ts'
import { aNode, aPod, asking, clusterOf, NO_SOURCES } from '../../fixture.ts'
import { isRejection } from '../../plugin.ts'
import { nodeResourcesFit } from '../noderesources.ts'
import { classesByResource, extendedRequests } from './extended.ts'

const GPU = 'example.com/gpu'
const classOf = (name: string, creationTimestamp: string, extendedResourceName?: string): DeviceClass => ({
  metadata: { name, creationTimestamp },
  spec: extendedResourceName === undefined ? {} : { extendedResourceName },
})
const container = (name: string, gpus: number, more: Partial<Container> = {}): Container => ({
  name,
  resources: { requests: { cpu: '1', ...(gpus > 0 ? { [GPU]: String(gpus) } : {}) } },
  ...more,
})
const requestsOf = (containers: Container[], initContainers: Container[] = []) => {
  const { requests, mappings } = extendedRequests(aPod({ containers, initContainers }).pod, [GPU], (name) =>
    name === GPU ? classOf('gpu', '') : undefined,
  )
  return {
    requests: requests.map(({ name, exactly }) => `${name} ${exactly?.count} ${exactly?.deviceClassName}`),
    mappings: mappings.map(({ containerName, requestName }) => `${containerName} ${requestName}`),
  }
}

it('knows the class of a resource: the youngest, then the first by name, and each by its own name', () => {
  const found = classesByResource([
    classOf('b', '2026-01-01T00:00:00Z', GPU),
    classOf('old', '2025-01-01T00:00:00Z', GPU),
    classOf('a', '2026-01-01T00:00:00Z', GPU),
    classOf('plain', '2026-01-01T00:00:00Z'),
  ])
  expect(found.get(GPU)?.metadata.name).toBe('a')
  expect(found.get('deviceclass.resource.kubernetes.io/old')?.metadata.name).toBe('old')
  expect(found.get('deviceclass.resource.kubernetes.io/plain')?.metadata.name).toBe('plain')
})
it('asks for the devices of each container', () => {
  expect(requestsOf([container('a', 2), container('b', 0), container('c', 1)])).toEqual({
    requests: ['container-0-request-1 2 gpu', 'container-2-request-1 1 gpu'],
    mappings: ['a container-0-request-1', 'c container-2-request-1'],
  })
})
it('lets init containers that end have the devices of those that come later', () => {
  expect(requestsOf([container('main', 2)], [container('init', 1)])).toEqual({
    requests: ['container-1-request-1 2 gpu'],
    mappings: ['main container-1-request-1', 'init container-1-request-1'],
  })
  expect(requestsOf([container('main', 1)], [container('first', 2), container('second', 4)])).toEqual({
    requests: ['container-1-request-1 3 gpu', 'container-2-request-1 1 gpu'],
    mappings: [
      'main container-2-request-1',
      'first container-2-request-1',
      'first container-1-request-1',
      'second container-2-request-1',
      'second container-1-request-1',
    ],
  })
  const sidecar = container('side', 1, { restartPolicy: 'Always' })
  expect(requestsOf([container('main', 1)], [sidecar]).requests).toEqual([
    'container-0-request-1 1 gpu',
    'container-1-request-1 1 gpu',
  ])
})
it('leaves nodes that have none of it themselves to the rule for devices', () => {
  const sources = {
    ...NO_SOURCES,
    classForResource: (name: string) => (name === GPU ? classOf('gpu', '') : undefined),
  }
  const has = aNode('has', { status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10', [GPU]: '1' } } })
  const cluster = clusterOf([has, aNode('none')], [], sources)
  const work = nodeResourcesFit.filter?.(asking({ [GPU]: '2' }), cluster)
  if (!work || isRejection(work)) throw new Error('no work')
  const reasons = cluster.nodes.map((node) => work.filter(node)?.reasons)
  expect(reasons).toEqual([[`Insufficient ${GPU}`], undefined])
  const other = nodeResourcesFit.filter?.(asking({ 'example.com/other': '2' }), cluster)
  if (!other || isRejection(other)) throw new Error('no work')
  expect(cluster.nodes.map((node) => other.filter(node) !== undefined)).toEqual([true, true])
  // The same pod is looked at anew where a class comes to stand for what it asks for.
  const before = nodeResourcesFit.filter?.(asking({ [GPU]: '2' }), clusterOf([has]))
  expect(before && !isRejection(before) && before.key).not.toBe(work.key)
  const event = { kind: 'object', of: 'DeviceClass', object: classOf('gpu', '', GPU), isGone: false } as const
  expect(nodeResourcesFit.mayHelp?.(event, asking({ [GPU]: '2' }))).toBe(true)
  expect(nodeResourcesFit.mayHelp?.(event, asking({ cpu: '2' }))).toBe(false)
})
