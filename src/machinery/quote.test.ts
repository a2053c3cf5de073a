// Texts and what Go's strconv.Quote makes of them.
import { expect, test } from 'vitest'
import { goQuote, goQuoteList } from './quote.ts'

test.each([
  ['plain text', '"plain text"'],
  ['', '""'],
  ['say "hi" \\ now', '"say \\"hi\\" \\\\ now"'],
  ['\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
  ['\x00\x1f\x7f', '"\\x00\\x1f\\x7f"'],
  ['grüße 日本 😀', '"grüße 日本 😀"'],
  ['\u00a0\u200b\u{e0001}', '"\\u00a0\\u200b\\U000e0001"'],
  ['<a&b>', '"<a&b>"'],
])('%j', (text, quoted) => {
  expect(goQuote(text)).toBe(quoted)
})

test('lists have spaces between', () => {
  expect(goQuoteList([])).toBe('[]')
  expect(goQuoteList(['a', 'b c'])).toBe('["a" "b c"]')
})
