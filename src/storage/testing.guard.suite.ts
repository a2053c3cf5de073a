// No process outlives the tests that started it, also when a test fails, vitest is interrupted, or its worker is killed.
// Shared by all tests that start etcd, servers or writers.
import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Hears the ids of processes on its stdin, which ends with us, however we end; then it kills those that are left. In a
 * session of its own, so that no Ctrl-C reaches it.
 */
const SCRIPT = `
left=" "
while read -r sign pid; do
  case "$sign" in
    +) left="$left$pid " ;;
    -) left="\${left%% $pid *} \${left#* $pid }" ;;
  esac
done
for pid in $left; do kill -9 "$pid"; done 2>/dev/null
`

let guard: ChildProcess | undefined

function tell(line: string): void {
  if (!guard) {
    guard = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    guard.stdin?.on('error', () => undefined)
    // A worker whose vitest is killed would work on for nobody.
    process.once('disconnect', () => process.exit(1))
    // We need not wait for it, it waits for us.
    guard.unref()
    ;(guard.stdin as unknown as { unref?(): void }).unref?.()
  }
  guard.stdin?.write(`${line}\n`)
}

/** The child, which is killed at the latest when this process ends. */
export function guarded<C extends ChildProcess>(child: C): C {
  const { pid } = child
  if (pid === undefined) return child
  tell(`+ ${pid}`)
  child.once('exit', () => tell(`- ${pid}`))
  return child
}
