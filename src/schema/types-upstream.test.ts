// Checks the type graph against upstream's fully populated objects, where ../shared is there.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseGroupVersion } from '../machinery/gvk.ts'
import { isObject, type Json, type JsonObject } from '../machinery/json.ts'
import { packageRoot } from './facts.ts'
import type { StructType, Type } from './type.ts'
import { typeForKind } from './types.ts'

const folder = join(packageRoot(), '../shared/upstream/roundtrip')
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []

function checkStruct(type: StructType, value: JsonObject, path: string): string[] {
  const order = new Map(type.fields.map((field, i) => [field.name, i]))
  let last = -1
  const own = Object.entries(value).flatMap(([key, inner]) => {
    const field = type.byName.get(key)
    const at = order.get(key) ?? -1
    if (field === undefined) return [`${path}.${key} is unknown`]
    const late = at < last ? [`${path}.${key} comes too early`] : []
    last = at
    return [...late, ...check(field.type, inner ?? null, `${path}.${key}`)]
  })
  const missing = type.fields.filter(({ name, omitEmpty }) => !omitEmpty && !Object.hasOwn(value, name))
  return [...own, ...missing.map(({ name }) => `${path}.${name} is missing, though never omitted`)]
}

function check(type: Type, value: Json, path: string): string[] {
  if (value === null) return []
  switch (type.kind) {
    case 'struct':
      return isObject(value) ? checkStruct(type, value, path) : [`${path} is no object`]
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((item) => check(type.item, item, `${path}[]`))
        : [`${path} is no list`]
    case 'map':
      return isObject(value)
        ? Object.values(value).flatMap((item) => check(type.value, item ?? null, `${path}{}`))
        : [`${path} is no map`]
    case 'any':
    case 'intOrString':
      return []
    case 'integer':
    case 'number':
      return typeof value === 'number' ? [] : [`${path} is no number`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} is no boolean`]
    default:
      return typeof value === 'string' ? [] : [`${path} is no string`]
  }
}

describe.skipIf(files.length === 0)(
  'the type graph on upstream’s populated objects (needs ../shared)',
  () => {
    it.each(files)('%s: every key known, in order, of its kind', (file) => {
      const object = JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonObject
      const kind = file.split('.').at(-2) ?? ''
      // WatchEvent carries no apiVersion.
      const gv = parseGroupVersion(typeof object['apiVersion'] === 'string' ? object['apiVersion'] : 'v1')
      const type = gv && typeForKind({ ...gv, kind })
      expect(type, kind).toBeDefined()
      expect(checkStruct(type as StructType, object, kind)).toEqual([])
    })
  },
)
