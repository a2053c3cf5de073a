import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../machinery/json.ts'
import { builtinResources } from '../schema/resources.ts'
import type { Resource } from '../schema/resource.ts'
import { sameAt, semanticEqual } from './equality.ts'

describe('semanticEqual', () => {
  it.each<[Json | undefined, Json | undefined, boolean]>([
    [undefined, null, true],
    [undefined, {}, true],
    [null, [], true],
    [{ a: [] }, {}, true],
    [{ a: 0 }, {}, false],
    [[1, 2], [2, 1], false],
    [{ constructor: 1 }, {}, false],
  ])('%j and %j: %s', (a, b, same) => {
    expect([semanticEqual(a, b), semanticEqual(b, a)]).toEqual([same, same])
  })
})

describe('sameAt', () => {
  const kind = (name: string, group: string): Resource =>
    builtinResources().find((resource) => resource.name === name && resource.group === group) as Resource
  const deployments = kind('deployments', 'apps')
  const pod = (spec: JsonObject): JsonObject => ({ spec: { template: { spec } } })
  const container = (rest: JsonObject): JsonObject => pod({ containers: [{ name: 'c', ...rest }] })

  it.each<[string, JsonObject, JsonObject, boolean]>([
    ['an empty struct behind a pointer and none', pod({ affinity: {} }), pod({}), false],
    ['the same in an item', container({ lifecycle: {} }), container({}), false],
    ['an empty struct in its place and none', container({ resources: {} }), container({}), true],
    ['an empty map and none', pod({ nodeSelector: {} }), pod({}), true],
    ['an empty list and none', pod({ volumes: [] }), pod({}), true],
    ['a pointer to false and none', pod({ hostUsers: false }), pod({}), false],
    ['another key of a map', pod({ nodeSelector: { a: 'b' } }), pod({ nodeSelector: { c: 'b' } }), false],
    ['an item more', container({}), pod({ containers: [{ name: 'c' }, { name: 'd' }] }), false],
    [
      'keys in another order',
      pod({ nodeName: 'n', hostname: 'h' }),
      pod({ hostname: 'h', nodeName: 'n' }),
      true,
    ],
  ])('%s', (_what, a, b, same) => {
    expect([sameAt(deployments, ['spec'], [a, b]), sameAt(deployments, ['spec'], [b, a])]).toEqual([
      same,
      same,
    ])
  })

  it('looks at the path alone, and below it at what the stored version has there', () => {
    expect(sameAt(deployments, ['spec', 'template'], [{ spec: { replicas: 1 } }, {}])).toBe(true)
    expect(sameAt(deployments, ['constructor'], [{}, {}])).toBe(true)
  })

  it('tells any JSON from none', () => {
    const definitions = kind('customresourcedefinitions', 'apiextensions.k8s.io')
    const withSchema = (schema: JsonObject): JsonObject => ({
      spec: { versions: [{ schema: { openAPIV3Schema: schema } }] },
    })
    expect(sameAt(definitions, ['spec'], [withSchema({ default: {} }), withSchema({})])).toBe(false)
    expect(sameAt(definitions, ['spec'], [withSchema({ not: {} }), withSchema({})])).toBe(false)
    expect(sameAt(definitions, ['spec'], [withSchema({ required: [] }), withSchema({})])).toBe(true)
  })
})
