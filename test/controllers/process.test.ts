// The controller manager as a process of its own, by a kubeconfig: it elects itself, works, tells how it is, and stops.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import { CONFIG_MAPS, LEASES, NAMESPACES, SERVICE_ACCOUNTS } from '../../src/client/resources.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { kubeconfigText } from '../../src/cmd/kubeconfig.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import { guarded } from '../../src/storage/testing.guard.suite.ts'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const WAIT = { timeout: 90_000, interval: 50 }
/** Of these the last publishes the CA of the kubeconfig, as no flag names another. */
const CONTROLLERS = 'serviceaccount,namespace,root-ca-cert-publisher'
const LEASE = { namespace: 'kube-system', name: 'kube-controller-manager' }
const folder = mkdtempSync(join(tmpdir(), 'dinghy-manager-'))
const kubeconfig = join(folder, 'config')
const clientCa = join(folder, 'ca.crt')
let server: ApiServer
let api: Api
let port: number

beforeAll(async () => {
  server = await startApiServer({ ...DEFAULTS, port: 0 })
  api = new Api(server.loopback(ADMIN), 'test')
  const { caCert, adminCert: clientCert, adminKey: clientKey } = server.identity
  writeFileSync(clientCa, caCert)
  writeFileSync(kubeconfig, kubeconfigText({ name: 'x', server: server.url, caCert, clientCert, clientKey }))
  port = await freePort()
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const listener = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = listener.address() as { port: number }
      listener.close(() => resolve(free))
    })
  })
}

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; stderr: string }>
}

function run(...flags: string[]): Run {
  const child = guarded(
    spawn(process.execPath, ['tools/run.js', 'src/cmd/main.ts', '--', 'controller-manager', ...flags]),
  )
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stderr }))
  })
  return { child, ended }
}

const ask = (
  path: string,
  headers: Record<string, string> = {},
  pair: { cert: string; key: string } | object = {},
): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, ...pair, rejectUnauthorized: false }
    request(options, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
      .on('error', reject)
      .end()
  })

async function adminToken(): Promise<string> {
  const place = { namespace: 'kube-system', name: 'scraper' }
  await api.create(SERVICE_ACCOUNTS, { metadata: place })
  await api.create(BINDINGS, {
    metadata: { name: 'scraper' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', ...place }],
  } as never)
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [] } }
  const answer = await api.post(SERVICE_ACCOUNTS, { ...place, subresource: 'token' }, body)
  return (answer['status'] as { token: string }).token
}

const BINDINGS = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
}

describe('dinghy controller-manager', () => {
  it('works as its controllers’ accounts, is measured, and gives its lease back', async () => {
    const { child, ended } = run(
      ...['--kubeconfig', kubeconfig, '--secure-port', String(port), '--bind-address', '127.0.0.1'],
      ...['--use-service-account-credentials', '--controllers', CONTROLLERS, '--client-ca-file', clientCa],
    )
    await vi.waitFor(async () => expect((await ask('/healthz')).body).toBe('ok'), WAIT)
    await api.create(NAMESPACES, { metadata: { name: 'fresh' } } as never)
    await vi.waitFor(() => api.get(SERVICE_ACCOUNTS, { namespace: 'fresh', name: 'default' }), WAIT)
    const { items } = await api.list(SERVICE_ACCOUNTS, { namespace: 'kube-system' })
    expect(items.map(({ metadata }) => metadata.name)).toContain('service-account-controller')
    const published = { namespace: 'fresh', name: 'kube-root-ca.crt' }
    const data = { 'ca.crt': server.identity.caCert }
    await vi.waitFor(async () => expect(await api.get(CONFIG_MAPS, published)).toMatchObject({ data }), WAIT)
    expect((await api.get(LEASES, LEASE)).spec?.holderIdentity).toMatch(/_[0-9a-f-]{36}$/)

    expect((await ask('/metrics')).status).toBe(403)
    expect((await ask('/metrics', { authorization: 'Bearer nonsense' })).status).toBe(401)
    const { status, body } = await ask('/metrics', { authorization: `Bearer ${await adminToken()}` })
    expect(status).toBe(200)
    expect(body).toMatch(/^workqueue_adds_total\{name="serviceaccount"\} [1-9]/m)
    expect(body).toMatch(/^workqueue_queue_duration_seconds_bucket\{name="serviceaccount",le="1e-8"\} \d+$/m)

    const { adminCert: cert, adminKey: key } = server.identity
    const slis = await ask('/metrics/slis', {}, { cert, key })
    expect(slis.body).toMatch(/^kubernetes_healthcheck\{name="ping",type="healthz"\} 1$/m)
    const good = 'name="ping",status="success",type="healthz"'
    expect(slis.body).toMatch(new RegExp(`^kubernetes_healthchecks_total\\{${good}\\} [1-9]`, 'm'))
    expect((await ask('/metrics/slis')).status).toBe(403)

    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
    expect((await api.get(LEASES, LEASE)).spec?.holderIdentity ?? '').toBe('')
  })

  it.each([
    [
      ['--kubeconfig', kubeconfig, '--controllers', 'nonsense'],
      /"nonsense" is not in the list of known controllers/,
    ],
    [['--kubeconfg', kubeconfig], /unknown option '--kubeconfg'; did you mean --kubeconfig\?/],
    [[], /--kubeconfig is needed/],
    [['--kubeconfig', join(folder, 'missing')], /cannot read .*missing: ENOENT/],
  ])(
    'says of %j what is wrong',
    async (flags, message) => {
      const { code, stderr } = await run(...flags).ended
      expect(stderr).toMatch(message)
      expect(code).toBe(1)
    },
    60_000,
  )
})
