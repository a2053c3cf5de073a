import { describe, expect, it } from 'vitest'
import type { Node, NodeSelectorRequirement, Toleration } from './kinds/core.v1.gen.ts'
import { matchesNode, tolerates } from './nodefit.ts'

const node: Node = {
  metadata: { name: 'n', labels: { os: 'linux', cores: '8' } },
  spec: {},
  status: {} as Node['status'],
}

describe('a node that a pod asks for', () => {
  const asks = (term: object): boolean => {
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
    return matchesNode({ containers: [], affinity: { nodeAffinity: required } }, node)
  }
  it.each<[NodeSelectorRequirement, boolean]>([
    [{ key: 'os', operator: 'In', values: ['linux', 'bsd'] }, true],
    [{ key: 'os', operator: 'NotIn', values: ['linux'] }, false],
    [{ key: 'zone', operator: 'NotIn', values: ['a'] }, true],
    [{ key: 'toString', operator: 'Exists' }, false],
    [{ key: 'zone', operator: 'DoesNotExist' }, true],
    [{ key: 'cores', operator: 'Gt', values: ['7'] }, true],
    [{ key: 'cores', operator: 'Lt', values: ['8'] }, false],
    [{ key: 'os', operator: 'Gt', values: ['7'] }, false],
  ])('%j: %s', (requirement, expected) => {
    expect(asks({ matchExpressions: [requirement] })).toBe(expected)
  })

  it('may be named, must meet all of a term, and is not met by an empty one', () => {
    const named = { key: 'metadata.name', operator: 'In', values: ['n'] }
    expect(asks({ matchFields: [named] })).toBe(true)
    expect(asks({ matchFields: [named], matchExpressions: [{ key: 'x', operator: 'Exists' }] })).toBe(false)
    expect(asks({})).toBe(false)
    expect(matchesNode({ containers: [], nodeSelector: { os: 'bsd' } }, node)).toBe(false)
  })
})

it.each<[Toleration, boolean]>([
  [{ key: 'k', operator: 'Equal', value: 'v' }, true],
  [{ key: 'k', value: 'w' }, false],
  [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }, true],
  [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }, false],
  [{ operator: 'Exists' }, true],
  [{ key: 'other', operator: 'Exists' }, false],
])('%j bears the taint: %s', (toleration, expected) => {
  expect(tolerates([toleration], { key: 'k', value: 'v', effect: 'NoSchedule' })).toBe(expected)
})
