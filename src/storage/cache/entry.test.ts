import { expect, it } from 'vitest'
import { Entry } from './entry.ts'

const KEY = { key: '/registry/configmaps/a/b', namespace: 'a', name: 'b' }

it.each([
  ['"name":"b",|"creationTimestamp":null', 'before creationTimestamp'],
  ['"name":"b","uid":"u",|"generation":3,"creationTimestamp":"t"', 'before generation'],
  ['|"labels":{"generation":"1"}', 'first, where there is neither'],
])('puts the resourceVersion into {%s}: %s', (metadata) => {
  const text = `{"kind":"K","apiVersion":"v1","metadata":{${metadata}},"data":{"generation":"2"}}`
  const stored = Buffer.from(text.replace('|', ''))
  const entry = new Entry(KEY, 7, stored)
  expect(entry.line.toString()).toBe(`${text.replace('|', '"resourceVersion":"7",')}\n`)
  expect(entry.storedBytes()).toEqual(stored)
  expect(entry.holds(stored)).toBe(true)
  expect(entry.at(8).object().metadata.resourceVersion).toBe('8')
})
