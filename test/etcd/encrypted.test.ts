// Encrypted values on one etcd with upstream's kube-apiserver: each reads what the other encrypted, by every provider, and
// what lies in etcd looks the same. Needs an etcd and a kube-apiserver (see findEtcd, findKubeApiServer).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { startKeyService, type TestKeyService } from '../../src/storage/encryption/kms/testing.suite.ts'
import { openEtcd } from '../../src/storage/etcd/storage.ts'
import { type EtcdServer, findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import type { Storage } from '../../src/storage/interface.ts'
import { Client, eventually } from './client.ts'
import { EVENT_TTL_SECONDS, findKubeApiServer, SERVICE_RANGE, startKubeApiServer } from './kubeapiserver.ts'
import type { KubeApiServer } from './kubeapiserver.ts'

const etcdBinary = findEtcd()
const upstreamBinary = findKubeApiServer()
const PRESENT = etcdBinary !== undefined && upstreamBinary !== undefined
if (!PRESENT) console.warn('no etcd and kube-apiserver found: encryption is not compared with upstream')

const secretOf = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
const keys = (fill: number): JsonObject => ({ keys: [{ name: 'key1', secret: secretOf(fill) }] })

/** What is encrypted by what, and how such values begin. */
const PLACES: readonly [resource: string, path: string, key: string, prefix: string, object: JsonObject][] = [
  ['secrets', '/api/v1/namespaces/default/secrets', 'secrets/default', 'kms:v2:local:', {}],
  ['configmaps', '/api/v1/namespaces/default/configmaps', 'configmaps/default', 'aesgcm:v1:key1:', {}],
  [
    'leases.coordination.k8s.io',
    '/apis/coordination.k8s.io/v1/namespaces/default/leases',
    'leases/default',
    'aescbc:v1:key1:',
    { spec: { holderIdentity: 'planted' } },
  ],
  [
    '*.example.com',
    '/apis/example.com/v1/namespaces/default/pandas',
    'example.com/pandas/default',
    'secretbox:v1:key1:',
    { apiVersion: 'example.com/v1', kind: 'Panda', spec: { name: 'planted' } },
  ],
  [
    '*.rbac.authorization.k8s.io',
    '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles',
    'roles/default',
    'aesgcm:v1:key1:',
    { rules: [] },
  ],
  [
    'services',
    '/api/v1/namespaces/default/services',
    'services/specs/default',
    'aescbc:v1:key1:',
    {
      spec: { ports: [{ port: 80 }] },
    },
  ],
]

const configuration = (endpoint: string): JsonObject => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources: [
    {
      resources: ['secrets'],
      providers: [{ kms: { apiVersion: 'v2', name: 'local', endpoint } }, { identity: {} }],
    },
    {
      resources: ['configmaps', '*.rbac.authorization.k8s.io'],
      providers: [{ aesgcm: keys(1) }, { identity: {} }],
    },
    {
      resources: ['leases.coordination.k8s.io', 'services'],
      providers: [{ aescbc: keys(2) }, { identity: {} }],
    },
    { resources: ['*.example.com'], providers: [{ secretbox: keys(3) }, { identity: {} }] },
  ],
})

const DEFINITION: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'pandas.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'pandas', singular: 'panda', kind: 'Panda', listKind: 'PandaList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
}

describe.skipIf(!PRESENT)('encrypted on one etcd with kube-apiserver', { timeout: 120_000 }, () => {
  let folder: string
  let service: TestKeyService
  let etcd: EtcdServer
  let raw: Storage
  let upstream: KubeApiServer
  let cluster: Cluster
  let ours: Client
  let theirs: Client

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dinghy-encrypted-'))
    service = await startKeyService()
    const file = join(folder, 'encryption.yaml')
    writeFileSync(file, JSON.stringify(configuration(service.endpoint)), { mode: 0o600 })
    etcd = await startEtcd(etcdBinary as string)
    raw = await openEtcd({ servers: [etcd.url] })
    upstream = await startKubeApiServer(upstreamBinary as string, etcd.url, [
      `--encryption-provider-config=${file}`,
    ])
    theirs = new Client(upstream)
    expect(
      (await theirs.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION)).status,
    ).toBe(201)
    cluster = await startCluster({
      storage: { etcdServers: [etcd.url] },
      serviceClusterIpRange: [SERVICE_RANGE],
      eventTtlSeconds: EVENT_TTL_SECONDS,
      encryption: { configFile: file, automaticReload: false },
    })
    const { url, caCert: ca, clientCert: cert, clientKey: key } = cluster
    ours = new Client({ url, ca, cert, key })
    for (const client of [ours, theirs])
      await eventually(
        () => client.get('/apis/example.com/v1/namespaces/default/pandas'),
        ({ status }) => status === 200,
      )
  })
  afterAll(async () => {
    ours?.close()
    theirs?.close()
    await cluster?.stop()
    await upstream?.stop()
    await raw?.close()
    await etcd?.stop()
    await service?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const rawValue = async (key: string): Promise<Buffer> =>
    (await raw.get(`/registry/${key}`)).kv?.value ?? Buffer.alloc(0)

  it.each(PLACES)('%s: each reads what the other wrote', async (...row) => {
    const [, path, place, prefix, object] = row
    const of = (name: string): JsonObject => ({
      ...object,
      metadata: { name, annotations: { planted: 'planted' } },
    })
    for (const [writer, reader, name] of [
      [ours, theirs, 'by-us'],
      [theirs, ours, 'by-them'],
    ] as const) {
      const made = await writer.post(path, of(name))
      expect(made.status, made.text).toBe(201)
      const value = await rawValue(`${place}/${name}`)
      expect(value.subarray(0, 8 + prefix.length).toString()).toBe(`k8s:enc:${prefix}`)
      expect(value.includes('planted')).toBe(false)
      const read = await eventually(
        () => reader.get(`${path}/${name}`),
        ({ status }) => status === 200,
      )
      expect(read.body).toMatchObject({ metadata: (made.body['metadata'] ?? {}) as JsonObject })
      const patched = await reader.patch(`${path}/${name}`, {
        metadata: { annotations: { planted: 'again' } },
      })
      expect(patched.status, patched.text).toBe(200)
      expect((await rawValue(`${place}/${name}`)).subarray(0, 8).toString()).toBe('k8s:enc:')
      await eventually(
        () => writer.get(`${path}/${name}`),
        ({ text }) => text.includes('again'),
      )
    }
  })

  it('what was copied to another place is refused by both: by GCM and the service, not by CBC', async () => {
    for (const [, path, place, prefix] of PLACES.slice(0, 3)) {
      const key = `/registry/${place}/moved`
      await raw.write({ key, expected: 0, value: await rawValue(`${place}/by-us`) })
      const bound = !prefix.startsWith('aescbc')
      const wanted = bound ? 500 : 200
      for (const client of [ours, theirs]) {
        const { text } = await eventually(
          () => client.get(`${path}/moved`),
          ({ status }) => status === wanted,
        )
        if (bound) expect(text).toContain('cipher: message authentication failed')
      }
      const { kv } = await raw.get(key)
      await raw.write({ key, expected: kv?.modRevision ?? 0, value: null })
      for (const client of [ours, theirs])
        await eventually(
          () => client.get(path),
          ({ status, text }) => status === 200 && !text.includes('"moved"'),
        )
    }
  })
})
