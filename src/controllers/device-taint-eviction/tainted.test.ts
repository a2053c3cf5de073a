// When devices have to be left.
import { expect, it } from 'vitest'
import type {
  DeviceTaint,
  DeviceToleration,
  ResourceClaim,
  ResourceSlice,
} from '../../client/kinds/resource.v1.gen.ts'
import { evictionOf, poolOfSlice } from './tainted.ts'

const TAINT: DeviceTaint = { key: 'k', value: 'v', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }
const ADDED = Date.parse('2026-01-01T00:00:00Z')
const slice = (generation: number, ...taints: DeviceTaint[]): ResourceSlice =>
  ({
    metadata: { name: `g${generation}` },
    spec: {
      driver: 'd',
      pool: { name: 'p', generation, resourceSliceCount: 1 },
      devices: [{ name: 'x' }, { name: 'y', taints }],
    },
  }) as ResourceSlice
const claim = (device: string, ...tolerations: DeviceToleration[]): ResourceClaim =>
  ({
    metadata: { name: 'c' },
    spec: {},
    status: {
      allocation: { devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device, tolerations }] } },
    },
  }) as ResourceClaim
const BEARS = { key: 'k', operator: 'Exists', effect: 'NoExecute' }

it.each<[string, ResourceClaim, ResourceSlice[], number | undefined]>([
  ['a device without taints', claim('x'), [slice(1, TAINT)], undefined],
  ['a tainted one', claim('y'), [slice(1, TAINT)], ADDED],
  ['one that was tainted', claim('y'), [slice(1, TAINT), slice(2)], undefined],
  ['one with a taint for others', claim('y'), [slice(1, { ...TAINT, effect: 'NoSchedule' })], undefined],
  ['one whose taint is borne', claim('y', BEARS), [slice(1, TAINT)], undefined],
  [
    'one whose value is borne',
    claim('y', { ...BEARS, operator: 'Equal', value: 'v' }),
    [slice(1, TAINT)],
    undefined,
  ],
  ['one of another value', claim('y', { ...BEARS, operator: 'Equal', value: 'w' }), [slice(1, TAINT)], ADDED],
  ['one that is borne for another effect', claim('y', { operator: 'Exists' }), [slice(1, TAINT)], ADDED],
  [
    'one that is borne for a while',
    claim('y', { ...BEARS, tolerationSeconds: 5 }, { ...BEARS, tolerationSeconds: 3 }),
    [slice(1, TAINT)],
    ADDED + 3000,
  ],
  [
    'one of two taints',
    claim('y', { ...BEARS, tolerationSeconds: 5 }),
    [slice(1, TAINT, { ...TAINT, key: 'l' })],
    ADDED,
  ],
  ['a device that is unknown', claim('z'), [slice(1, TAINT)], undefined],
  ['a pool that is unknown', claim('y'), [], undefined],
])('%s', (_what, one, slices, at) => {
  expect(evictionOf(one, (pool) => slices.filter((has) => poolOfSlice(has) === pool))).toBe(at)
})
