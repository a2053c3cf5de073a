// `dinghy user add NAME`: a kubeconfig for a new user of the cluster whose data folder this is.
// Follows `kubeadm kubeconfig user`.
import { join } from 'node:path'
import { clientCertificate } from '../pki/clientcert.ts'
import { PkiError } from '../pki/folder.ts'
import { defaultDataDir } from './files.ts'
import { commandLine, integer, repeated, text } from './flags.ts'
import { CONTEXT, KubeconfigError, kubeconfigText, writeKubeconfig } from './kubeconfig.ts'
import { StartError } from './options.ts'

/** As long as anybody's certificate lasts here, unless it is told otherwise. */
const DAYS = '365'
/** As long as the CA itself. */
const MAX_DAYS = 3650

const FLAGS = {
  group: repeated('a group that the user is in; several times for several', 'NAME'),
  kubeconfig: text('where it is written (default NAME.kubeconfig)', 'FILE'),
  'data-dir': text("where the cluster's keys are", 'DIR', defaultDataDir()),
  server: text('how the user reaches the API server', 'URL', 'https://127.0.0.1:6443'),
  days: integer('how long the certificate is good', DAYS, 1, MAX_DAYS),
} as const

const ABOUT =
  'Writes a kubeconfig for a new user, with a certificate that the cluster’s CA signs. What the user may do is for roles to say.'

export async function user(argv: readonly string[]): Promise<void> {
  const [action, ...rest] = argv
  const asksForHelp = action === undefined || action === '--help' || action === '-h'
  if (!asksForHelp && action !== 'add')
    throw new StartError(`unknown command ${JSON.stringify(`user ${action}`)}; try dinghy user add NAME`)
  const [name] = rest
  const isNamed = !asksForHelp && name !== undefined && !name.startsWith('-')
  const given = asksForHelp ? ['--help'] : isNamed ? rest.slice(1) : rest
  const flags = commandLine('dinghy user add NAME', ABOUT, FLAGS, given)
  if (!flags) return
  if (!isNamed || name === '') throw new StartError('dinghy user add: which user? Try dinghy user add NAME')
  const path = flags.kubeconfig ?? `${name.replace(/[^\w.@-]+/g, '_')}.kubeconfig`
  const groups = flags.group ?? []
  await write(
    path,
    { name, groups, days: flags.days },
    { dir: join(flags['data-dir'], 'pki'), server: flags.server },
  )
  const roles = groups.length > 0 ? `--group ${groups[0]}` : `--user ${name}`
  process.stdout.write(
    `${path} is ${name}'s, for ${flags.days} days; try\n` +
      `  kubectl create clusterrolebinding NAME --clusterrole view ${roles}\n` +
      `  kubectl --kubeconfig ${path} get pods\n`,
  )
}

async function write(
  path: string,
  wanted: { readonly name: string; readonly groups: readonly string[]; readonly days: number },
  { dir, server }: { readonly dir: string; readonly server: string },
): Promise<void> {
  if (!URL.canParse(server) || !/^https?:/.test(server)) throw new StartError(`--server: ${server} is no URL`)
  try {
    const { caCert, cert, key } = await clientCertificate(dir, { ...wanted, now: new Date() })
    const name = `${wanted.name}@${CONTEXT}`
    writeKubeconfig(path, kubeconfigText({ name, server, caCert, clientCert: cert, clientKey: key }))
  } catch (error) {
    if (error instanceof PkiError || error instanceof KubeconfigError)
      throw new StartError(error.message, error)
    throw error
  }
}
