// Runs a TypeScript file of this project: bundles it with esbuild into node_modules/.cache and imports that.
// Node 20 cannot strip types by itself; packages stay outside the bundle.
//
//   node tools/run.js FILE.ts [-- ARGUMENTS]
import { build } from 'esbuild'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const [file, ...rest] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node tools/run.js FILE.ts [-- ARGUMENTS]')
  process.exit(2)
}
const outfile = join(root, 'node_modules/.cache/run', file.replaceAll(/[/\\]/g, '_').replace(/\.ts$/, '.js'))
await build({
  entryPoints: [resolve(file)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
})
process.argv = [process.argv[0], outfile, ...rest.filter((argument, i) => !(i === 0 && argument === '--'))]
await import(pathToFileURL(outfile).href)
