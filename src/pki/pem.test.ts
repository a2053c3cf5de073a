import { expect, it } from 'vitest'
import { firstBlock, pemBlocks } from './pem.ts'

const BODY = Buffer.from('some bytes').toString('base64')
const block = (label = 'X', body = `${BODY}\n`): string =>
  `-----BEGIN ${label}-----\n${body}-----END ${label}-----\n`

it.each([
  ['a block', block(), ['X']],
  ['with the line ends of Windows', block().replaceAll('\n', '\r\n'), ['X']],
  ['in a text', `before\n${block()}behind`, ['X']],
  ['two', block('A') + block('B'), ['A', 'B']],
  ['an empty one', block('X', ''), ['X']],
  ['one that nothing ends', `-----BEGIN X-----\n${BODY}`, []],
  ['one that another ends', block('A').replace('END A', 'END B'), []],
  ['one that does not begin a line', `x${block()}`, []],
  ['what is no base64', block('X', '!!!\n'), []],
  ['base64 that is cut off', block('X', 'abc\n'), []],
  ['a good one behind a bad one', block('A', '!!!\n') + block('B'), ['B']],
])('finds %s', (_, text, labels) => {
  expect([...pemBlocks(text)].map(({ label }) => label)).toEqual(labels)
})

it('tells of headers, and reads past them', () => {
  const found = firstBlock(block('X', `Key: value\n\n${BODY}\n`))
  expect(found).toMatchObject({ hasHeaders: true, bytes: Buffer.from('some bytes') })
  expect(firstBlock(block())).toMatchObject({ hasHeaders: false })
})
