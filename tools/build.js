// Builds dist/: the program and the library, bundled, so that a start reads few files.
// Packages with binaries or weight of their own (lmdb, etcd3) stay outside and are loaded when they are needed.
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { noticesOf } from './notices.js'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: { dinghy: join(root, 'src/cmd/main.ts'), index: join(root, 'src/index.ts') },
  outdir: dist,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  external: ['lmdb', 'etcd3', '@kubernetes/client-node'],
  chunkNames: 'chunks/[name]-[hash]',
  minifySyntax: true,
  sourcemap: false,
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: { DINGHY_BUILD_DATE: JSON.stringify(new Date().toISOString().replace(/\.\d+Z$/, 'Z')) },
  // Bundled CommonJS packages ask for node's modules by require.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
}).catch(() => process.exit(1)) // esbuild has said why
writeFileSync(join(dist, 'NOTICES.txt'), noticesOf(Object.keys(metafile.inputs), root))
// What `kubectl explain` shows is taken from a package that has it.
execFileSync(process.execPath, [join(root, 'tools/run.js'), 'tools/descriptions/main.ts'], {
  cwd: root,
  stdio: 'inherit',
})
