// The token file: its format, its faults, and how fast a known token is found.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseCsv } from './csv.ts'
import { tokenFile } from './tokenfile.ts'

const AUDIENCES = ['https://kubernetes.default.svc']
let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tokens-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const fileOf = (text: string): string => {
  const path = join(dir, 'tokens.csv')
  writeFileSync(path, text)
  return path
}

test('users with uid and quoted groups', () => {
  const tokens = tokenFile(
    fileOf('secret,admin,admin,"system:masters"\nt2,jane,,"a,b"\n\nt3,"o""neil",7\r\n'),
    AUDIENCES,
  )
  const user = (token: string): unknown => tokens.authenticateToken(token, AUDIENCES)
  expect(user('secret')).toEqual({
    user: { name: 'admin', uid: 'admin', groups: ['system:masters'] },
    audiences: AUDIENCES,
  })
  expect(user('t2')).toMatchObject({ user: { name: 'jane', groups: ['a', 'b'] } })
  expect(user('t3')).toMatchObject({ user: { name: 'o"neil', uid: '7', groups: [] } })
  expect(user('t2')).toBe(user('t2'))
  for (const wrong of ['', 'secre', 'secret2', 'SECRET', '__proto__', 'constructor']) {
    expect(user(wrong)).toBeUndefined()
  }
})

test('other audiences: those that the server has, or nobody', () => {
  const tokens = tokenFile(fileOf('secret,admin,admin\n'), AUDIENCES)
  expect(tokens.authenticateToken('secret', ['x'])).toBeUndefined()
  expect(tokens.authenticateToken('secret', ['x', ...AUDIENCES])).toMatchObject({ audiences: AUDIENCES })
})

test('empty and repeated tokens are told; the last of equal ones counts', () => {
  const heard: string[] = []
  const path = fileOf(',nobody,1\nt,first,1\nt,last,2\n')
  const tokens = tokenFile(path, AUDIENCES, (message) => heard.push(message))
  expect(heard).toEqual([
    `empty token has been found in token file '${path}', record number '1'`,
    `duplicate token has been found in token file '${path}', record number '3'`,
  ])
  expect(tokens.authenticateToken('t', AUDIENCES)).toMatchObject({ user: { name: 'last' } })
})

test.each([
  ['too few columns', 'a,b\n', /must have at least 3 columns \(token, user name, user uid\), found 2/],
  ['a quote inside', 'a,b"c,d\n', /parse error on line 1, column 4: bare " in non-quoted field/],
  ['an open quote', 'a,b,c\na,"b\n', /line 3, column 1: extraneous or missing " in quoted-field/],
])('%s is one clear line', (_, text, message) => {
  expect(() => tokenFile(fileOf(text), AUDIENCES)).toThrow(message)
})

test('a missing file is one clear line', () => {
  expect(() => tokenFile(join(dir, 'none'), AUDIENCES)).toThrow(
    /cannot read the token file .*none: no such file/,
  )
})

describe('csv', () => {
  test.each([
    ['', []],
    ['a', [['a']]],
    [
      'a,\n,',
      [
        ['a', ''],
        ['', ''],
      ],
    ],
    ['"a\nb",c\r\nd', [['a\nb', 'c'], ['d']]],
    [' a , "', undefined],
    ['""', [['']]],
  ])('%j', (text, records) => {
    if (records === undefined) expect(() => parseCsv(text)).toThrow(/bare/)
    else expect(parseCsv(text)).toEqual(records)
  })
})
