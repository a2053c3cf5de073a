// Encryption at rest from the outside: what lies in the file, keys that change, a key service that comes and goes.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { openEncryption } from '../../src/cmd/apiserver/encryption.ts'
import { makeLog } from '../../src/cmd/log.ts'
import type { StorageChoice } from '../../src/cmd/options.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { startKeyService } from '../../src/storage/encryption/kms/testing.suite.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { ApiClient } from '../api/client.ts'

const SECRETS = '/api/v1/namespaces/default/secrets'
const PLANTED = 'planted-in-a-secret'

const folder = mkdtempSync(join(tmpdir(), 'dinghy-at-rest-'))
const dataDir = join(folder, 'data')
const configFile = join(folder, 'encryption.yaml')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const key = (name: string, fill: number): JsonObject => ({
  name,
  secret: Buffer.alloc(32, fill).toString('base64'),
})

const configure = (...providers: readonly JsonObject[]): void => configureFor(['secrets'], providers)

function configureFor(kinds: string[], providers: readonly JsonObject[]): void {
  const resources = [{ resources: kinds, providers: [...providers] }]
  const value = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources }
  writeFileSync(configFile, JSON.stringify(value), { mode: 0o600 })
}

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

async function start(storage: StorageChoice = { dataDir }): Promise<ApiClient> {
  const cluster: Cluster = await startCluster({
    storage,
    logLevel: 'error',
    encryption: { configFile, automaticReload: false },
  })
  const client = new ApiClient(cluster)
  const stop = async (): Promise<void> => {
    client.close()
    await cluster.stop()
  }
  running.push(stop)
  return client
}

const stopAll = async (): Promise<void> => {
  for (const stop of running.splice(0)) await stop()
}

/** Everything that the store has written to the disk. */
const onDisk = (): Buffer =>
  Buffer.concat(readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name))))

const secret = (name: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, labels: { app: 'x' } },
  stringData: { password: PLANTED },
})

describe('a store on this disk', () => {
  it('holds secrets only as ciphertext, and shows them as ever', async () => {
    configure({ aescbc: { keys: [key('one', 1)] } }, { identity: {} })
    const client = await start()
    expect((await client.ask('POST', SECRETS, { body: secret('a') })).status).toBe(201)
    const patched = await client.ask('PATCH', `${SECRETS}/a`, {
      body: { metadata: { labels: { app: 'y' } } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(patched.status).toBe(200)
    const { body } = await client.ask('GET', `${SECRETS}?labelSelector=app%3Dy`)
    expect(Buffer.from(body.items[0].data.password, 'base64').toString()).toBe(PLANTED)
    const disk = onDisk()
    expect(disk.includes('k8s:enc:aescbc:v1:one:')).toBe(true)
    for (const clear of [PLANTED, Buffer.from(PLANTED).toString('base64')])
      expect(disk.includes(clear)).toBe(false)
  })

  it('is written by a new key where an update changes nothing, and the old one can be dropped', async () => {
    configure({ aescbc: { keys: [key('two', 2), key('one', 1)] } }, { identity: {} })
    const client = await start()
    const path = `${SECRETS}/a`
    const before = (await client.ask('GET', path)).body
    const after = (await client.ask('PUT', path, { body: before })).body
    expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion)
    const again = (await client.ask('PUT', path, { body: after })).body
    expect(again.metadata.resourceVersion).toBe(after.metadata.resourceVersion)
    await stopAll()
    configure({ aescbc: { keys: [key('two', 2)] } }, { identity: {} })
    expect((await (await start()).ask('GET', path)).status).toBe(200)
  })

  it('says which value it cannot read, of one resource and no other', async () => {
    configure({ aescbc: { keys: [key('three', 3)] } }, { identity: {} })
    const client = await start()
    const { status, body } = await client.ask('GET', SECRETS)
    expect([status, body.reason, body.message]).toEqual([
      500,
      'InternalError',
      'Internal error occurred: unable to transform key "/registry/secrets/default/a": no matching key was found for the provided AES transformer',
    ])
    expect((await client.ask('GET', '/api/v1/namespaces/default/configmaps')).status).toBe(200)
  })

  it('shows what lies beside a value that nobody can read, and counts what it turned', async () => {
    configure({ aescbc: { keys: [key('two', 2)] } }, { identity: {} })
    await (await start()).ask('POST', SECRETS, { body: { metadata: { name: 'gone' } } })
    await stopAll()
    // The other one is written by the key that stays.
    configure({ aescbc: { keys: [key('three', 3), key('two', 2)] } }, { identity: {} })
    await (await start()).ask('POST', SECRETS, { body: { metadata: { name: 'kept' } } })
    await stopAll()
    configure({ aescbc: { keys: [key('three', 3)] } }, { identity: {} })
    const client = await start()
    const kept = await client.ask('GET', `${SECRETS}/kept`)
    expect([kept.status, kept.body.metadata.name]).toEqual([200, 'kept'])
    expect((await client.ask('GET', `${SECRETS}/none`)).status).toBe(404)
    for (const path of [`${SECRETS}/gone`, SECRETS]) {
      const { status, body } = await client.ask('GET', path)
      expect([status, body.reason]).toEqual([500, 'InternalError'])
    }
    const text = (await client.ask('GET', '/metrics')).bytes.toString()
    const row = (prefix: string, status: string): string =>
      'apiserver_storage_transformation_operations_total{resource="secrets",transformation_type="from_storage",' +
      `transformer_prefix="${prefix}",status="${status}"}`
    expect(text).toContain(row('k8s:enc:aescbc:v1:', 'OK'))
    expect(text).toContain(row('k8s:enc:aescbc:v1:', 'unknown-non-grpc'))
    expect(text).toMatch(
      /apiserver_encryption_config_controller_last_config_info{.*hash="sha256:[0-9a-f]{64}"} 1/,
    )
    expect(text).toMatch(/apiserver_storage_transformation_duration_seconds_count{.*prefix="three:"} [1-9]/)
    // As the tests behind this one know it.
    await stopAll()
    configure({ aescbc: { keys: [key('three', 3), key('two', 2)] } }, { identity: {} })
    const again = await start()
    for (const name of ['gone', 'kept'])
      expect((await again.ask('DELETE', `${SECRETS}/${name}`)).status).toBe(200)
  })

  it('is decrypted again where identity comes first', async () => {
    configure({ identity: {} }, { aescbc: { keys: [key('two', 2)] } })
    const client = await start()
    const before = (await client.ask('GET', `${SECRETS}/a`)).body
    const after = (await client.ask('PUT', `${SECRETS}/a`, { body: before })).body
    expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion)
    configure({ identity: {} })
    await stopAll()
    expect((await (await start()).ask('GET', `${SECRETS}/a`)).status).toBe(200)
  })
})

describe('a key service', () => {
  it('is told of by readyz, not by livez, and what it encrypts needs it', async () => {
    const service = await startKeyService()
    running.push(() => service.stop())
    const kms = { apiVersion: 'v2', name: 'local', endpoint: service.endpoint }
    configure({ kms: { ...kms, timeout: '1s' } }, { identity: {} })
    const client = await start()
    expect((await client.ask('POST', SECRETS, { body: secret('by-service') })).status).toBe(201)
    expect(onDisk().includes('k8s:enc:kms:v2:local:')).toBe(true)
    expect((await client.ask('GET', '/readyz/kms-providers')).bytes.toString()).toBe('ok')
    expect((await client.ask('GET', '/healthz?verbose')).bytes.toString()).toContain('[+]kms-providers ok')
    expect((await client.ask('GET', '/livez/kms-providers')).status).toBe(404)
    expect((await client.ask('GET', `${SECRETS}/by-service`)).status).toBe(200)
  })

  it('that is not there refuses writes of what it is to encrypt, in upstream’s words', async () => {
    const endpoint = `unix://${join(folder, 'nobody.sock')}`
    configure({ kms: { apiVersion: 'v2', name: 'local', endpoint, timeout: '100ms' } }, { identity: {} })
    const client = await start({ memory: true })
    const refused = await client.ask('POST', SECRETS, { body: secret('x') })
    expect([refused.status, refused.body.message]).toEqual([
      500,
      'Internal error occurred: got unexpected nil transformer',
    ])
    const ill = await client.ask('GET', '/readyz/kms-providers')
    expect(ill.status).toBe(500)
    expect(ill.bytes.toString()).toContain(
      'internal server error: kms-provider-0: failed to perform status section of the healthz check for KMS Provider local',
    )
  })
})

describe('a key service that comes late', () => {
  it('is waited for where it encrypts what the server writes first', async () => {
    const own = mkdtempSync(join(tmpdir(), 'dinghy-late-'))
    const kms = {
      apiVersion: 'v2',
      name: 'late',
      endpoint: `unix://${join(own, 'kms.sock')}`,
      timeout: '100ms',
    }
    configureFor(['clusterroles.rbac.authorization.k8s.io', 'configmaps'], [{ kms }])
    // Somebody hangs up until the server has asked.
    const asked = new Promise<void>((resolve) => {
      const nobody = createServer((socket) => {
        socket.destroy()
        nobody.close(() => resolve())
      }).listen(join(own, 'kms.sock'))
    })
    const starting = start({ memory: true })
    await asked
    const service = await startKeyService('key-1', own)
    running.push(() => service.stop())
    const client = await starting
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/view'
    expect((await client.ask('GET', path)).status).toBe(200)
    expect(service.calls.encrypt).toBeGreaterThan(0)
  })
})

describe('a configuration that changes', () => {
  it('is taken where it can be used, and left where it cannot', async () => {
    configure({ aesgcm: { keys: [key('one', 1)] } })
    const encryption = await openEncryption({ configFile, automaticReload: true }, makeLog('error'))
    const engine = new MemoryStorage()
    const storage = encryption.over(engine)
    const at = '/registry/secrets/default/a'
    const write = async (): Promise<string> => {
      const { kv } = await engine.get(at)
      await storage.write({ key: at, expected: kv?.modRevision ?? 0, value: Buffer.from('value') })
      return (await engine.get(at)).kv?.value.subarray(0, 22).toString() ?? ''
    }
    expect(encryption.checks.map(({ name }) => name)).toEqual(['kms-providers'])
    expect(await write()).toBe('k8s:enc:aesgcm:v1:one:')
    expect(await encryption.reload()).toBe(false)
    configure({ aesgcm: { keys: [key('two', 2), key('one', 1)] } })
    expect(await encryption.reload()).toBe(true)
    expect(await storage.isStale?.(at)).toBe(true)
    expect(await write()).toBe('k8s:enc:aesgcm:v1:two:')
    configure({ aesgcm: { keys: [key('bad', 3)] }, identity: {} })
    await expect(encryption.reload()).rejects.toThrow('more than one provider specified')
    writeFileSync(configFile, `secret: "${Buffer.alloc(32, 9).toString('base64')}`)
    await expect(encryption.reload()).rejects.toThrow(/: it is no YAML$/)
    expect(await write()).toBe('k8s:enc:aesgcm:v1:two:')
    await storage.close()
  })
})
