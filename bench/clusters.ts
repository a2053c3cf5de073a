// A cluster of `dinghy up` in a process of its own, on a folder of the harness, and a client of it.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Client } from './client.ts'
import { type Program, start } from './processes.ts'
import type { Server } from './servers.ts'

const root = resolve('.')
const LOOK_AGAIN_MS = 50

export const rest = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

export interface Cluster {
  readonly program: Program
  readonly client: Client
  stop(): Promise<void>
}

/** `dinghy up` with these flags, and a client of it. */
export async function cluster(work: string, flags: readonly string[]): Promise<Cluster> {
  const folder = join(work, `cluster-${Date.now()}`)
  mkdirSync(folder, { recursive: true })
  const kubeconfig = join(folder, 'kubeconfig')
  const command = [join(root, 'bin/dinghy'), 'up', '--port', '0', '--data-dir', folder]
  const program = start([...command, '--kubeconfig', kubeconfig, ...flags], join(folder, 'log'))
  while (!existsSync(kubeconfig)) await Promise.race([rest(LOOK_AGAIN_MS), program.ended])
  const port = Number(/https:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(kubeconfig, 'utf8'))?.[1])
  const pem = (name: string): string => readFileSync(join(folder, 'pki', name), 'utf8')
  const credentials = { cert: pem('admin.crt'), key: pem('admin.key') }
  const client = new Client({ port, credentials } as Server)
  return {
    program,
    client,
    async stop() {
      client.close()
      await program.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export const post = (client: Client, path: string, object: object): Promise<unknown> =>
  client.call({ method: 'POST', path, body: JSON.stringify(object) })
