// An etcd server for tests, on free ports and in a folder of its own.
// Shared by the etcd engine's tests and the tests in test/ that cross rooms.

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { guarded } from '../testing.guard.suite.ts'

/** How long etcd may take to start: it elects itself, on a slow disk too. */
const START_MS = 120_000

/**
 * Where etcd is: $DINGHY_ETCD, the PATH (Debian: etcd-server), what conformance/build-etcd.sh built, or a
 * cache of it in the home folder; undefined where there is none.
 */
export function findEtcd(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [
    process.env['DINGHY_ETCD'],
    ...folders.map((folder) => join(folder, 'etcd')),
    join(import.meta.dirname, '../../../.cache/etcd'),
    join(homedir(), '.cache/peers/etcd'),
  ]
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path))
}

export interface EtcdServer {
  readonly url: string
  /** Ends the process as a crash would, and waits for its end. */
  kill(): Promise<void>
  /** Starts it again on the same data and port. */
  start(): Promise<void>
  /** Stops it in its tracks, with its connections open, until `resume`. */
  pause(): void
  resume(): void
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** Starts the etcd at `binary` with nothing in it; resolves when it answers. */
export async function startEtcd(binary: string, flags: readonly string[] = []): Promise<EtcdServer> {
  const folder = mkdtempSync(join(tmpdir(), 'dinghy-etcd-'))
  const [port, peerPort] = await Promise.all([freePort(), freePort()])
  const url = `http://127.0.0.1:${port}`
  const peer = `http://127.0.0.1:${peerPort}`
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const urls = ['--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peer]
    const cluster = ['--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`]
    const args = ['--data-dir', folder, ...urls, ...cluster, '--log-level', 'error', ...flags]
    child = guarded(spawn(binary, args, { stdio: 'ignore' }))
    await healthy(url, child)
  }
  const kill = async (): Promise<void> => {
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await gone
  }
  const stop = async (): Promise<void> => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  await start().catch(async (error: unknown) => {
    await stop()
    throw error
  })
  const pause = (): void => void child?.kill('SIGSTOP')
  const resume = (): void => void child?.kill('SIGCONT')
  return { url, kill, start, pause, resume, stop }
}

async function healthy(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`etcd ended with code ${child.exitCode}`)
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('etcd did not start in time')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
