// Upstream's kube-apiserver as a process of its own, over an etcd that a test has started.
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { guarded } from '../../src/storage/testing.guard.suite.ts'
import { Client, eventually, type ServerAccess } from './client.ts'

/** Where it is: $DINGHY_KUBE_APISERVER, the PATH, or a cache of it in the home folder; undefined where there is none. */
export function findKubeApiServer(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [
    process.env['DINGHY_KUBE_APISERVER'],
    ...folders.map((folder) => join(folder, 'kube-apiserver')),
    join(homedir(), '.cache/peers/kube-apiserver'),
  ]
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path))
}

export interface KubeApiServer extends ServerAccess {
  stop(): Promise<void>
}

const TOKEN = 'secret'

/** The flags that both servers of these tests agree on. */
export const SERVICE_RANGE = '10.96.0.0/16'
export const EVENT_TTL_SECONDS = 20

/** Starts it; resolves when it is ready. */
export async function startKubeApiServer(
  binary: string,
  etcd: string,
  flags: readonly string[] = [],
): Promise<KubeApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'dinghy-upstream-'))
  const port = await freePort()
  const child = guarded(
    spawn(binary, withFlags(flagsFor(folder, etcd, port), flags), { stdio: ['ignore', 'ignore', 'pipe'] }),
  )
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  const stop = async (): Promise<void> => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
  const access = { url: `https://127.0.0.1:${port}`, token: TOKEN }
  try {
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`kube-apiserver ended: ${said}`)
        return isReady(access)
      },
      (ready) => ready,
    )
    return { ...access, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A flag that is given again counts instead of the first. */
function withFlags(first: readonly string[], given: readonly string[]): string[] {
  const names = new Set(given.map((flag) => flag.split('=', 1)[0]))
  return [...first.filter((flag) => !names.has(flag.split('=', 1)[0])), ...given]
}

function flagsFor(folder: string, etcd: string, port: number): string[] {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = join(folder, 'sa.key')
  const tokens = join(folder, 'tokens.csv')
  writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(tokens, `${TOKEN},admin,admin,"system:masters"\n`, { mode: 0o600 })
  return [
    `--etcd-servers=${etcd}`,
    `--cert-dir=${join(folder, 'certs')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--allow-privileged=true',
    `--event-ttl=${EVENT_TTL_SECONDS}s`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${tokens}`,
  ]
}

async function isReady(access: ServerAccess): Promise<boolean> {
  const client = new Client(access)
  try {
    return (await client.get('/readyz')).status === 200
  } catch {
    return false
  } finally {
    client.close()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
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
