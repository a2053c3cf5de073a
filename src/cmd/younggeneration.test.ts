// The young generation of a process of its own: bounded while the heap is small, not when it is large.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { expect, it } from 'vitest'
import { mayGrow } from './younggeneration.ts'

const MIB = 1024 * 1024

it.each([
  [20, false],
  [127, false],
  [200, true],
])('may grow or not: with %i MiB in use', (heap, expected) => expect(mayGrow(heap * MIB)).toBe(expected))

/** Keeps COUNT MiB, and goes on to make new ones for a while; tells how large the young generation is then. */
const PROGRAM = `
import { getHeapSpaceStatistics } from 'node:v8'
/** Both halves. */
const youngBytes = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size
// As the program begins (tools/build/main.js).
setFlagsFromString('--semi-space-growth-factor=1')
boundYoungGeneration()
const kept = []
const end = Date.now() + 60_000
for (let i = 0; i < COUNT * 64 + 1500 || (youngBytes() < WANTED && Date.now() < end); i++) {
  kept.push(Array.from({ length: 2000 }, () => i))
  if (kept.length > COUNT * 64) kept.splice(0, 64)
  if (i % 128 === 0) await new Promise((done) => setTimeout(done, 1))
}
console.log(youngBytes())
`

it.each([
  [40, 0, (bytes: number) => bytes <= 16 * MIB],
  [200, 64 * MIB, (bytes: number) => bytes === 64 * MIB],
])('of a process that keeps %i MiB', { timeout: 120_000 }, (count, wanted, isRight) => {
  const source = readFileSync(join(import.meta.dirname, 'younggeneration.ts'), 'utf8')
  const { code } = transformSync(source, { loader: 'ts' })
  const text = code + PROGRAM.replaceAll('COUNT', String(count)).replaceAll('WANTED', String(wanted))
  const sizes = ['--min-semi-space-size=8', '--max-semi-space-size=32']
  const flags = [...sizes, '--single-threaded-gc', '--input-type=module']
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', text], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(isRight(Number(stdout))).toBe(true)
})
