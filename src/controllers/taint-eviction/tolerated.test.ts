// How long pods may stay.
import { expect, it } from 'vitest'
import type { Taint, Toleration } from '../../client/kinds/core.v1.gen.ts'
import { toleratedMs } from './tolerated.ts'

const A: Taint = { key: 'a', value: 'x', effect: 'NoExecute' }
const B: Taint = { key: 'b', effect: 'NoExecute' }
const EXISTS = { operator: 'Exists' }

it.each<[string, Taint[], Toleration[], number | undefined]>([
  ['no taints', [], [], undefined],
  ['nothing tolerated', [A], [], 0],
  ['everything tolerated', [A, B], [EXISTS], undefined],
  ['another value', [A], [{ key: 'a', operator: 'Equal', value: 'y' }], 0],
  ['the same value', [A], [{ key: 'a', value: 'x' }], undefined],
  ['another effect', [A], [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }], 0],
  ['one of two', [A, B], [{ key: 'a', operator: 'Exists' }], 0],
  ['for a while', [A], [{ ...EXISTS, tolerationSeconds: 5 }], 5000],
  [
    'for the least',
    [A, B],
    [
      { key: 'a', ...EXISTS, tolerationSeconds: 5 },
      { key: 'b', ...EXISTS, tolerationSeconds: 3 },
    ],
    3000,
  ],
  ['for no time', [A], [{ ...EXISTS, tolerationSeconds: -1 }], 0],
  [
    'one for a while, one for ever',
    [A, B],
    [
      { key: 'a', ...EXISTS, tolerationSeconds: 5 },
      { key: 'b', ...EXISTS },
    ],
    5000,
  ],
])('%s', (_what, taints, tolerations, ms) => {
  expect(toleratedMs(taints, tolerations)).toBe(ms)
})
