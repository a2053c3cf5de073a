// A controller-runtime operator's own test suite, run through the folder that `dinghy envtest` prints.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const DINGHY = join(ROOT, 'bin', 'dinghy')
const OPERATOR = join(ROOT, 'conformance', 'operator')
/** Go compiles what it has not compiled yet. */
const TIMEOUT_MS = 600_000

/** Without Go, its modules or a build there is nothing to run. */
function missing(): string | undefined {
  if (!existsSync(join(ROOT, 'dist', 'dinghy.cjs'))) return 'make build'
  const listed = spawnSync('go', ['list', '-deps', '-test', './...'], {
    cwd: OPERATOR,
    env: { ...process.env, GOPROXY: 'off', GOFLAGS: '-mod=mod' },
  })
  return listed.status === 0 ? undefined : 'go, and the modules of conformance/operator (go mod download)'
}

const lacking =
  process.env['DINGHY_OPERATOR'] === undefined ? 'DINGHY_OPERATOR=1 in the environment' : missing()
if (lacking !== undefined) process.stderr.write(`skipped: the operator's suite needs ${lacking}\n`)

describe.skipIf(lacking !== undefined)('dinghy envtest', () => {
  it(
    'runs an operator with a custom resource, webhooks, a finalizer and leader election',
    () => {
      const printed = spawnSync(DINGHY, ['envtest'], { encoding: 'utf8' })
      expect(printed.stderr).toBe('')
      const env = { ...process.env, KUBEBUILDER_ASSETS: printed.stdout.trim() }
      const ran = spawnSync('go', ['test', '-count=1', '-v', './...'], {
        cwd: OPERATOR,
        env,
        encoding: 'utf8',
      })
      expect(`${ran.stdout}\n${ran.stderr}`).toContain('--- PASS: TestOperator')
      expect(ran.status).toBe(0)
    },
    TIMEOUT_MS,
  )
})
