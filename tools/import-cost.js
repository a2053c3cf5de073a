// What loading each dependency costs: a fresh Node for each, the median of several. docs/dependencies.md shows the table.
//
//	node tools/import-cost.js [PACKAGE...]
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const RUNS = 9
/** Of these packages the program loads one file. */
const ENTRIES = { 'node-forge': 'node-forge/lib/asn1.js' }
const root = resolve(fileURLToPath(import.meta.url), '../..')
const { dependencies } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))
const named = process.argv.slice(2)

for (const name of named.length > 0 ? named : Object.keys(dependencies)) {
  const entry = ENTRIES[name] ?? name
  const program = `
    const before = process.memoryUsage.rss(), start = performance.now()
    await import(${JSON.stringify(entry)})
    console.log(performance.now() - start, (process.memoryUsage.rss() - before) / 2 ** 20)`
  const runs = Array.from({ length: RUNS }, () =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' })
      .split(' ')
      .map(Number),
  )
  const median = (column) => runs.map((run) => run[column]).sort((a, b) => a - b)[(RUNS - 1) / 2]
  console.log(
    `${entry.padEnd(28)} ${median(0).toFixed(0).padStart(5)} ms ${median(1).toFixed(0).padStart(5)} MiB`,
  )
}
