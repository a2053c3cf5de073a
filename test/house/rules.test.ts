// The import rules bite: a small tree that breaks each of them, shown to dependency-cruiser.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ROOT } from './repository.ts'

const CONFIG = '.dependency-cruiser.cjs'

/** Each file with what it imports. */
const TREE: Readonly<Record<string, string>> = {
  'src/machinery/type-only.ts': "import type { Store } from '../storage/store.ts'\nexport type A = Store",
  'src/storage/store.ts': 'export interface Store { readonly size: number }',
  'src/handlers/engine.ts': "import { open } from '../storage/open.ts'\nexport const b = open",
  'src/storage/open.ts': 'export const open = 1',
  'src/handlers/cache.ts': "import { cache } from '../storage/cache/one.ts'\nexport const c = cache",
  'src/storage/cache/one.ts': 'export const cache = 1',
  'src/schema/one.ts': "import type { Two } from './two.ts'\nexport interface One { readonly two?: Two }",
  'src/schema/two.ts': "import type { One } from './one.ts'\nexport interface Two { readonly one?: One }",
  'src/registry/router.ts': "import express from 'express'\nexport const d = express",
  'src/authz/semver.ts': "import semver from 'semver'\nexport const e = semver",
  'src/server/root.ts': "import { run } from '../cmd/run.ts'\nexport const f = run",
  'src/cmd/run.ts': 'export const run = 1',
  'src/attic/box.ts': "import { open } from '../storage/open.ts'\nexport const g = open",
  'src/pki/lost.ts': "import { x } from './nowhere.ts'\nexport const h = x",
}

const work = mkdtempSync(join(tmpdir(), 'dinghy-rules-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

interface Cruise {
  readonly summary: { readonly violations: { from: string; rule: { name: string } }[] }
}

test(
  'rooms, types, cycles, owners, unknown rooms and packages, what leads nowhere',
  { timeout: 120_000 },
  () => {
    for (const [path, text] of Object.entries(TREE)) {
      mkdirSync(dirname(join(work, path)), { recursive: true })
      writeFileSync(join(work, path), text)
    }
    for (const name of [CONFIG, 'tsconfig.json', 'package.json'])
      copyFileSync(join(ROOT, name), join(work, name))
    symlinkSync(join(ROOT, 'node_modules'), join(work, 'node_modules'))
    const found = cruise()
    expect(found).toEqual([
      'cmd-is-the-root src/server/root.ts',
      'no-cycle src/schema/one.ts',
      'no-unresolved src/pki/lost.ts',
      'owner-known src/authz/semver.ts',
      'owner-of-express src/registry/router.ts',
      'room-handlers src/handlers/engine.ts',
      'room-machinery src/machinery/type-only.ts',
      'room-server src/server/root.ts',
      'rooms-known src/attic/box.ts',
    ])
  },
)

function cruise(): string[] {
  const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const output = execFileSync(
    process.execPath,
    [cruiser, '--config', CONFIG, '--output-type', 'json', '--preserve-symlinks', 'src'],
    { cwd: work, encoding: 'utf8', maxBuffer: 64 << 20 },
  )
  const { violations } = (JSON.parse(output) as Cruise).summary
  return [...new Set(violations.map(({ from, rule }) => `${rule.name} ${from}`))].sort()
}
