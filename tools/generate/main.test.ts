// The committed facts are what the spec gives, where ../shared is there.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageRoot } from '../../src/schema/facts.ts'

const spec = join(packageRoot(), '../shared/upstream')

function generate(...args: string[]): { status: number | null; stderr: string } {
  const argv = ['tools/run.js', 'tools/generate/main.ts', '--', ...args]
  return spawnSync(process.execPath, argv, { cwd: packageRoot(), encoding: 'utf8' })
}

describe('generate', () => {
  it.skipIf(!existsSync(spec))('gives what is committed (needs ../shared)', () => {
    expect(generate(spec, '--check')).toMatchObject({ status: 0, stderr: '' })
  })

  it('refuses a folder that is no spec', () => {
    const { status, stderr } = generate(join(packageRoot(), 'docs'), '--check')
    expect(status).not.toBe(0)
    expect(stderr).toContain('has no openapi/swagger.json')
  })
})
