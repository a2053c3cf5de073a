// Limits and quotas; the expected texts are those of a kube-apiserver 1.36.3.
import { expect, test } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { quotaWarnings } from '../warnings/others.ts'
import { validateQuota } from './limits.ts'

const quota = (spec: JsonObject): KubeObject => ({ metadata: { name: 'q' }, spec }) as KubeObject
const faults = (spec: JsonObject): string[] =>
  validateQuota(quota(spec)).map(({ field, message }) => `${field}: ${message}`)
const selected = (hard: JsonObject, ...scopes: string[]): string[] =>
  faults({
    hard,
    scopeSelector: { matchExpressions: scopes.map((scopeName) => ({ scopeName, operator: 'Exists' })) },
  })

test('what a scope cannot count is refused, however the scope is given', () => {
  const at = 'spec.scopeSelector.matchExpressions'
  const shown = '{"MatchExpressions":[{"ScopeName":"BestEffort","Operator":"Exists","Values":null}]}'
  expect(selected({ pods: '1', cpu: '1' }, 'BestEffort')).toEqual([
    `${at}: Invalid value: ${shown}: unsupported scope applied to resource`,
  ])
  expect(selected({ pods: '1', 'count/pods': '1' }, 'BestEffort')).toEqual([])
  expect(faults({ hard: { cpu: '1' }, scopes: ['BestEffort'] })).toEqual([
    'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
  ])
})

test('scopes that exclude each other show spec.scopes', () => {
  expect(selected({ pods: '1' }, 'BestEffort', 'NotBestEffort')).toEqual([
    'spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes',
  ])
})

test('requests above limits are warned of', () => {
  const warned = (hard: JsonObject): string[] => [...quotaWarnings(quota({ hard }), undefined)]
  expect(warned({ 'requests.cpu': '3', 'limits.cpu': '1' })).toEqual([
    'ResourceQuota requests.cpu (3) should be less than limits.cpu (1)',
  ])
  expect(warned({ memory: '2Gi', 'limits.memory': '1Gi' })).toEqual([
    'ResourceQuota memory (2Gi) should be less than limits.memory (1Gi)',
  ])
  expect(warned({ 'requests.cpu': '1', 'limits.cpu': '1', 'ephemeral-storage': '5' })).toEqual([])
})
