// Part of the build: takes the descriptions of types and fields from the declarations of @kubernetes/client-node
// and writes them to dist/descriptions.json, for /openapi and so for `kubectl explain`. The text is that package's,
// so it is not committed here.
//
//	node tools/run.js tools/descriptions/main.ts
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../src/schema/facts.ts'
import type { PackageRow } from '../../src/schema/types-rows.ts'
import { definitionsOfClasses } from './classes.ts'
import { plain, readDeclaration } from './declaration.ts'

const MODELS = 'dist/gen/models'

function main(): void {
  const rows = publishedRows()
  const folder = join(clientNode(), MODELS)
  const files = readdirSync(folder).filter((name) => name.endsWith('.d.ts'))
  const classes = definitionsOfClasses(
    new Set(rows.keys()),
    new Set(files.map((name) => name.slice(0, -'.d.ts'.length))),
  )
  const descriptions: Record<string, Record<string, string>> = {}
  for (const [definition, name] of classes) {
    const { description, properties } = readDeclaration(readFileSync(join(folder, `${name}.d.ts`), 'utf8'))
    const texts: Record<string, string> = description === undefined ? {} : { '': description }
    for (const field of rows.get(definition) ?? []) {
      const text = properties.get(plain(field))
      if (text !== undefined) texts[field] = text
    }
    if (Object.keys(texts).length > 0) descriptions[definition] = texts
  }
  const target = join(packageRoot(), 'dist/descriptions.json')
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, JSON.stringify(descriptions))
  console.log(`descriptions of ${Object.keys(descriptions).length} types of ${rows.size}`)
}

function clientNode(): string {
  const require = createRequire(join(packageRoot(), 'package.json'))
  const entry = require.resolve('@kubernetes/client-node')
  return entry.slice(0, entry.lastIndexOf('/dist/'))
}

/** Definitions that the OpenAPI documents publish, with the names of their fields. */
function publishedRows(): Map<string, string[]> {
  const folder = join(packageRoot(), 'api/openapi/types')
  const rows = new Map<string, string[]>()
  for (const file of readdirSync(folder)) {
    const { types } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as PackageRow
    for (const [name, { fields, published }] of Object.entries(types)) {
      if (published !== false) rows.set(`${file.slice(0, -'.json'.length)}.${name}`, Object.keys(fields))
    }
  }
  return rows
}

main()
