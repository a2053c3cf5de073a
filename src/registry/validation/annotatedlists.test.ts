// Faults of lists in annotations, as kube-apiserver 1.36.3 tells them.
import { expect, it } from 'vitest'
import type { StatusCause } from '../../machinery/status.ts'
import { annotatedTolerations, nodeAnnotations } from './annotatedlists.ts'
import { Spot } from './spot.ts'

const TOLERATIONS = 'scheduler.alpha.kubernetes.io/tolerations'
const TAINTS = 'scheduler.alpha.kubernetes.io/taints'
const AVOID = 'scheduler.alpha.kubernetes.io/preferAvoidPods'
const NO_KEY = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'

function told(rule: (annotations: Spot) => void, key: string, value: string): string[] {
  const causes: StatusCause[] = []
  rule(Spot.of({ at: { [key]: value } }, causes).at('at'))
  return causes.map(({ field, message }) => `${field}: ${message}`)
}

it.each([
  [TOLERATIONS, '[]', []],
  [TOLERATIONS, 'null', []],
  [TOLERATIONS, '[{"key":"a","other":1}]', []],
  [
    TOLERATIONS,
    'x',
    [`at: Invalid value: "${TOLERATIONS}": invalid character 'x' looking for beginning of value`],
  ],
  [
    TOLERATIONS,
    '{}',
    [
      `at: Invalid value: "${TOLERATIONS}": json: cannot unmarshal object into Go value of type []core.Toleration`,
    ],
  ],
  [
    TOLERATIONS,
    '[1]',
    [
      `at: Invalid value: "${TOLERATIONS}": json: cannot unmarshal number into Go value of type core.Toleration`,
    ],
  ],
  [
    TOLERATIONS,
    '[{"key":1}]',
    [
      `at: Invalid value: "${TOLERATIONS}": json: cannot unmarshal number into Go struct field Toleration.Key of type string`,
    ],
  ],
  [TOLERATIONS, '[{}]', [`at.${TOLERATIONS}[0].operator: Invalid value: "": ${NO_KEY}`]],
  [
    TOLERATIONS,
    '[{"Key":"a","Operator":"Foo"}]',
    [`at.${TOLERATIONS}[0].operator: Unsupported value: "Foo": supported values: "Equal", "Exists"`],
  ],
  [TAINTS, '[{"key":"a","effect":"NoExecute"}]', []],
  [TAINTS, '[{"key":"a"}]', [`at.${TAINTS}[0].effect: Required value`]],
  [AVOID, '{}', []],
  [
    AVOID,
    '[]',
    [
      `at.AvoidPods: Invalid value: "${AVOID}": json: cannot unmarshal array into Go value of type v1.AvoidPods`,
    ],
  ],
  [AVOID, '{"preferAvoidPods":[{}]}', [`at.${AVOID}[0].PodSignature: Required value`]],
  [
    AVOID,
    '{"preferAvoidPods":[{"podSignature":{"podController":{"controller":false}}}]}',
    [
      `at.${AVOID}[0].PodSignature.PodController.Controller: Invalid value: false: must point to a controller`,
    ],
  ],
])('%s: %s', (key, value, causes) => {
  expect(told(key === TOLERATIONS ? annotatedTolerations : nodeAnnotations, key, value)).toEqual(causes)
})
