// `dinghy kubelet`: simulated nodes in a process of their own, against any API server. All of them act as the user of the
// kubeconfig: where that is system:node:NAME, it can be one node, its own.
// Follows k8s.io/kubernetes/cmd/kubelet/app/server.go.
import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { Api } from '../../client/api.ts'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import { Http2Transport } from '../../client/http2.ts'
import { Informers } from '../../client/informer.ts'
import type { Taint } from '../../client/kinds/core.v1.gen.ts'
import { NODES } from '../../client/resources.ts'
import { parseRange } from '../../kubelet/addresses.ts'
import { NodeAgent } from '../../kubelet/agent.ts'
import { KUBERNETES_VERSION } from '../../server/version.ts'
import { boolean, commandLine, integer, listOf, oneOf, text } from '../flags.ts'
import type { PortsFlags } from './kubelet-ports.ts'
import { makeLog } from '../log.ts'
import { LOG_LEVELS, type LogLevel, StartError } from '../options.ts'
import { remoteServer } from '../parts/remote-server.ts'
import { stayAlive } from '../signals.ts'
import { MAX_NODES } from './range.ts'
import { type Fleet, fleet, NODE_CAPACITY, POD_RANGE } from './simulated-nodes.ts'

const FLAGS = {
  kubeconfig: text('the API server, and who we are there', 'FILE'),
  nodes: integer('how many nodes', '1', 1, MAX_NODES),
  'hostname-override': text('name of the nodes, before their number', 'NAME', hostname().toLowerCase()),
  'pod-cidr': text('range of all their pods', 'CIDR', POD_RANGE),
  'node-labels': listOf('labels of the nodes: key=value', 'LABELS'),
  'register-with-taints': listOf('taints of the nodes at first: key=value:effect', 'TAINTS'),
  'cloud-provider': oneOf(
    '"external": nodes take no pods before a cloud controller manager has told of them',
    ['', 'external'],
    '',
  ),
  address: text('address to listen on', 'ADDRESS', '0.0.0.0'),
  'node-ip': text(
    'address at which the API server reaches us (default: the first of the machine)',
    'ADDRESS',
  ),
  port: integer('port of the first node; the next have the next ones; 0 picks free ones', '0', 0, 65535),
  'tls-cert-file': text('certificate to show there, PEM', 'FILE'),
  'tls-private-key-file': text('its key, PEM', 'FILE'),
  'anonymous-auth': boolean('let callers ask who show nothing', false),
  'client-ca-file': text('CAs of callers, PEM (default: those that the API server publishes)', 'FILE'),
  'authentication-token-webhook': boolean('show tokens to the API server', true),
  'authorization-mode': oneOf('who may ask', ['Webhook', 'AlwaysAllow'], 'Webhook'),
  capacity: listOf('what each node has: cpu=8,memory=32Gi,pods=110', 'AMOUNTS'),
  'log-level': oneOf('what is logged to stderr', LOG_LEVELS, 'info'),
} as const

export async function kubelet(argv: readonly string[]): Promise<void> {
  const flags = commandLine('dinghy kubelet', 'Runs simulated nodes: no containers run on them.', FLAGS, argv)
  if (!flags) return
  const podRange = flags['pod-cidr']
  if (!parseRange(podRange)) throw new StartError(`--pod-cidr: ${podRange} is no range of IPv4 addresses`)
  const wanted: Fleet = {
    prefix: flags['hostname-override'],
    count: flags.nodes,
    podRange,
    capacity: { ...NODE_CAPACITY, ...pairs('capacity', flags.capacity) },
    labels: pairs('node-labels', flags['node-labels']),
    taints: (flags['register-with-taints'] ?? []).map(taintOf),
    waitsForCloud: flags['cloud-provider'] === 'external',
  }
  const log = makeLog(flags['log-level'] as LogLevel)
  const api = new Api(
    new Http2Transport(await remoteServer(flags.kubeconfig)),
    `kubelet/${KUBERNETES_VERSION} (linux/amd64)`,
  )
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  stayAlive()
  const informers = new Informers({ api, clock: SYSTEM_CLOCK, log })
  const agent = new NodeAgent({ informers, apiOf: () => api, clock: SYSTEM_CLOCK, log })
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
  await Promise.race([informers.start(stop.signal), stopped])
  const running = agent.run(stop.signal)
  const { openPorts } = await import('./kubelet-ports.ts')
  const ports = await openPorts({ ...servingFlags(flags), api, agent })
  // Nodes of other processes keep their ranges to themselves.
  const nodes = await ports.withPorts(fleet(wanted, informers.of(NODES).reader.list()))
  await agent.add(nodes, stop.signal)
  log.info({ nodes: agent.size }, 'simulated nodes are registered')
  await running
  ports.close()
  process.exit(0)
}

function servingFlags(flags: NonNullable<ReturnType<typeof commandLine<typeof FLAGS>>>): PortsFlags {
  return {
    address: flags.address,
    host: flags['node-ip'],
    port: flags.port,
    certFile: flags['tls-cert-file'],
    keyFile: flags['tls-private-key-file'],
    clientCaFile: flags['client-ca-file'],
    anonymous: flags['anonymous-auth'],
    tokens: flags['authentication-token-webhook'],
    allowsAll: flags['authorization-mode'] === 'AlwaysAllow',
  }
}

/** "key=value:effect", the value may be missing. Throws StartError. */
function taintOf(word: string): Taint {
  const [, key = '', value, effect = ''] =
    /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(word) ?? []
  if (key === '') throw new StartError(`--register-with-taints: ${word} is no key=value:effect`)
  return value === undefined ? { key, effect } : { key, value, effect }
}

function pairs(flag: string, list: readonly string[] | undefined): Record<string, string> {
  const entries = (list ?? []).map((pair) => {
    const at = pair.indexOf('=')
    if (at <= 0) throw new StartError(`--${flag}: ${pair} is no key=value`)
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return Object.fromEntries(entries) as Record<string, string>
}
