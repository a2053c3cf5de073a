// `make generate`: turns upstream's published spec into the facts of api/openapi. Deterministic: the same spec
// gives the same bytes. With --check nothing is written, and differences from what is committed are an error.
//
//	node tools/run.js tools/generate/main.ts -- SPEC [--check]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { packageRoot } from '../../src/schema/facts.ts'
import { SPACING_FILE } from '../descriptions/spacing.ts'
import { kindFiles } from './kinds.ts'
import { linesOf, objectLines } from './lines.ts'
import { bootstrapPolicy } from './policy.ts'
import { resourceRows, tableColumns } from './resources.ts'
import { spacingOfDescriptions } from './spacing.ts'
import { readSpec, requireSpec } from './spec.ts'
import { typePackages } from './types.ts'

/** The release that the spec is of, and that of k8s.io/api and its siblings. */
const RELEASE = 'v1.36.3'
const STAGING_VERSION = 'v0.36.3'
const GO_TYPES = 'go-types.json'
/** The modules whose types are read; they have one version, which gotypes is told. */
const GO_TYPES_OF = Object.fromEntries(
  ['api', 'apimachinery', 'apiextensions-apiserver', 'kube-aggregator'].map((name) => [
    name,
    STAGING_VERSION,
  ]),
)
const GO_STRUCTS = 'go-structs.json'
/** Types for TypeScript, from api/openapi. */
const KINDS = '../../src/client/kinds'

function main(argv: readonly string[]): number {
  const check = argv.includes('--check')
  const [folder] = argv.filter((argument) => !argument.startsWith('--'))
  if (folder === undefined) {
    console.error('usage: generate SPEC [--check]')
    return 2
  }
  const target = join(packageRoot(), 'api/openapi')
  const files = generate(folder, target)
  const changed = [...changes(target, files)]
  if (check) {
    for (const name of changed) console.error(`api/openapi/${name} is not what ${folder} gives`)
    if (changed.length > 0) console.error('run: make generate')
    return changed.length > 0 ? 1 : 0
  }
  for (const name of changed) apply(join(target, name), files.get(name))
  console.log(`${files.size} files, ${changed.length} changed`)
  return 0
}

function generate(folder: string, target: string): Map<string, string> {
  requireSpec(folder)
  const files = new Map<string, string>()
  const text = goFile(files, target, GO_TYPES, readGo('gotypes', GO_TYPES_OF))
  goFile(files, target, GO_STRUCTS, readGo('gostructs', { kubernetes: RELEASE, api: STAGING_VERSION }))
  const spec = readSpec(folder, text)
  const packages = typePackages(spec)
  for (const [name, row] of packages)
    files.set(`types/${name}.json`, objectLines({ group: row.group }, 'types', row.types))
  for (const [name, types] of kindFiles(packages)) files.set(join(KINDS, name), types)
  const resources = resourceRows(spec, packages)
  files.set('resources.json', linesOf(resources))
  files.set('columns.json', objectLines({}, 'columns', tableColumns(folder)))
  files.set(SPACING_FILE, objectLines({}, 'spacing', spacingOfDescriptions(spec.definitions)))
  files.set('policy.json', linesOf(bootstrapPolicy(folder)))
  return files
}

/** The text of a file that Go's sources give: a fresh one, or where these are not here the committed one. */
function goFile(files: Map<string, string>, target: string, name: string, fresh: string | undefined): string {
  const file = join(target, name)
  if (fresh !== undefined) files.set(name, fresh)
  else if (!existsSync(file))
    throw new Error(`${file} is missing, and Go or its modules are not here to make it`)
  return fresh ?? readFileSync(file, 'utf8')
}

/** What a program of this folder says of the Go sources, or undefined where Go or one of the modules is absent. */
function readGo(program: string, modules: Readonly<Record<string, string>>): string | undefined {
  const cache = process.env['GOMODCACHE'] ?? join(homedir(), 'go/pkg/mod')
  const versions = Object.entries(modules)
  if (!versions.every(([name, version]) => existsSync(join(cache, 'k8s.io', `${name}@${version}`)))) {
    console.log(`${program}: Go's modules are not here; what is committed stays`)
    return undefined
  }
  const distinct = new Set(versions.map(([, version]) => version))
  const go = spawnSync('go', ['run', '.', cache, ...distinct], {
    cwd: join(packageRoot(), 'tools/generate', program),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  if (go.error !== undefined) {
    console.log(`${program}: Go is not here; what is committed stays`)
    return undefined
  }
  if (go.status !== 0) throw new Error(`${program}: ${go.stderr}`)
  return go.stdout
}

/** The names of files to write or to remove. */
function* changes(target: string, files: ReadonlyMap<string, string>): Generator<string> {
  for (const [name, text] of files) {
    const file = join(target, name)
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) yield name
  }
  if (!existsSync(target)) return
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    const name = relative(target, join(entry.parentPath, entry.name)).replaceAll('\\', '/')
    if (entry.isFile() && !files.has(name) && ![GO_TYPES, GO_STRUCTS].includes(name)) yield name
  }
}

function apply(file: string, text: string | undefined): void {
  if (text === undefined) {
    rmSync(file)
    return
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

process.exitCode = main(process.argv.slice(2))
