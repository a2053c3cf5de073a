// Which controllers `--controllers` chooses.
import { describe, expect, it } from 'vitest'
import type { ControllerRow } from './row.ts'
import { chosenControllers, CONTROLLERS, missingControllers } from './controllers.ts'

const make = (): Promise<undefined> => Promise.resolve(undefined)
const ROWS: readonly ControllerRow[] = [
  { name: 'a-controller', alias: 'a', user: 'a', make },
  { name: 'b-controller', user: 'b', make },
  { name: 'off-controller', alias: 'off', user: 'off', offByDefault: true, make },
]
const chosen = (...words: string[]): string[] => chosenControllers(words, ROWS).map(({ name }) => name)

describe('--controllers', () => {
  it.each([
    [['*'], ['a-controller', 'b-controller']],
    [
      ['*', 'off'],
      ['a-controller', 'b-controller', 'off-controller'],
    ],
    [['*', '-a'], ['b-controller']],
    [['a'], ['a-controller']],
    [
      ['b-controller', 'off-controller'],
      ['b-controller', 'off-controller'],
    ],
    [['a', '-a'], ['a-controller']],
    [['-a', 'a', '*'], ['b-controller']],
    [[], []],
    [
      ['*', '-selinux-warning-controller'],
      ['a-controller', 'b-controller'],
    ],
  ])('%j chooses %j', (words, names) => {
    expect(chosen(...words)).toEqual(names)
  })
  it('refuses what nobody knows', () => {
    expect(() => chosen('*', '-c')).toThrow('"c" is not in the list of known controllers')
  })
})

it('tells which of upstream’s are named and missing', () => {
  expect(missingControllers(['*', 'deployment', '-svm', 'selinux-warning-controller'])).toEqual([
    'selinux-warning-controller',
  ])
})

it('has each controller once, by name and alias', () => {
  const names = CONTROLLERS.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))
  expect(new Set(names).size).toBe(names.length)
})
