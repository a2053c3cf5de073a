import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { faultOf, MAX_HEADER_FIELDS, originForm } from './frontdoor.ts'

const request = (rawHeaders: readonly string[], minor = 1, major = 1): IncomingMessage =>
  ({ httpVersionMajor: major, httpVersionMinor: minor, rawHeaders }) as unknown as IncomingMessage

it.each([
  ['a host', ['HOST', 'x:6443']],
  ['an address', ['Host', '[::1]:6443']],
  ['no host by name', ['host', '']],
])('takes %s', (_, headers) => {
  expect(faultOf(request(headers))).toBeUndefined()
})

it.each([
  [400, request([])],
  [400, request(['host', 'a', 'Host', 'a'])],
  [400, request(['host', 'a/b'])],
  [400, request(['host', 'a\u00e4'])],
  [400, request(['host', 'x'], 9, 0)],
  [505, request(['host', 'x'], 0, 2)],
  [431, request(new Array<string>(MAX_HEADER_FIELDS * 2 + 2).fill('host'))],
])('refuses with %s', (code, asked) => {
  expect(faultOf(asked)?.code).toBe(code)
})

it.each([
  ['/a?b#c', '/a?b#c'],
  ['https://host:1/a?b', '/a?b'],
  ['HTTP://host', '/'],
  ['http://host?a', '/?a'],
  ['//host/a', '//host/a'],
  ['*', '*'],
  ['ftp://host/a', 'ftp://host/a'],
])('%s is %s', (url, path) => {
  expect(originForm(url)).toBe(path)
})
