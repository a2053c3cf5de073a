import { expect, it } from 'vitest'
import type { ListType, StructType, Type } from '../type.ts'
import { reconcileSet } from './reconcile.ts'

const text: Type = { kind: 'string' }
const list = (listType: ListType['listType']): Type => ({ kind: 'list', listType, mapKeys: [], item: text })
function struct(fields: Record<string, Type>): StructType {
  const all = Object.entries(fields).map(([name, type]) => ({ name, type }))
  return {
    kind: 'struct',
    fields: all,
    byName: new Map(all.map((field) => [field.name, field])),
  } as unknown as StructType
}

it('makes one field of what is atomic now, and keeps the rest as it is', () => {
  const type = struct({ set: list('set'), whole: list('atomic'), text })
  const granular = {
    'f:set': { 'v:"a"': {} },
    'f:whole': { '.': {}, 'v:"a"': {} },
    'f:text': {},
    'f:gone': { 'f:x': {} },
  }
  expect(reconcileSet(type, granular)).toEqual({ ...granular, 'f:whole': {} })
  const today = { 'f:set': { 'v:"a"': {} }, 'f:whole': {} }
  expect(reconcileSet(type, today)).toBe(today)
})
