import { expect, it } from 'vitest'
import type { KubeObject } from '../machinery/object.ts'
import type { ServiceAllocators } from './allocators.ts'
import { objectAt, objectsAt } from './reading.ts'
import { takePorts } from './serviceports.ts'

const draws = (...ports: number[]): ServiceAllocators =>
  ({ nextPort: () => ports.shift(), takePort: () => undefined }) as unknown as ServiceAllocators

it('draws other ports for a dry run than the Service has, though none is held for it', () => {
  const service: KubeObject = {
    metadata: { name: 'a' },
    spec: {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      ports: [
        { name: 'a', port: 80, nodePort: 30000 },
        { name: 'b', port: 81 },
        { name: 'c', port: 82 },
      ],
    },
  }
  const taken = { addresses: [], ports: [] }
  const allocators = draws(30000, 30001, 30001, 30000, 30002, 30002, 30003)
  takePorts(service, { type: 'ClusterIP' }, { allocators, taken, dryRun: true })
  const spec = objectAt(service['spec'])
  expect(objectsAt(spec['ports']).map(({ nodePort }) => nodePort)).toEqual([30000, 30001, 30002])
  expect(spec['healthCheckNodePort']).toBe(30003)
  expect(taken.ports).toEqual([])
})
