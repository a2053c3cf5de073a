// This server and upstream's kube-apiserver on one etcd: each reads what the other wrote, whatever the kind, and both
// keep to the same revisions. Needs an etcd and a kube-apiserver (see findEtcd, findKubeApiServer).
import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Resource } from '../../src/schema/resource.ts'
import { decode } from '../../src/schema/protobuf/envelope.ts'
import { typeForKind } from '../../src/schema/types.ts'
import { openEtcd } from '../../src/storage/etcd/storage.ts'
import { type EtcdServer, findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import { type KeyValue, type ListResult, type Storage } from '../../src/storage/interface.ts'
import { Client, eventually, nameOf, versionOf } from './client.ts'
import { collectionOf, keyOf, sampleOf, storedResources, type Variant } from './kinds.ts'
import { findKubeApiServer, type KubeApiServer, SERVICE_RANGE, startKubeApiServer } from './kubeapiserver.ts'

const etcdBinary = findEtcd()
const upstreamBinary = findKubeApiServer()
const PRESENT = etcdBinary !== undefined && upstreamBinary !== undefined
if (!PRESENT)
  console.warn(
    `no ${etcdBinary ? 'kube-apiserver ($DINGHY_KUBE_APISERVER names one)' : 'etcd ($DINGHY_ETCD names one)'} found: ` +
      'sharing an etcd with upstream is not tested',
  )

const PROTOBUF_MAGIC = 'k8s\0'
/** Groups whose objects upstream stores as JSON. */
const AS_JSON: ReadonlySet<string> = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])
/** Upstream stores it in a version that nobody serves any more, and rewrites ours in that as well. */
const IN_OLD_VERSION = 'apiextensions.k8s.io/customresourcedefinitions'

const variants = (): { readonly ours: Variant; readonly theirs: Variant } => {
  const signingRequest = certificateRequest()
  return {
    ours: { name: 'ours', address: '10.96.7.1', signingRequest },
    theirs: { name: 'theirs', address: '10.96.7.2', signingRequest },
  }
}

function certificateRequest(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }) as string)
  const request = forge.pki.createCertificationRequest()
  request.publicKey = forge.pki.setRsaPublicKey(key.n, key.e)
  request.setSubject([{ name: 'commonName', value: 'someone' }])
  request.sign(key, forge.md.sha256.create())
  return Buffer.from(forge.pki.certificationRequestToPem(request)).toString('base64')
}

describe.skipIf(!PRESENT)('on one etcd with kube-apiserver', { timeout: 180_000 }, () => {
  let etcd: EtcdServer
  let storage: Storage
  let upstream: KubeApiServer
  let cluster: Cluster
  let ours: Client
  let theirs: Client
  let samples: ReturnType<typeof variants>
  let keysOfUpstream: readonly string[]

  beforeAll(async () => {
    samples = variants()
    etcd = await startEtcd(etcdBinary as string)
    storage = await openEtcd({ servers: [etcd.url] })
    upstream = await startKubeApiServer(upstreamBinary as string, etcd.url)
    keysOfUpstream = await eventually(
      () => keysIn(storage),
      (keys) => LAST_AT_START.every((key) => keys.includes(key)),
    )
    cluster = await startCluster({
      storage: { etcdServers: [etcd.url] },
      serviceClusterIpRange: [SERVICE_RANGE],
    })
    ours = new Client({
      url: cluster.url,
      ca: cluster.caCert,
      cert: cluster.clientCert,
      key: cluster.clientKey,
    })
    theirs = new Client(upstream)
    // What kube-controller-manager would make; without it no pod is let in.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    expect((await theirs.post('/api/v1/namespaces/default/serviceaccounts', account)).status).toBe(201)
  }, 120_000)

  afterAll(async () => {
    ours?.close()
    theirs?.close()
    await cluster?.stop()
    await upstream?.stop()
    await storage?.close()
    await etcd?.stop()
  })

  /** Both servers' answers to a GET, once they are of the same revision: upstream's own loops write too. */
  async function both(path: string): Promise<readonly [JsonObject, JsonObject]> {
    const pair = async () => [await ours.get(path), await theirs.get(path)] as const
    const [a, b] = await eventually(
      pair,
      ([x, y]) => x.status === y.status && versionsOf(x.body) === versionsOf(y.body),
    )
    return [a.body, b.body]
  }

  async function valueOf(resource: Resource, name: string): Promise<KeyValue> {
    const namespace = resource.namespaced ? 'default/' : ''
    const key = `/registry/${resource.storagePrefix}/${namespace}${name}`
    const { kv } = await storage.get(key)
    if (!kv) throw new Error(`nothing is stored at ${key}`)
    return kv
  }

  it('reads what upstream makes at its start as upstream does', async () => {
    let seen = 0
    for (const resource of storedResources()) {
      const path = collectionOf({ ...resource, namespaced: false })
      const [a, b] = await both(path)
      expect(itemsOf(a), path).toEqual(itemsOf(b))
      seen += itemsOf(b).length
    }
    expect(seen).toBeGreaterThan(150)
  })

  const created: string[] = []
  for (const resource of storedResources()) {
    const title = `${resource.group || 'core'}/${resource.version} ${resource.name}`
    if (!sampleOf(resource, { name: 'x', address: '', signingRequest: '' })) continue
    created.push(keyOf(resource))

    it(`${title}: each reads the other's`, async () => {
      const collection = collectionOf(resource)
      const values: KeyValue[] = []
      for (const [client, variant] of [
        [ours, samples.ours],
        [theirs, samples.theirs],
      ] as const) {
        const sample = sampleOf(resource, variant) as JsonObject
        const answer = await client.post(collection, sample)
        expect(answer.status, answer.text).toBe(201)
        const name = nameOf(sample)
        const [a, b] = await both(`${collection}/${name}`)
        expect(nameOf(a), JSON.stringify(a)).toBe(name)
        expect(a).toEqual(b)
        values.push(await valueOf(resource, name))
      }
      const [a, b] = await both(collection)
      expect(itemsOf(a)).toEqual(itemsOf(b))
      const [mine, other] = values as [KeyValue, KeyValue]
      expect(writtenBy(other.value)).toBe(AS_JSON.has(resource.group) ? 'JSON' : 'protobuf')
      if (keyOf(resource) !== IN_OLD_VERSION)
        expect(storedVersion(mine.value)).toEqual(storedVersion(other.value))
    })
  }

  it('covers every kind', () => {
    const missing = storedResources()
      .map(keyOf)
      .filter((key) => !created.includes(key))
    expect(missing).toEqual([])
  })

  it('serves every version of a kind from what the other wrote', async () => {
    for (const resource of storedResources()) {
      for (const item of itemsOf((await both(collectionOf(resource)))[0])) {
        const [a, b] = await both(`${collectionOf(resource)}/${nameOf(item)}`)
        expect(a).toEqual(b)
      }
    }
  })

  it('makes the same objects at its start, under the same keys', async () => {
    const own = await startEtcd(etcdBinary as string)
    try {
      const alone = await startCluster({
        storage: { etcdServers: [own.url] },
        serviceClusterIpRange: [SERVICE_RANGE],
      })
      await alone.stop()
      const opened = await openEtcd({ servers: [own.url] })
      const keys = await keysIn(opened)
      await opened.close()
      expect(keys.filter((key) => !keysOfUpstream.includes(key))).toEqual([WITH_CLIENT_CA])
      expect(keysOfUpstream.filter((key) => !keys.includes(key) && !OF_UPSTREAM_ALONE.test(key))).toEqual([])
    } finally {
      await own.stop()
    }
  })
})

/** What upstream makes some time after it is ready. */
const LAST_AT_START = ['/registry/endpointslices/default/kubernetes', '/registry/ranges/servicenodeports']

/** Made by servers that know a client CA, which the other was not given. */
const WITH_CLIENT_CA = '/registry/configmaps/kube-system/extension-apiserver-authentication'

/** Which of several kube-apiservers is there, and since when tokens of service accounts are tracked. */
const OF_UPSTREAM_ALONE =
  /^\/registry\/(masterleases|leases|peerserverleases)\/|legacy-service-account-token-tracking$/

async function keysIn(storage: Storage): Promise<readonly string[]> {
  const { items } = (await storage.list({ prefix: '/registry/' })) as ListResult
  return items.map(({ key }) => key)
}

const itemsOf = (list: JsonObject): readonly JsonObject[] => (list['items'] ?? []) as JsonObject[]

/** Of an object or a list's items: what must be the same before contents are compared. */
function versionsOf(body: JsonObject): string {
  const items = body['items'] as JsonObject[] | undefined
  return items ? items.map((item) => `${nameOf(item)}@${versionOf(item)}`).join() : versionOf(body)
}

const writtenBy = (value: Buffer): string =>
  value.subarray(0, 4).toString() === PROTOBUF_MAGIC ? 'protobuf' : 'JSON'

/** The apiVersion and kind that lie in the store. */
function storedVersion(value: Buffer): readonly unknown[] {
  const object =
    writtenBy(value) === 'protobuf'
      ? decode(value, { typeFor: typeForKind })
      : (JSON.parse(value.toString()) as JsonObject)
  return [object['apiVersion'], object['kind']]
}
