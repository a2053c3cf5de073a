// Part of the build: the library's type declarations, in dist/types. The compiler declares every file of the
// program; kept are those that the entry's declarations lead to, so that the package shows what it promises.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ENTRY = 'index.d.ts'
const root = resolve(fileURLToPath(import.meta.url), '../../..')
const target = join(root, 'dist/types')
const made = mkdtempSync(join(tmpdir(), 'dinghy-types-'))
try {
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(root, 'tsconfig.types.json'),
      '--outDir',
      made,
    ],
    { stdio: 'inherit' },
  )
  rmSync(target, { recursive: true, force: true })
  keep(join(made, ENTRY), new Set())
} finally {
  rmSync(made, { recursive: true, force: true })
}

/** Copies the declarations of one file and of those it imports; the copies import as JavaScript does. */
function keep(file, kept) {
  if (kept.has(file)) return
  kept.add(file)
  const text = readFileSync(file, 'utf8')
  const imports = /(from |import\()(['"])(\.[^'"]*)\.ts\2/g
  for (const [, , , path] of text.matchAll(imports)) keep(resolve(dirname(file), `${path}.d.ts`), kept)
  const copy = join(target, relative(made, file))
  mkdirSync(dirname(copy), { recursive: true })
  writeFileSync(copy, text.replaceAll(imports, '$1$2$3.js$2'))
}
