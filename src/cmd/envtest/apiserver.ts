// The kube-apiserver of `dinghy envtest`: `dinghy apiserver` in memory where its etcd is our stand-in, and with what
// envtest has put into its folder of certificates.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { apiserver } from '../apiserver/command.ts'
import { flagOf, STAND_IN } from './etcd.ts'

/** How long an etcd may take to say what it is; one that says nothing is none of ours. */
const ASK_MS = 5000

export async function envtestApiServer(argv: readonly string[]): Promise<void> {
  const servers = flagOf(argv, 'etcd-servers')
  const inMemory = servers !== undefined && (await isStandIn(servers.split(',')[0] ?? ''))
  const storage = inMemory ? [...without(argv, 'etcd-servers'), '--memory'] : argv
  return apiserver(withCertificates(storage))
}

async function isStandIn(server: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/version', server), { signal: AbortSignal.timeout(ASK_MS) })
    const { etcdserver } = (await answer.json()) as { etcdserver?: string }
    return etcdserver === STAND_IN
  } catch {
    return false
  }
}

/** The arguments less a flag, in either of its forms. */
export function without(argv: readonly string[], name: string): string[] {
  return argv.filter(
    (argument, index) =>
      !argument.startsWith(`--${name}=`) && argument !== `--${name}` && argv[index - 1] !== `--${name}`,
  )
}

/** Upstream takes a serving certificate that it finds in --cert-dir for its own; ours are kept below it. */
export function withCertificates(argv: readonly string[]): string[] {
  const folder = flagOf(argv, 'cert-dir')
  if (folder === undefined || flagOf(argv, 'tls-cert-file') !== undefined) return [...argv]
  const [cert, key] = [join(folder, 'apiserver.crt'), join(folder, 'apiserver.key')]
  if (!existsSync(cert) || !existsSync(key)) return [...argv]
  const own = `--cert-dir=${join(folder, 'dinghy')}`
  return [...without(argv, 'cert-dir'), own, `--tls-cert-file=${cert}`, `--tls-private-key-file=${key}`]
}
