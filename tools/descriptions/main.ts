// Part of the build: takes the descriptions of types and fields from the declarations of @kubernetes/client-node, and
// where it has none, of fields whose type is another kind, from those of kubernetes-types. Writes them to
// dist/descriptions.json, for /openapi and so for `kubectl explain`. The text is those packages', so it is not committed
// here.
//
//	node tools/run.js tools/descriptions/main.ts
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../../src/schema/facts.ts'
import type { PackageRow } from '../../src/schema/types-rows.ts'
import { definitionsOfClasses } from './classes.ts'
import { plain, readDeclaration } from './declaration.ts'
import { type Interfaces, moduleOf, readInterfaces } from './interfaces.ts'
import { type Spacing, SPACING_FILE, type SpacingFacts, spread } from './spacing.ts'

const MODELS = 'dist/gen/models'
const TYPES_OWN = /^(IntOrString is a type that|MicroTime is version of Time) /

function main(): void {
  const rows = publishedRows()
  const spacing = readSpacing()
  const classes = declarations(rows)
  const older = olderInterfaces()
  const descriptions: Record<string, Record<string, string>> = {}
  for (const [definition, fields] of rows) {
    const own = classes(definition)
    const before = older(definition)
    const texts: Record<string, string> = {}
    for (const field of ['', ...fields]) {
      const flat = own?.(field)
      const text = flat === undefined ? before?.[field] : spread(flat, spacing[definition]?.[field])
      if (text !== undefined) texts[field] = text
    }
    if (Object.keys(texts).length > 0) descriptions[definition] = texts
  }
  const target = join(packageRoot(), 'dist/descriptions.json')
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, JSON.stringify(descriptions))
  console.log(`descriptions of ${Object.keys(descriptions).length} types of ${rows.size}`)
}

/** What client-node says of a field ('': of the type), by definition, with its white space turned into blanks. */
function declarations(rows: ReadonlyMap<string, readonly string[]>) {
  const folder = join(packageFolder('@kubernetes/client-node'), MODELS)
  const files = readdirSync(folder).filter((name) => name.endsWith('.d.ts'))
  const names = new Set(files.map((name) => name.slice(0, -'.d.ts'.length)))
  const classes = definitionsOfClasses(new Set(rows.keys()), names)
  return (definition: string): ((field: string) => string | undefined) | undefined => {
    const name = classes.get(definition)
    if (name === undefined) return undefined
    const { description, properties } = readDeclaration(readFileSync(join(folder, `${name}.d.ts`), 'utf8'))
    return (field) => (field === '' ? description : own(properties.get(plain(field))))
  }
}

/** Of some fields client-node repeats what their type says of itself, which is another sentence. */
const own = (text: string | undefined): string | undefined =>
  text !== undefined && TYPES_OWN.test(text) ? undefined : text

/** What kubernetes-types says of the fields of a definition, '' of itself; its release is an older one. */
function olderInterfaces(): (definition: string) => Readonly<Record<string, string>> | undefined {
  const folder = packageFolder('kubernetes-types')
  const modules = new Map<string, Interfaces>()
  return (definition) => {
    const name = moduleOf(definition)
    const file = name === undefined ? '' : join(folder, `${name}.d.ts`)
    if (name === undefined || !existsSync(file)) return undefined
    const module = modules.get(name) ?? readInterfaces(readFileSync(file, 'utf8'))
    modules.set(name, module)
    return module.get(definition.slice(definition.lastIndexOf('.') + 1))
  }
}

function packageFolder(name: string): string {
  return join(packageRoot(), 'node_modules', name)
}

/** Definition → field → what of its white space cannot be guessed. */
function readSpacing(): Readonly<Record<string, Readonly<Record<string, Spacing>>>> {
  const file = join(packageRoot(), 'api/openapi', SPACING_FILE)
  return (JSON.parse(readFileSync(file, 'utf8')) as SpacingFacts).spacing
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
