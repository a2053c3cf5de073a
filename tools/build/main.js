// Builds dist/: the program and the library, bundled into chunks, so that a start reads few files and only what it needs.
// Packages with binaries or weight of their own (lmdb, etcd3) stay outside and are loaded when they are needed.
import { build, transform } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheCode } from './code-cache.js'
import { noticesOf } from './notices.js'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const dist = join(root, 'dist')

/** src/ as chunks that import each other; esbuild splits only modules of this form. */
function bundle() {
  return build({
    entryPoints: { main: join(root, 'src/cmd/main.ts'), index: join(root, 'src/index.ts') },
    outdir: dist,
    bundle: true,
    splitting: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: ['lmdb', 'etcd3', '@grpc/grpc-js'],
    chunkNames: 'chunks/[name]-[hash]',
    minifySyntax: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: { DINGHY_BUILD_DATE: JSON.stringify(new Date().toISOString().replace(/\.\d+Z$/, 'Z')) },
  }).catch(() => process.exit(1)) // esbuild has said why
}

/**
 * V8's young generation stays as small as bin/dinghy has it begin, until src/cmd/younggeneration.ts lets it grow. V8 takes
 * no such flag from the command line, and would refuse the compiled code of chunks if it came later.
 */
const PROGRAM = `require('node:v8').setFlagsFromString('--semi-space-growth-factor=1')
require('./loader.cjs').load('main')
`

/** One chunk as CommonJS, for loader.cjs. */
async function commonJs({ path, text }) {
  // esbuild's comments say which source a line is from: profiles need them, and this form of them stays.
  const { code } = await transform(text.replace(/^\/\/ (\S+\.[cm]?[jt]s)$/gm, '//! $1'), {
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': '__fileURL' },
  })
  const url = code.includes('__fileURL')
    ? "const __fileURL = require('node:url').pathToFileURL(__filename).href;\n"
    : ''
  // Only the ends of names in strings that name chunks; paths of packages have no such form.
  const linked = code.replace(/require\("(\.{1,2}\/[^"]+)\.js"\)/g, 'require("$1.cjs")')
  return { path: path.replace(/\.js$/, '.cjs'), text: url + linked }
}

/** The two ways in: what node runs, and what another project imports. */
function writeEntries(outputs) {
  copyFileSync(join(here, 'loader.cjs'), join(dist, 'loader.cjs'))
  writeFileSync(join(dist, 'dinghy.cjs'), PROGRAM)
  const { exports: names } = outputs[relative(root, join(dist, 'index.js'))]
  const facade = `import loader from './loader.cjs'\nexport const { ${names.join(', ')} } = loader.load('index')\n`
  writeFileSync(join(dist, 'index.js'), facade)
}

rmSync(dist, { recursive: true, force: true })
mkdirSync(join(dist, 'chunks'), { recursive: true })
const { metafile, outputFiles } = await bundle()
for (const { path, text } of await Promise.all(outputFiles.map(commonJs))) writeFileSync(path, text)
writeEntries(metafile.outputs)
writeFileSync(join(dist, 'NOTICES.txt'), noticesOf(Object.keys(metafile.inputs), root))
// What `kubectl explain` shows is taken from a package that has it.
execFileSync(process.execPath, [join(root, 'tools/run.js'), 'tools/descriptions/main.ts'], {
  cwd: root,
  stdio: 'inherit',
})
await cacheCode(root)
