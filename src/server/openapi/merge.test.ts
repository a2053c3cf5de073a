import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import { merged } from './merge.ts'

const prefix = '/apis/g/v1/'
const refer = (name: string): JsonObject => ({ get: { schema: { $ref: `#/definitions/${name}` } } })
const kind = (group: string): JsonObject => ({ group, version: 'v1', kind: 'K' })
const KINDS = 'x-kubernetes-group-version-kind'

describe('merged', () => {
  const own = {
    swagger: '2.0',
    paths: { '/version/': refer('Info') },
    definitions: { Info: { type: 'object' }, Same: { type: 'string', [KINDS]: [kind('a')] } },
  }

  it('takes the paths of the version, and what they use of definitions and parameters', () => {
    const document = {
      paths: {
        [`${prefix}things`]: { ...refer('Thing'), parameters: [{ $ref: '#/parameters/pretty' }] },
        '/version/': refer('Other'),
      },
      definitions: {
        Thing: { properties: { part: { $ref: '#/definitions/Part' } } },
        Part: { properties: { whole: { $ref: '#/definitions/Thing' } } },
        Unused: {},
        Other: {},
      },
      parameters: { pretty: { in: 'query' }, other: {} },
    }
    const { paths, definitions, parameters } = merged(own, [{ document, prefix }])
    expect(paths).toEqual({ ...own.paths, [`${prefix}things`]: document.paths[`${prefix}things`] })
    const { Thing, Part } = document.definitions
    expect(definitions).toEqual({ ...own.definitions, Thing, Part })
    expect(parameters).toEqual({ pretty: { in: 'query' } })
    expect(own.definitions).not.toHaveProperty('Thing')
  })

  it('gives a definition another name where its own says something else', () => {
    const server = (type: string) => ({
      paths: { [`${prefix}${type}`]: refer('Info') },
      definitions: { Info: { type, items: { $ref: '#/definitions/Info' } } },
    })
    const foreign = ['array', 'list', 'array'].map((type) => ({ document: server(type), prefix }))
    const { paths, definitions } = merged(own, foreign)
    expect(definitions).toMatchObject({
      Info: { type: 'object' },
      Info_v2: { type: 'array', items: { $ref: '#/definitions/Info_v2' } },
      Info_v3: { type: 'list', items: { $ref: '#/definitions/Info_v3' } },
    })
    expect(paths).toMatchObject({ [`${prefix}list`]: refer('Info_v3') })
  })

  it('lets one definition stand for the kinds of several servers', () => {
    const document = {
      paths: { [`${prefix}x`]: refer('Same') },
      definitions: { Same: { type: 'string', [KINDS]: [kind('a'), kind('b')] } },
    }
    const { definitions } = merged(own, [{ document, prefix }])
    expect(definitions).toMatchObject({ Same: { [KINDS]: [kind('a'), kind('b')] } })
    expect(definitions).not.toHaveProperty('Same_v2')
  })

  it('survives what is no document', () => {
    const document = JSON.parse(
      `{"paths": {"${prefix}x": {"$ref": "#/definitions/__proto__", "a": [{"$ref": 1}, null]}}, "definitions": []}`,
    ) as JsonObject
    expect(merged(own, [{ document, prefix }])['definitions']).toEqual(own.definitions)
    expect(({} as JsonObject)['a']).toBeUndefined()
  })
})
