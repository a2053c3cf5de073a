// `dinghy apiserver`: the API server alone, under upstream's flag names.
// Follows k8s.io/kubernetes/cmd/kube-apiserver/app/options.
import { startApiServer } from './apiserver.ts'
import { AUDIT_FLAGS, auditOptions } from '../access/audit-flags.ts'
import { AUTHENTICATION_FLAGS, authenticationOptions } from '../access/authentication-flags.ts'
import { AUTHORIZATION_FLAGS, authorizationOptions } from '../access/authorization-flags.ts'
import { COMPATIBLE_FLAGS, compatibleGiven } from './compatible-flags.ts'
import { boolean, commandLine, durationMs, integer, listOf, oneOf, text } from '../flags.ts'
import {
  type ApiServerOptions,
  DEFAULTS,
  type EtcdTlsFiles,
  type KubeletChoice,
  LOG_LEVELS,
  type LogLevel,
  StartError,
  type StorageChoice,
} from '../options.ts'
import { untilStopped } from '../signals.ts'

const MAX_INT32 = 2 ** 31 - 1
/** From here on klog tells of single requests. */
const DEBUG_VERBOSITY = 4

const FLAGS = {
  'secure-port': integer('port of HTTPS; 0 picks a free one', '6443', 0, 65535),
  'bind-address': text('address to listen on', 'ADDRESS', '0.0.0.0'),
  'advertise-address': text('address at which others reach the server', 'ADDRESS'),
  'etcd-servers': listOf('etcd, as URLs', 'URLS'),
  'etcd-prefix': text('where in etcd the keys stand', 'PATH', '/registry'),
  'etcd-cafile': text('CA of the etcd servers, PEM', 'FILE'),
  'etcd-certfile': text('certificate to show to etcd, PEM', 'FILE'),
  'etcd-keyfile': text('its key, PEM', 'FILE'),
  'encryption-provider-config': text('how values are encrypted in the store', 'FILE'),
  'encryption-provider-config-automatic-reload': boolean('look at that file again each minute', false),
  'storage-backend': oneOf('accepted for compatibility', ['etcd3'], 'etcd3'),
  'data-dir': text('keep the data in files of our own here, instead of in etcd', 'DIR'),
  memory: { kind: 'flag', help: 'keep the data in memory' },
  'cert-dir': text('where our own certificates are kept', 'DIR', '/var/run/kubernetes'),
  'tls-cert-file': text('serving certificate, PEM', 'FILE'),
  'tls-private-key-file': text('its key, PEM', 'FILE'),
  'client-ca-file': text('CAs of client certificates, PEM', 'FILE'),
  'kubelet-certificate-authority': text('CAs of kubelets, PEM; without them any is believed', 'FILE'),
  'kubelet-client-certificate': text('certificate to show to kubelets, PEM', 'FILE'),
  'kubelet-client-key': text('its key, PEM', 'FILE'),
  'kubelet-preferred-address-types': listOf('which address of a node is taken, the first first', 'TYPES'),
  ...AUTHORIZATION_FLAGS,
  ...AUTHENTICATION_FLAGS,
  'service-cluster-ip-range': listOf('addresses of Services, as CIDRs', 'CIDRS'),
  'service-node-port-range': text('ports of Services on nodes', 'FIRST-LAST', '30000-32767'),
  'enable-admission-plugins': listOf('admission plugins to add to the default set', 'NAMES'),
  'admission-control-config-file': text('what admission plugins are told', 'FILE'),
  'disable-admission-plugins': listOf('admission plugins to take out of it', 'NAMES'),
  'enable-aggregator-routing': boolean(
    'accepted for compatibility; extension servers are reached at their endpoints',
    false,
  ),
  'allow-privileged': boolean('let pods ask for privileged containers', false),
  'enable-priority-and-fairness': boolean(
    'share what the server can do out by flow schemas and priority levels',
    true,
  ),
  'max-requests-inflight': integer('reads worked on at once', '400', 0, MAX_INT32),
  'max-mutating-requests-inflight': integer('writes worked on at once', '200', 0, MAX_INT32),
  'event-ttl': text('how long Events are kept', 'DURATION', '1h0m0s'),
  'etcd-compaction-interval': text('how often history is forgotten', 'DURATION', '5m0s'),
  'watch-cache': boolean('accepted for compatibility; the watch cache is always on', true),
  'watch-cache-sizes': listOf('accepted for compatibility; windows are bounded by events and bytes', 'SIZES'),
  ...AUDIT_FLAGS,
  ...COMPATIBLE_FLAGS,
  v: integer("klog's verbosity; from 4 on, everything is logged", '0', 0, 10),
  'log-level': oneOf('what is logged to stderr', LOG_LEVELS, 'info'),
} as const

export async function apiserver(argv: readonly string[]): Promise<void> {
  const flags = commandLine('dinghy apiserver', 'Runs the API server alone.', FLAGS, argv)
  if (!flags) return
  const server = await startApiServer(optionsOf(flags))
  for (const flag of compatibleGiven(flags))
    server.log.warn({ flag: `--${flag}` }, 'this flag changes nothing')
  server.log.info({ url: server.url }, 'serving')
  await untilStopped(() => server.stop())
}

type Flags = NonNullable<ReturnType<typeof commandLine<typeof FLAGS>>>

function optionsOf(flags: Flags): ApiServerOptions {
  const authorization = authorizationOptions(flags)
  const { requestHeader: _, ...withoutProxies } = DEFAULTS
  return {
    ...withoutProxies,
    ...files(flags),
    storage: storageOf(flags),
    ...encryptionOf(flags),
    kubelet: kubeletOf(flags),
    port: flags['secure-port'],
    bindAddress: flags['bind-address'],
    certDir: flags['cert-dir'],
    ...authorization,
    ...authenticationOptions(flags),
    // As upstream: who may do everything must say who it is.
    anonymousAuth:
      (flags['anonymous-auth'] ?? true) && !authorization.authorizationModes.includes('AlwaysAllow'),
    ...auditOptions(flags),
    serviceClusterIpRange: flags['service-cluster-ip-range'] ?? ['10.0.0.0/24'],
    serviceNodePortRange: portRange(flags['service-node-port-range']),
    enableAdmissionPlugins: flags['enable-admission-plugins'] ?? [],
    disableAdmissionPlugins: flags['disable-admission-plugins'] ?? [],
    allowPrivileged: flags['allow-privileged'],
    enablePriorityAndFairness: flags['enable-priority-and-fairness'],
    maxRequestsInflight: flags['max-requests-inflight'],
    maxMutatingRequestsInflight: flags['max-mutating-requests-inflight'],
    eventTtlSeconds: durationMs('event-ttl', flags['event-ttl']) / 1000,
    etcdCompactionIntervalMs: durationMs('etcd-compaction-interval', flags['etcd-compaction-interval']),
    logLevel: flags['v'] >= DEBUG_VERBOSITY ? 'debug' : (flags['log-level'] as LogLevel),
  }
}

function files(flags: Flags): Partial<ApiServerOptions> {
  const named = {
    tlsCertFile: flags['tls-cert-file'],
    admissionControlConfigFile: flags['admission-control-config-file'],
    tlsPrivateKeyFile: flags['tls-private-key-file'],
    clientCaFile: flags['client-ca-file'],
    advertiseAddress: flags['advertise-address'],
  }
  return given(named)
}

function storageOf(flags: Flags): StorageChoice {
  const { memory, 'data-dir': dataDir, 'etcd-servers': etcdServers } = flags
  if ([memory, dataDir !== undefined, etcdServers !== undefined].filter(Boolean).length !== 1) {
    throw new StartError('choose one of --etcd-servers, --data-dir and --memory')
  }
  if (memory) return { memory: true }
  return etcdServers
    ? { etcdServers, etcdPrefix: flags['etcd-prefix'], ...etcdTls(flags) }
    : { dataDir: dataDir as string }
}

function encryptionOf(flags: Flags): Pick<ApiServerOptions, 'encryption'> {
  const configFile = flags['encryption-provider-config']
  const automaticReload = flags['encryption-provider-config-automatic-reload']
  if (configFile !== undefined) return { encryption: { configFile, automaticReload } }
  if (automaticReload)
    throw new StartError(
      '--encryption-provider-config-automatic-reload must be set with --encryption-provider-config',
    )
  return {}
}

function kubeletOf(flags: Flags): KubeletChoice {
  const named = {
    certificateAuthorityFile: flags['kubelet-certificate-authority'],
    clientCertFile: flags['kubelet-client-certificate'],
    clientKeyFile: flags['kubelet-client-key'],
    preferredAddressTypes: flags['kubelet-preferred-address-types'],
  }
  if ((named.clientCertFile === undefined) !== (named.clientKeyFile === undefined))
    throw new StartError('--kubelet-client-certificate and --kubelet-client-key go together')
  return given(named)
}

/** Those that were given. */
const given = <T extends object>(named: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) as never

function etcdTls(flags: Flags): { etcdTlsFiles?: EtcdTlsFiles } {
  const { 'etcd-cafile': ca, 'etcd-certfile': cert, 'etcd-keyfile': key } = flags
  if ((cert === undefined) !== (key === undefined))
    throw new StartError('--etcd-certfile and --etcd-keyfile go together')
  if (ca === undefined) {
    if (cert !== undefined) throw new StartError('--etcd-certfile needs --etcd-cafile')
    return {}
  }
  return { etcdTlsFiles: { ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) } }
}

function portRange(value: string): [number, number] {
  const match = /^(\d+)-(\d+)$/.exec(value)
  const [first, last] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || first > last || last > 65535)
    throw new StartError(`--service-node-port-range: ${value} is no range of ports, such as 30000-32767`)
  return [first, last]
}
