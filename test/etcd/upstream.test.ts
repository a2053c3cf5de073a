// This server and upstream's kube-apiserver on one etcd: each reads what the other wrote, whatever the kind, and both
// keep to the same revisions. Needs an etcd and a kube-apiserver (see findEtcd, findKubeApiServer).
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { foreignReader } from '../../src/handlers/foreign.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Resource } from '../../src/schema/resource.ts'
import type { StructType } from '../../src/schema/type.ts'
import { decode } from '../../src/schema/protobuf/envelope.ts'
import { typeForKind } from '../../src/schema/types.ts'
import { openEtcd } from '../../src/storage/etcd/storage.ts'
import { findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import type { KeyValue } from '../../src/storage/interface.ts'
import { certificateRequest } from '../kinds/signing.ts'
import { metadataOf, nameOf, versionOf } from './client.ts'
import { collectionOf, keyOf, sampleOf, storedResources, type Variant } from './kinds.ts'
import { findKubeApiServer } from './kubeapiserver.ts'
import { both, itemsOf, keysIn, startOurs, startTogether, type Together } from './together.ts'
import { takingTurns } from './turns.suite.ts'

const etcdBinary = findEtcd()
const upstreamBinary = findKubeApiServer()
const PRESENT = etcdBinary !== undefined && upstreamBinary !== undefined
if (!PRESENT)
  console.warn(
    `no ${etcdBinary ? 'kube-apiserver ($DINGHY_KUBE_APISERVER names one)' : 'etcd ($DINGHY_ETCD names one)'} found: ` +
      'sharing an etcd with upstream is not tested',
  )

const ROUNDTRIP = join(import.meta.dirname, '../../../shared/upstream/roundtrip')

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

describe.skipIf(!PRESENT)('on one etcd with kube-apiserver', { timeout: 600_000 }, () => {
  let together: Together
  let samples: ReturnType<typeof variants>

  beforeAll(async () => {
    samples = variants()
    together = await startTogether({ etcd: etcdBinary as string, kubeApiServer: upstreamBinary as string })
    // What kube-controller-manager would make; without it no pod is let in.
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    const { status } = await together.theirs.post('/api/v1/namespaces/default/serviceaccounts', account)
    expect(status).toBe(201)
  })
  afterAll(() => together?.stop())

  async function valueOf(resource: Resource, name: string): Promise<KeyValue> {
    const namespace = resource.namespaced ? 'default/' : ''
    const key = `/registry/${resource.storagePrefix}/${namespace}${name}`
    const { kv } = await together.storage.get(key)
    if (!kv) throw new Error(`nothing is stored at ${key}`)
    return kv
  }

  it('reads what upstream makes at its start as upstream does', async () => {
    let seen = 0
    for (const resource of storedResources()) {
      const path = collectionOf({ ...resource, namespaced: false })
      const [a, b] = await both(together, path)
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
      const { ours, theirs } = together
      for (const [client, variant] of [
        [ours, samples.ours],
        [theirs, samples.theirs],
      ] as const) {
        const sample = sampleOf(resource, variant) as JsonObject
        const answer = await client.post(collection, sample)
        expect(answer.status, answer.text).toBe(201)
        const name = nameOf(sample)
        const [a, b] = await both(together, `${collection}/${name}`)
        expect(nameOf(a), JSON.stringify(a)).toBe(name)
        expect(a).toEqual(b)
        values.push(await valueOf(resource, name))
      }
      const [a, b] = await both(together, collection)
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
      for (const item of itemsOf((await both(together, collectionOf(resource)))[0])) {
        const [a, b] = await both(together, `${collectionOf(resource)}/${nameOf(item)}`)
        expect(a).toEqual(b)
      }
    }
  })

  takingTurns(() => together)

  it.skipIf(!existsSync(ROUNDTRIP))(
    'reads every field that upstream could have stored, and upstream reads ours',
    async () => {
      const { storage } = together
      let read = 0
      for (const resource of storedResources()) {
        const file = join(ROUNDTRIP, `${apiOf(resource)}.${resource.kind}.pb`)
        if (!existsSync(file) || resource.storage.version !== resource.version) continue
        const { storagePrefix, namespaced } = resource
        const path = `${collectionOf(resource, 'namespaceValue')}/nameValue`
        const key = `/registry/${storagePrefix}/${namespaced ? 'namespaceValue/' : ''}nameValue`
        const stored = await storage.write({ key, expected: 0, value: readFileSync(file) })
        expect(stored.ok).toBe(true)
        const [a, b] = await both(together, path)
        expect(a).toEqual(b)
        expect(nameOf(b)).toBe('nameValue')
        read++
        const { kv } = await storage.get(key)
        const gvk = { ...resource.storage, kind: resource.kind }
        const json = foreignReader(gvk, typeForKind(gvk) as StructType)(readFileSync(file))
        await storage.write({ key, expected: kv?.modRevision ?? 0, value: json })
        const [c, d] = await both(together, path)
        expect(d).toEqual(c)
        expect(unversioned(c)).toEqual(unversioned(a))
        await storage.write({ key, expected: Number(versionOf(c)), value: null })
      }
      expect(read).toBeGreaterThan(45)
    },
  )

  it('makes the same objects at its start, under the same keys', async () => {
    const own = await startEtcd(etcdBinary as string)
    try {
      await (await startOurs(own)).stop()
      const { keysOfUpstream } = together
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

/** Made by servers that know a client CA, which the other was not given. */
const WITH_CLIENT_CA = '/registry/configmaps/kube-system/extension-apiserver-authentication'

/** Which of several kube-apiservers is there, the (still empty) record of ports, since when tokens are tracked. */
const OF_UPSTREAM_ALONE =
  /^\/registry\/(masterleases|leases|peerserverleases|ranges)\/|legacy-service-account-token-tracking$/

const unversioned = (object: JsonObject): JsonObject => ({
  ...object,
  metadata: { ...metadataOf(object), resourceVersion: '' },
})

/** As the names of upstream's samples begin. */
const apiOf = ({ group, version }: Resource): string => `${group || 'core'}.${version}`

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
