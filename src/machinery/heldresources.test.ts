// What counts of a pod's resources while they change.
import { expect, it } from 'vitest'
import { heldSpec } from './heldresources.ts'
import type { JsonObject } from './json.ts'

const list = (cpu: string): JsonObject => ({ cpu })
const spec = (cpu: string): JsonObject => ({
  containers: [{ name: 'a', resources: { requests: list(cpu), limits: list(cpu) } }],
})
const status = (granted: string, actual: string, more: JsonObject = {}): JsonObject => ({
  containerStatuses: [
    {
      name: 'a',
      allocatedResources: list(granted),
      resources: { requests: list(actual), limits: list(actual) },
    },
  ],
  ...more,
})
const refused = { conditions: [{ type: 'PodResizePending', reason: 'Infeasible' }] }
const held = (cpu: string, limit = cpu): JsonObject => ({
  containers: [{ name: 'a', resources: { requests: list(cpu), limits: list(limit) } }],
})

it.each([
  ['nothing known', spec('1'), {}, spec('1')],
  ['all the same', spec('1'), status('1', '1'), spec('1')],
  ['more is asked for', spec('2'), status('1', '1'), held('2')],
  ['less is asked for, and not granted yet', spec('500m'), status('1', '1'), held('1')],
  ['less is granted, and not in force yet', spec('500m'), status('500m', '1'), held('1')],
  ['more is granted than is in force', spec('500m'), status('2', '1'), held('2', '1')],
  ['what is asked for is never granted', spec('8'), status('1', '1', refused), held('1')],
])('%s', (_, asked, told, expected) => {
  const found = heldSpec(asked, told)
  expect(found).toEqual(expected)
})

it('leaves alone what is as it is asked for', () => {
  const asked = spec('1')
  expect(heldSpec(asked, status('1', '1'))).toBe(asked)
})

it('counts sidecars and the pod as a whole, and not those that prepare it', () => {
  const inits = [
    { name: 'side', restartPolicy: 'Always', resources: { requests: list('1') } },
    { name: 'once', resources: { requests: list('1') } },
  ]
  const told = (name: string): JsonObject => ({
    name,
    allocatedResources: list('2'),
    resources: { requests: list('2') },
  })
  const found = heldSpec(
    { containers: [], initContainers: inits, resources: { requests: list('3') } },
    {
      initContainerStatuses: [told('once'), told('side')],
      allocatedResources: list('4'),
      resources: { requests: list('4') },
    },
  )
  expect(found).toMatchObject({
    initContainers: [{ resources: { requests: list('2') } }, { resources: { requests: list('1') } }],
    resources: { requests: list('4') },
  })
})
