// Which ranges hold what, and which may go.
import { expect, it } from 'vitest'
import { containing, mayGo, overlapping } from './deletable.ts'

const cidr = (name: string, ...cidrs: string[]) => ({ metadata: { name }, spec: { cidrs } }) as never
const address = (name: string, by = 'ipallocator.k8s.io') =>
  ({ metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': by } } }) as never
const ALL = [
  cidr('kubernetes', '10.0.0.0/24', 'fd00::/120'),
  cidr('inner', '10.0.0.128/25'),
  cidr('other', '10.1.0.0/16'),
]

it.each([
  ['10.0.0.1', ['kubernetes']],
  ['10.0.0.0', []],
  ['10.0.0.255', []],
  ['10.0.0.128', ['kubernetes']],
  ['10.0.0.129', ['kubernetes', 'inner']],
  ['fd00::1', ['kubernetes']],
  ['fd00::', []],
  ['fd00::ff', ['kubernetes']],
  ['fd00::100', []],
  ['nonsense', []],
])('%s is in %j', (text, names) => {
  expect(containing(text, ALL)).toEqual(names)
})

it('tells which overlap', () => {
  expect(overlapping(cidr('x', '10.0.0.0/16'), ALL)).toEqual(['kubernetes', 'inner'])
  expect(overlapping(cidr('x', 'fd00::/64'), ALL)).toEqual(['kubernetes'])
  expect(overlapping(cidr('x', '192.168.0.0/24'), ALL)).toEqual([])
})

it.each([
  ['nothing in it', cidr('other', '10.1.0.0/16'), [], true],
  ['a service in it', cidr('other', '10.1.0.0/16'), [address('10.1.2.3')], false],
  ['somebody else’s address in it', cidr('other', '10.1.0.0/16'), [address('10.1.2.3', 'me')], true],
  ['a larger one around it', cidr('inner', '10.0.0.128/25'), [address('10.0.0.130')], true],
  [
    'a smaller one inside, which has all addresses',
    cidr('kubernetes', '10.0.0.0/24', 'fd00::/120'),
    [address('10.0.0.130')],
    true,
  ],
  [
    'a smaller one inside, which lacks one',
    cidr('kubernetes', '10.0.0.0/24', 'fd00::/120'),
    [address('10.0.0.3')],
    false,
  ],
])('one with %s may go: %s', (_what, one, addresses, may) => {
  expect(mayGo(one, ALL, addresses)).toBe(may)
})
