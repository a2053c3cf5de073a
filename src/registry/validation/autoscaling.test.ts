// Rules of autoscalers; the messages are those that kube-apiserver 1.36.3 gave.
import { expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { WriteContext } from '../strategy.ts'
import { validateAutoscaler, validateAutoscalerUpdate } from './autoscaling.ts'

const CONTEXT = { subresource: '' } as unknown as WriteContext

const causes = (behavior: JsonObject): string[] => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
  const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } }
  const spec = { maxReplicas: 3, scaleTargetRef, metrics: [{ type: 'Resource', resource }], behavior }
  const object = { metadata: { name: 'a', namespace: 'n' }, spec } as unknown as KubeObject
  return validateAutoscaler(object, CONTEXT).map(({ field, message }) => `${field}: ${message}`)
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

/** An autoscaler of a target, which looks at an object of `described`. */
function autoscaler(target: JsonObject, described = 'v1', minReplicas = 1): KubeObject {
  const object = {
    describedObject: { apiVersion: described, kind: 'Service', name: 'front' },
    metric: { name: 'hits' },
    target: { type: 'Value', value: '10' },
  }
  const metrics = [{ type: 'Object', object }]
  const spec = { minReplicas, maxReplicas: 3, scaleTargetRef: { name: 'web', ...target }, metrics }
  return { metadata: { name: 'a', namespace: 'n' }, spec } as unknown as KubeObject
}
const faults = (object: KubeObject, old?: KubeObject): string[] =>
  (old ? validateAutoscalerUpdate(object, old, CONTEXT) : validateAutoscaler(object, CONTEXT)).map(
    ({ field, message }) => `${field}: ${message}`,
  )

it('lets ReplicationControllers alone be targets of the core group', () => {
  expect(faults(autoscaler({ apiVersion: 'v1', kind: 'ReplicationController' }))).toEqual([])
  expect(faults(autoscaler({ kind: 'ReplicationController' }))).toEqual([])
  expect(faults(autoscaler({ apiVersion: 'v1', kind: 'Deployment' }))).toEqual([
    'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
  ])
})

it('takes any version of an object that is looked at, but no text that is none', () => {
  const target = { apiVersion: 'apps/v1', kind: 'Deployment' }
  const fault =
    'spec.metrics[0].object.describedObject.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'
  expect(faults(autoscaler(target, 'v1'))).toEqual([])
  expect(faults(autoscaler(target, 'a/b/c'))).toEqual([fault])
  expect(faults(autoscaler(target, 'a/b/c'), autoscaler(target))).toEqual([fault])
})

it('asks nothing anew of what stays', () => {
  const old = { ...autoscaler({ apiVersion: 'v1', kind: 'Deployment' }, 'a/b/c', 0) }
  expect(faults(autoscaler({ apiVersion: 'v1', kind: 'Deployment' }, 'a/b/c', 0), old)).toEqual([])
  expect(faults(autoscaler({ apiVersion: 'v1', kind: 'StatefulSet' }), old)).toEqual([
    'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
  ])
})
