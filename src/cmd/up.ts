// `dinghy up`: a cluster with everything in one process, until Ctrl-C.
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { KUBERNETES_VERSION } from '../server/version.ts'
import { type ApiServer, startApiServer } from './apiserver/apiserver.ts'
import { dinghyVersion } from './build.ts'
import { defaultDataDir } from './files.ts'
import { commandLine, integer, listOf, oneOf, optionalInteger, text } from './flags.ts'
import {
  CONTEXT,
  defaultKubeconfigPath,
  kubeconfigText,
  mergeKubeconfig,
  writeKubeconfig,
} from './kubeconfig.ts'
import {
  type ApiServerOptions,
  DEFAULTS,
  LOG_LEVELS,
  type LogLevel,
  StartError,
  type StorageChoice,
} from './options.ts'
import { beginParts, checkParts, PARTS } from './parts/parts.ts'
import { MAX_NODES, MAX_ZONES } from './nodes/range.ts'
import { untilStopped } from './signals.ts'

const FLAGS = {
  port: integer('port of the API server; 0 picks a free one', '6443', 0, 65535),
  'bind-address': text('address to listen on', 'ADDRESS', '127.0.0.1'),
  'data-dir': text("where the cluster's data and keys are kept", 'DIR', defaultDataDir()),
  memory: { kind: 'flag', help: 'keep nothing on disk' },
  'etcd-servers': listOf('keep the data in etcd, at these URLs', 'URLS'),
  kubeconfig: text('write the kubeconfig here, instead of merging the context into your own', 'FILE'),
  parts: listOf(`what to run: ${PARTS.join(', ')} (default all of them)`, 'NAMES'),
  nodes: optionalInteger('how many nodes are simulated (as many as there were, at first 1)', 0, MAX_NODES),
  zones: integer('over how many zones the nodes are spread', '1', 1, MAX_ZONES),
  'token-auth-file': text('CSV file of static tokens: token,user,uid,"group1,group2"', 'FILE'),
  'encryption-provider-config': text('encrypt values in the store as this file says', 'FILE'),
  'enable-admission-plugins': listOf('admission plugins to add to the default set', 'NAMES'),
  'disable-admission-plugins': listOf('admission plugins to take out of it', 'NAMES'),
  'admission-control-config-file': text('what admission plugins are told', 'FILE'),
  'authentication-config': text('file of OpenID issuers whose tokens are known', 'FILE'),
  'audit-policy-file': text('which requests are recorded, and how much of them', 'FILE'),
  'audit-log-path': text('where they are recorded, as lines of JSON', 'FILE'),
  'service-cluster-ip-range': listOf('addresses of Services, as CIDRs', 'CIDRS'),
  'log-level': oneOf('what is logged to stderr', LOG_LEVELS, 'warn'),
} as const

export async function up(argv: readonly string[]): Promise<void> {
  const flags = commandLine(
    'dinghy up',
    'Starts a cluster and puts its context into your kubeconfig.',
    FLAGS,
    argv,
  )
  if (!flags) return
  const parts = flags['parts'] ?? PARTS
  checkParts(parts)
  const server = await startApiServer({ ...optionsOf(flags), ...(await auditOf(flags)) })
  const where = await saveKubeconfig(server, flags['kubeconfig']).catch(async (error: unknown) => {
    await server.stop()
    throw error instanceof Error ? new StartError(error.message, error) : error
  })
  const beside = beginParts(server, parts, { nodes: flags.nodes, zones: flags.zones })
  const stopped = untilStopped(async () => {
    await beside.stop()
    await server.stop()
  }, beside.started)
  // From the line on, signals are listened to.
  announce(server, where)
  await stopped
}

type Flags = NonNullable<ReturnType<typeof commandLine<typeof FLAGS>>>

function optionsOf(flags: Flags): ApiServerOptions {
  const dataDir = flags['data-dir']
  const tokenAuthFile = flags['token-auth-file']
  const configFile = flags['encryption-provider-config']
  return {
    ...DEFAULTS,
    storage: storageOf(flags, dataDir),
    ...(flags['memory'] ? {} : { certDir: join(dataDir, 'pki') }),
    port: flags['port'],
    bindAddress: flags['bind-address'],
    logLevel: flags['log-level'] as LogLevel,
    ...(tokenAuthFile === undefined ? {} : { tokenAuthFile }),
    ...(configFile === undefined ? {} : { encryption: { configFile, automaticReload: false } }),
    ...authenticationAndAdmission(flags),
  }
}

/** Under the names that `dinghy apiserver` has for them; what is not given stays as it is by default. */
function authenticationAndAdmission(flags: Flags): Partial<ApiServerOptions> {
  const named = {
    enableAdmissionPlugins: flags['enable-admission-plugins'],
    disableAdmissionPlugins: flags['disable-admission-plugins'],
    admissionControlConfigFile: flags['admission-control-config-file'],
    authenticationConfigFile: flags['authentication-config'],
    serviceClusterIpRange: flags['service-cluster-ip-range'],
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}

/** Everything else about the log is as `dinghy apiserver` has it by default. Throws StartError. */
async function auditOf(flags: Flags): Promise<Partial<ApiServerOptions>> {
  const names = ['audit-policy-file', 'audit-log-path'] as const
  const given = names.flatMap((name) => (flags[name] === undefined ? [] : [`--${name}`, flags[name]]))
  if (given.length === 0) return {}
  const { AUDIT_FLAGS, auditOptions } = await import('./access/audit-flags.ts')
  const audit = commandLine('dinghy up', '', AUDIT_FLAGS, given)
  return audit ? auditOptions(audit) : {}
}

function storageOf(flags: Flags, dataDir: string): StorageChoice {
  const etcdServers = flags['etcd-servers']
  if (flags['memory'] && etcdServers) throw new StartError('--memory and --etcd-servers exclude each other')
  if (flags['memory']) return { memory: true }
  return etcdServers ? { etcdServers } : { dataDir: join(dataDir, 'data') }
}

async function saveKubeconfig(server: ApiServer, path: string | undefined): Promise<string> {
  const { caCert, adminCert, adminKey } = server.identity
  const entry = { name: CONTEXT, server: server.url, caCert, clientCert: adminCert, clientKey: adminKey }
  if (path !== undefined) {
    writeKubeconfig(path, kubeconfigText(entry))
    return path
  }
  const own = defaultKubeconfigPath()
  await mergeKubeconfig(own, entry)
  return own
}

function announce(server: ApiServer, kubeconfig: string): void {
  const ms = Math.round(performance.now())
  process.stdout.write(
    [
      `dinghy ${dinghyVersion()} (Kubernetes ${KUBERNETES_VERSION}), ready in ${ms} ms`,
      `  server   ${server.url}`,
      `  context  ${CONTEXT} in ${kubeconfig}`,
      `  try      kubectl get namespaces`,
      '',
    ].join('\n'),
  )
}
