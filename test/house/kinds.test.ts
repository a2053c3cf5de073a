// docs/kinds.md says what the registry has.
import { expect, test } from 'vitest'
import { DOCUMENT, kindsDocument } from '../../tools/kinds/document.ts'
import { textOf } from './repository.ts'

test(`${DOCUMENT} is as the registry is (node tools/run.js tools/kinds/main.ts)`, async () => {
  expect(textOf(DOCUMENT)).toBe(await kindsDocument())
})
