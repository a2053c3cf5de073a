// The cluster that kubectl-suite.ts works on: the built API server and controllers, with the flags of upstream's
// hack/make-rules/test-cmd.sh, and the one node object that it makes. No kubelet runs, and no scheduler.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endAllAtExit, type Program, start } from '../bench/processes.ts'

export interface SuiteCluster {
  readonly port: number
  /** The server's own certificate, a file in PEM. */
  readonly certificate: string
  stop(): Promise<void>
}

const START_MS = 60_000
const POLL_MS = 50
const ISSUER = 'https://kubernetes.default.svc'
const DISABLED = [
  ...['ServiceAccount', 'DefaultStorageClass', 'DefaultTolerationSeconds'],
  ...['MutatingAdmissionWebhook', 'ValidatingAdmissionWebhook', 'StorageObjectInUseProtection'],
]
const NODE = {
  kind: 'Node',
  apiVersion: 'v1',
  metadata: { name: '127.0.0.1', annotations: { 'save-managers': 'true' } },
  status: { capacity: { memory: '1Gi' } },
}

/** Starts it on a free port, with the suite's own CA and tokens, and its logs in `logs`. Ends with this process. */
export async function startSuiteCluster(root: string, suite: string, logs: string): Promise<SuiteCluster> {
  endAllAtExit()
  const folder = mkdtempSync(join(tmpdir(), 'dinghy-suite-cluster-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const program = join(root, 'bin/dinghy')
  const [log, kubeconfig] = [join(logs, 'apiserver.log'), join(folder, 'kubeconfig')]
  writeFileSync(log, '')
  const api = start([program, 'apiserver', ...apiFlags(suite, folder)], log)
  const port = await Promise.race([portIn(log), api.ended])
  writeFileSync(kubeconfig, kubeconfigText(port))
  const controllers = start(
    [program, 'controller-manager', ...controllerFlags(suite, kubeconfig)],
    join(logs, 'controller-manager.log'),
  )
  const kubectl = join(suite, '_output/bin/kubectl')
  execFileSync(kubectl, ['--kubeconfig', kubeconfig, 'create', '-f', '-'], {
    input: JSON.stringify(NODE),
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  return { port, certificate: join(folder, 'apiserver.crt'), stop: () => stopAll([controllers, api]) }
}

async function stopAll(programs: readonly Program[]): Promise<void> {
  for (const program of programs) await program.stop()
}

function apiFlags(suite: string, folder: string): string[] {
  const key = join(folder, 'service-account.key')
  execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' })
  return [
    '--memory',
    '--secure-port=0',
    '--bind-address=127.0.0.1',
    '--authorization-mode=RBAC,AlwaysAllow',
    '--enable-admission-plugins=LimitRanger,ResourceQuota',
    `--disable-admission-plugins=${DISABLED.join(',')}`,
    '--runtime-config=api/v1',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-lookup=true',
    `--service-account-issuer=${ISSUER}`,
    `--cert-dir=${folder}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    `--client-ca-file=${join(suite, 'hack/testdata/ca/ca.crt')}`,
    `--token-auth-file=${join(suite, 'hack/testdata/auth-tokens.csv')}`,
  ]
}

const controllerFlags = (suite: string, kubeconfig: string): string[] => [
  `--cluster-signing-cert-file=${join(suite, 'hack/testdata/ca/ca.crt')}`,
  `--cluster-signing-key-file=${join(suite, 'hack/testdata/ca/ca.key')}`,
  '--secure-port=0',
  `--kubeconfig=${kubeconfig}`,
]

/** The port that the server says it has taken. */
async function portIn(log: string): Promise<number> {
  for (let waited = 0; waited < START_MS; waited += POLL_MS) {
    const [, port] = /"url":"https:\/\/[^"]*:(\d+)"/.exec(readFileSync(log, 'utf8')) ?? []
    if (port !== undefined) return Number(port)
    await sleep(POLL_MS)
  }
  throw new Error(`the API server did not start; see ${log}`)
}

const kubeconfigText = (port: number): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'u', user: { token: 'admin-token' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  })
