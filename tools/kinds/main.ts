// Writes docs/kinds.md. `node tools/run.js tools/kinds/main.ts`
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/schema/facts.ts'
import { DOCUMENT, kindsDocument } from './document.ts'

writeFileSync(join(packageRoot(), DOCUMENT), await kindsDocument())
