// Rules of autoscalers; the messages are those that kube-apiserver 1.36.3 gave.
import { expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { WriteContext } from '../strategy.ts'
import { validateAutoscaler } from './autoscaling.ts'

const causes = (behavior: JsonObject): string[] => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
  const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } }
  const spec = { maxReplicas: 3, scaleTargetRef, metrics: [{ type: 'Resource', resource }], behavior }
  const object = { metadata: { name: 'a', namespace: 'n' }, spec } as unknown as KubeObject
  return validateAutoscaler(object, { subresource: '' } as unknown as WriteContext).map(
    ({ field, message }) => `${field}: ${message}`,
  )
}
const rules = (tolerance: string): JsonObject => ({
  policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }],
  tolerance,
})

it('wants tolerances from zero on', () => {
  expect(causes({ scaleUp: rules('0.1'), scaleDown: rules('0') })).toEqual([])
  expect(causes({ scaleUp: rules('-100m'), scaleDown: rules('-1') })).toEqual([
    'spec.behavior.scaleUp.tolerance: Invalid value: "-100m": must be greater than or equal to 0',
    'spec.behavior.scaleDown.tolerance: Invalid value: "-1": must be greater than or equal to 0',
  ])
})
