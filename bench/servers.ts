// The two servers that are compared: `dinghy up`, and upstream's kube-apiserver on etcd. Each is started on free ports
// and on a folder of the harness, with a kubeconfig for the client.
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Program, start } from './processes.ts'
import { untilReady } from './readiness.ts'

export interface Server {
  /** From exec to a /readyz that answers 200, in ms. */
  readonly readyMs: number
  readonly programs: readonly Program[]
  readonly port: number
  readonly kubeconfig: string
  /** How our own client says who it is. */
  readonly credentials: Credentials
  stop(): Promise<void>
}

export type Credentials = { readonly token: string } | { readonly cert: string; readonly key: string }

/** A server as it can be started again and again. */
export interface Contender {
  readonly name: string
  /** Starts it on this folder: empty for a first start, used for a second. */
  start(folder: string): Promise<Server>
  /** The same with no plugin of admission that can be switched off; absent: nobody asks for that. */
  without?(): Contender
}

/** Those that a create of a pod passes. */
const PLUGINS = [
  ...[
    'NamespaceLifecycle',
    'LimitRanger',
    'ServiceAccount',
    'TaintNodesByCondition',
    'PodSecurity',
    'Priority',
  ],
  ...[
    'DefaultTolerationSeconds',
    'RuntimeClass',
    'PodTopologyLabels',
    'ResourceQuota',
    'MutatingAdmissionPolicy',
  ],
  ...['MutatingAdmissionWebhook', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionWebhook'],
]

/** The API server of the built project, by `bin/dinghy up`: lmdb, TLS, a client certificate, RBAC, admission. With flags: of node itself. */
export function dinghy(root: string, nodeFlags: readonly string[] = []): Contender {
  const command = nodeFlags.length
    ? [process.execPath, ...nodeFlags, join(root, 'dist/dinghy.cjs')]
    : [join(root, 'bin/dinghy')]
  return {
    name: 'dinghy',
    without: () => bare(root),
    async start(folder) {
      mkdirSync(folder, { recursive: true })
      const port = await freePort()
      const kubeconfig = join(folder, 'kubeconfig')
      const args = ['up', '--parts', 'apiserver', '--port', String(port), '--data-dir', folder]
      args.push('--kubeconfig', kubeconfig)
      const execAt = performance.now()
      const program = start([...command, ...args], join(folder, 'dinghy.log'))
      await untilReady(port, [program])
      const readyMs = performance.now() - execAt
      await untilWritten(kubeconfig)
      const pki = join(folder, 'pki')
      const credentials = { cert: pem(pki, 'admin.crt'), key: pem(pki, 'admin.key') }
      return { readyMs, programs: [program], port, kubeconfig, credentials, stop: () => program.stop() }
    },
  }
}

/** The same server by upstream's flags, which can take plugins of admission away. */
function bare(root: string): Contender {
  return {
    name: 'dinghy-bare',
    async start(folder) {
      const { kubeconfig } = prepare(folder)
      const port = await freePort()
      const command = [join(root, 'bin/dinghy'), 'apiserver', '--data-dir', join(folder, 'data')]
      const plugins = `--disable-admission-plugins=${PLUGINS.join()}`
      const execAt = performance.now()
      const program = start([...command, ...sharedFlags(folder, port), plugins], join(folder, 'dinghy.log'))
      await untilReady(port, [program])
      const readyMs = performance.now() - execAt
      const credentials = { token: TOKEN }
      return { readyMs, programs: [program], port, kubeconfig, credentials, stop: () => program.stop() }
    },
  }
}

const pem = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8')

/** The kubeconfig comes a moment after the server is ready. */
async function untilWritten(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5))
}

const TOKEN = 'secret'

/** etcd and kube-apiserver of a folder of built programs, as envtest starts them. */
export function upstream(programs: string): Contender {
  return {
    name: 'kube-apiserver + etcd',
    async start(folder) {
      const made = prepare(folder)
      const [port, client, peer] = [await freePort(), await freePort(), await freePort()]
      const execAt = performance.now()
      const etcd = start(etcdCommand(programs, folder, client, peer), join(folder, 'etcd.log'))
      const api = start(apiCommand(programs, folder, client, port), join(folder, 'api.log'))
      await untilReady(port, [etcd, api])
      const readyMs = performance.now() - execAt
      writeFileSync(made.kubeconfig, kubeconfigText(port))
      return {
        readyMs,
        programs: [api, etcd],
        port,
        kubeconfig: made.kubeconfig,
        credentials: { token: TOKEN },
        stop: () => api.stop().then(() => etcd.stop()),
      }
    },
  }
}

function prepare(folder: string): { kubeconfig: string } {
  mkdirSync(folder, { recursive: true })
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  if (!existsSync(join(folder, 'sa.key'))) writeFileSync(join(folder, 'sa.key'), privateKey)
  writeFileSync(join(folder, 'tokens.csv'), `${TOKEN},admin,admin,"system:masters"\n`)
  return { kubeconfig: join(folder, 'kubeconfig') }
}

function etcdCommand(programs: string, folder: string, client: number, peer: number): string[] {
  const url = `http://127.0.0.1:${client}`
  return [
    join(programs, 'etcd'),
    ...['--data-dir', join(folder, 'etcd'), '--log-level', 'error'],
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', `http://127.0.0.1:${peer}`],
  ]
}

function apiCommand(programs: string, folder: string, etcd: number, port: number): string[] {
  const store = `--etcd-servers=http://127.0.0.1:${etcd}`
  return [join(programs, 'kube-apiserver'), store, ...sharedFlags(folder, port)]
}

function sharedFlags(folder: string, port: number): string[] {
  const key = join(folder, 'sa.key')
  return [
    `--cert-dir=${join(folder, 'certs')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    '--authorization-mode=RBAC',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
  ]
}

const kubeconfigText = (port: number): string => `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:${port}", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: ${TOKEN}}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
`

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts on a fresh folder below `work`, hands the server out, and cleans up whatever happens. */
export async function withServer<T>(
  contender: Contender,
  work: string,
  use: (server: Server, folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(work, `${contender.name.split(' ')[0]}-${Date.now()}`)
  const server = await contender.start(folder)
  try {
    const died = Promise.race(server.programs.map((program) => program.ended))
    return await Promise.race([use(server, folder), died])
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
