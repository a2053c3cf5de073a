// Compares the OpenAPI documents of the whole release with the published ones, where ../shared is there.
// Left out of the comparison: prose, the enums (the published documents are made without them, servers have them),
// CBOR (published, but off in servers), and the order of lists that are sets.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isObject, type Json, type JsonObject } from '../../machinery/json.ts'
import { packageRoot } from '../../schema/facts.ts'
import { releasedResources } from '../../schema/resources.ts'
import { documentsOf } from './documents.ts'
import { renderV2, renderV3 } from './render.ts'

const folder = join(packageRoot(), '../shared/upstream/openapi')
const present = existsSync(folder)
const VERSION = 'unversioned'
const PROPERTY_MAPS = new Set(['properties', 'schemas', 'definitions'])

/** `names` tells that the keys are names of the API, not words of OpenAPI. */
function normal(value: Json, parameters: JsonObject, names = false): Json {
  if (Array.isArray(value)) return value.map((one) => normal(one, parameters))
  if (!isObject(value)) return value
  const reference = value['$ref']
  if (typeof reference === 'string' && reference.startsWith('#/parameters/')) {
    return normal(parameters[reference.slice('#/parameters/'.length)] ?? null, parameters)
  }
  const result: JsonObject = {}
  for (const key of Object.keys(value).sort()) {
    const inner = value[key] ?? null
    if (!names && ((key === 'description' && typeof inner === 'string') || key === 'enum')) continue
    if (key.includes('cbor')) continue
    const isSet =
      !names && ['required', 'produces', 'consumes', 'x-kubernetes-group-version-kind'].includes(key)
    const clean = normal(inner, parameters, PROPERTY_MAPS.has(key) && !names)
    result[key] = isSet && Array.isArray(clean) ? sortedSet(clean) : clean
  }
  // Beside a description a reference is wrapped.
  const { allOf, ...rest } = result
  return Array.isArray(allOf) && Object.keys(rest).length === 0 ? (allOf[0] ?? null) : result
}

function sortedSet(list: readonly Json[]): Json[] {
  const texts = list.map((one) => JSON.stringify(one)).filter((one) => !one.includes('cbor'))
  return texts.sort().map((one) => JSON.parse(one) as Json)
}

function published(file: string): Json {
  const document = JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonObject
  const parameters = isObject(document['parameters']) ? document['parameters'] : {}
  delete document['parameters']
  return normal(document, parameters)
}

describe.skipIf(!present)('OpenAPI of the release (needs ../shared)', () => {
  const documents = present ? documentsOf(releasedResources()) : new Map<never, never>()

  it.each([...documents.keys()])('v3 %s is the published one', (name) => {
    const items = documents.get(name)?.paths() ?? []
    const file = `v3/${name.replaceAll('/', '__')}_openapi.json`
    expect(normal(renderV3(items, { version: VERSION }), {})).toEqual(published(file))
  })

  it('v2 is the published one', () => {
    const items = [...documents.values()].flatMap((document) => document.paths())
    const theirs = published('swagger.json') as { paths: JsonObject }
    // Served by other parts of kube-apiserver than the API.
    delete theirs.paths['/logs/']
    delete theirs.paths['/logs/{logpath}']
    expect(normal(renderV2(items, { version: VERSION }), {})).toEqual(theirs)
  })
})
