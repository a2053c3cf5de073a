// Upstream's sample-apiserver behind this server: an extension server as k8s.io/apiserver makes them, with its own etcd.
// It checks who comes by the ConfigMap that we write, and asks us whether they may. conformance/build-sample-apiserver.sh
// builds it.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { kubeconfigText } from '../../src/cmd/kubeconfig.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { type EtcdServer, findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import { guarded } from '../../src/storage/testing.guard.suite.ts'
import { ADMIN, APISERVICES, eventually } from './aggregated.ts'

/** Where it is: $DINGHY_SAMPLE_APISERVER, the PATH, or what the script built; undefined where there is none. */
function findSample(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const candidates = [
    process.env['DINGHY_SAMPLE_APISERVER'],
    ...folders.map((folder) => join(folder, 'sample-apiserver')),
    join(import.meta.dirname, '../../.cache/sample-apiserver'),
  ]
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path))
}

const binaries = { etcd: findEtcd(), sample: findSample() }
const GROUP = 'wardle.example.com'
const FLUNDERS = `/apis/${GROUP}/v1alpha1/namespaces/default/flunders`

describe.skipIf(!binaries.etcd || !binaries.sample)(
  'upstream’s sample-apiserver (needs it and etcd)',
  { timeout: 120_000 },
  () => {
    let server: ApiServer
    let etcd: EtcdServer
    let sample: ChildProcess
    let folder: string

    const send = async (method: string, path: string, object?: JsonObject, user = ADMIN) => {
      const answer = await server.loopback(user).send({
        method,
        path,
        headers: {
          accept: 'application/json',
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        },
        ...(object ? { body: Buffer.from(JSON.stringify(object)) } : {}),
      })
      const text = (await answer.body()).toString()
      const body = (text.startsWith('{') ? JSON.parse(text) : {}) as JsonObject
      return { code: answer.status, text, body }
    }

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'dinghy-sample-'))
      server = await startApiServer({ ...DEFAULTS, port: 0, logLevel: 'error' })
      etcd = await startEtcd(binaries.etcd ?? '')
      const port = await freePort()
      sample = guarded(
        spawn(binaries.sample ?? '', flagsFor(folder, server, etcd, port), { stdio: 'ignore' }),
      )
      await register(send, port)
    })

    afterAll(async () => {
      if (sample && sample.exitCode === null) {
        const gone = new Promise((resolve) => sample.once('exit', resolve))
        sample.kill('SIGKILL')
        await gone
      }
      await server?.stop()
      await etcd?.stop()
      rmSync(folder, { recursive: true, force: true })
    })

    it('is found available, lets us in as whom we name, and serves its kinds through us', async () => {
      const condition = await eventually(
        async () => {
          const { body } = await send('GET', `${APISERVICES}/v1alpha1.${GROUP}`)
          return (body['status'] as { conditions?: { reason: string }[] }).conditions?.[0]
        },
        (seen) => seen?.reason === 'Passed',
        90_000,
      )
      expect(condition).toMatchObject({ status: 'True', reason: 'Passed', message: 'all checks passed' })

      const flunder = { metadata: { name: 'a' }, spec: { reference: 'b' } }
      const created = await send('POST', FLUNDERS, {
        apiVersion: `${GROUP}/v1alpha1`,
        kind: 'Flunder',
        ...flunder,
      })
      expect([created.code, created.body]).toMatchObject([201, flunder])
      const listed = await send('GET', FLUNDERS)
      expect(listed.body).toMatchObject({ kind: 'FlunderList', items: [flunder] })

      const rv = (listed.body['metadata'] as { resourceVersion: string }).resourceVersion
      const watch = await server.loopback(ADMIN).send({
        method: 'GET',
        path: `${FLUNDERS}?watch=1&resourceVersion=${rv}`,
        headers: { accept: 'application/json' },
      })
      const events = watch.chunks()[Symbol.asyncIterator]()
      const patched = await send('PATCH', `${FLUNDERS}/a`, { metadata: { labels: { c: 'd' } } })
      expect(patched.code).toBe(200)
      const { value } = await events.next()
      expect(JSON.parse(String(value))).toMatchObject({
        type: 'MODIFIED',
        object: { metadata: { labels: { c: 'd' } } },
      })
      await events.return?.()
      expect((await send('DELETE', `${FLUNDERS}/a`)).code).toBe(200)
      expect((await send('GET', `${FLUNDERS}/a`)).body).toMatchObject({ reason: 'NotFound', code: 404 })
    })

    it('is asked only by those who may, by our policy and by its own question to us', async () => {
      const jane = { name: 'jane', groups: ['system:authenticated'] }
      const refused = await send('GET', FLUNDERS, undefined, jane)
      expect(refused.body).toMatchObject({ code: 403, reason: 'Forbidden' })
      const rules = [{ apiGroups: [GROUP], resources: ['flunders'], verbs: ['list'] }]
      const rbac = '/apis/rbac.authorization.k8s.io/v1'
      await send('POST', `${rbac}/clusterroles`, { metadata: { name: 'flunders' }, rules })
      await send('POST', `${rbac}/clusterrolebindings`, {
        metadata: { name: 'flunders' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'flunders' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
      })
      const allowed = await eventually(
        () => send('GET', FLUNDERS, undefined, jane),
        ({ code }) => code === 200,
        60_000,
      )
      expect(allowed.body).toMatchObject({ kind: 'FlunderList' })
    })

    it('is in discovery and in both versions of OpenAPI', async () => {
      const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
      const fresh = await eventually(
        async () => {
          const way = server.loopback(ADMIN)
          const answer = await way.send({ method: 'GET', path: '/apis', headers: { accept: aggregated } })
          const { items } = JSON.parse((await answer.body()).toString()) as {
            items: {
              metadata: { name: string }
              versions: { freshness: string; resources?: JsonObject[] }[]
            }[]
          }
          return items.find(({ metadata }) => metadata.name === GROUP)?.versions[0]
        },
        (seen) => seen?.freshness === 'Current',
        60_000,
      )
      const names = fresh?.resources?.map(({ resource }) => resource)
      expect(names?.sort()).toEqual(['fischers', 'flunders'])
      const { body } = await send('GET', '/openapi/v3')
      const paths = body['paths'] as Record<string, { serverRelativeURL: string }>
      const url = paths[`apis/${GROUP}/v1alpha1`]?.serverRelativeURL ?? ''
      expect((await send('GET', url)).body['paths']).toHaveProperty([`/apis/${GROUP}/v1alpha1/flunders`])
      const v2 = (await send('GET', '/openapi/v2')).body
      expect(v2['paths']).toHaveProperty([`/apis/${GROUP}/v1alpha1/flunders`])
      expect(v2['paths']).toHaveProperty(['/api/v1/pods'])
    })
  },
)

function flagsFor(folder: string, { url, identity }: ApiServer, etcd: EtcdServer, port: number): string[] {
  const kubeconfig = join(folder, 'kubeconfig')
  const { caCert, adminCert: clientCert, adminKey: clientKey } = identity
  writeFileSync(kubeconfig, kubeconfigText({ name: 'x', server: url, caCert, clientCert, clientKey }), {
    mode: 0o600,
  })
  return [
    `--etcd-servers=${etcd.url}`,
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--cert-dir=${join(folder, 'certs')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
  ]
}

type Send = (method: string, path: string, object?: JsonObject) => Promise<{ readonly code: number }>

async function register(send: Send, port: number): Promise<void> {
  const metadata = { name: 'sample' }
  await send('POST', '/api/v1/namespaces', { metadata: { name: 'wardle' } })
  const spec = { type: 'ExternalName', externalName: 'localhost' }
  await send('POST', '/api/v1/namespaces/wardle/services', { metadata, spec })
  const { code } = await send('POST', APISERVICES, {
    metadata: { name: `v1alpha1.${GROUP}` },
    spec: {
      group: GROUP,
      version: 'v1alpha1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      insecureSkipTLSVerify: true,
      service: { namespace: 'wardle', name: 'sample', port },
    },
  })
  expect(code).toBe(201)
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
