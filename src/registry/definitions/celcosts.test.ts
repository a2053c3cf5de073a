// What rules may cost at worst. The factors are those of kube-apiserver 1.36.3, asked the same.
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../machinery/json.ts'
import { celCauses } from './celrules.ts'

const text = (maxLength?: number): JsonObject => ({ type: 'string', ...(maxLength && { maxLength }) })
const list = (items: JsonObject, maxItems?: number): JsonObject => ({
  type: 'array',
  items,
  ...(maxItems && { maxItems }),
})
const under = (rule: string, properties: JsonObject): JsonObject => ({
  type: 'object',
  properties,
  'x-kubernetes-validations': [{ rule }],
})
const root = (spec: JsonObject): JsonObject => ({ type: 'object', properties: { spec } })
const HINT =
  ' (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'

const messages = (schema: JsonObject, isKnown = false): string[] =>
  celCauses(schema, 'openAPIV3Schema', { isKnown, isFaulty: () => false }).map(
    ({ field, message }) => `${field}: ${message}`,
  )

/** The factor by which the only rule is too costly; "" where it is not. */
function factor(schema: JsonObject): string {
  const [first = ''] = messages(schema)
  return /: Forbidden: estimated rule cost exceeds budget by factor of (.*) \(/.exec(first)?.[1] ?? first
}

describe('the cost of a rule', () => {
  const free = { list: list(text()), str: text(), other: text() }
  const bound = { list: list(text(300), 100), str: text(10_000), other: text(10_000) }
  it.each([
    ['self.list.all(x, x.size() < 5)', free, ''],
    ['self.list.all(x, self.list.all(y, x != y))', free, 'more than 100x'],
    ['self.list.all(x, self.list.all(y, x != y))', bound, ''],
    ['self.str.contains(self.other)', free, 'more than 100x'],
    ['self.str.contains(self.other)', bound, '1.6x'],
    ['self.str.matches(self.other)', bound, '4.0x'],
    ['self.str.matches("^[a-z]+$")', bound, ''],
    ['self.str == oldSelf.str', free, ''],
  ])('%s is what the sizes of its data allow', (rule, properties, expected) => {
    expect(factor(root(under(rule, properties)))).toBe(expected)
  })

  it('is multiplied by how often its data can occur', () => {
    const rule = 'self.str.matches("^[a-z]+$")'
    expect(factor(root(list(under(rule, bound), 1300)))).toBe('1.040520x')
    expect(factor(root(list(under(rule, bound))))).toBe('more than 100x')
    expect(factor(root(list(under(rule, bound), 10)))).toBe('')
  })

  it('is not held against a schema that is stored already', () => {
    const schema = root(under('self.str.contains(self.other)', bound))
    expect(messages(schema)).toHaveLength(1)
    expect(messages(schema, true)).toEqual([])
  })
})

describe('the cost of all rules', () => {
  it('is bounded, too, and its largest parts are named', () => {
    const rules = Array.from({ length: 20 }, () => ({ rule: 'self.matches("^[a-z]+$")' }))
    const schema = root(list({ ...text(2000), 'x-kubernetes-validations': rules }, 4000))
    const found = messages(schema)
    expect(found).toHaveLength(5)
    const rule = 'openAPIV3Schema.properties[spec].items.x-kubernetes-validations[0].rule'
    const why = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
    expect(found[0]).toBe(`${rule}: Forbidden: ${why}`)
    const total = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    expect(found[4]).toBe(`openAPIV3Schema: Forbidden: ${total} exceeds budget by factor of 1.282400x${HINT}`)
  })
})
