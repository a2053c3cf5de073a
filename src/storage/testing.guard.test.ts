// Processes end with the tests that started them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

/** Starts three processes, of which one ends at once, tells their ids, and lives on. */
const PROGRAM = `
  import { spawn } from 'node:child_process'
  import { once } from 'node:events'
  import { guarded } from './testing.guard.suite.ts'
  const first = guarded(spawn('sleep', ['600']))
  const over = guarded(spawn('true'))
  const last = guarded(spawn('sleep', ['600']))
  await once(over, 'exit')
  console.log(first.pid, last.pid)
  setInterval(() => undefined, 1000)
`

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it.each(['SIGKILL', 'SIGINT'] as const)('after %s', async (signal) => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  })
  const script = outputFiles[0]?.text ?? ''
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const children = line.toString().trim().split(' ').map(Number)
  expect(children.map(lives)).toEqual([true, true])
  parent.kill(signal)
  await expect.poll(() => children.map(lives)).toEqual([false, false])
})
