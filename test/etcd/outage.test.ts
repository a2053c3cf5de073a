// A living server whose etcd is gone: killed, or stopped in its tracks with its connections open. What it answers then,
// that it says so in one line, and that everything goes on by itself when etcd is back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EtcdServer, findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import { ApiClient, type Reply } from '../process/client.ts'
import { bundleProgram, type Program, type Server, startServer } from '../process/server.ts'

const etcd = findEtcd()
if (etcd === undefined) console.warn('no etcd found: none is taken away ($DINGHY_ETCD names one)')

const COLLECTION = '/api/v1/namespaces/default/configmaps'
const EVENTS = '/api/v1/namespaces/default/events'
/** What a request may take of the server, and of a busy machine. */
const TIMEOUT_MS = 300_000

describe.skipIf(etcd === undefined)('a server without its etcd', () => {
  let base: string
  let program: Program
  let store: EtcdServer
  let server: Server
  let client: ApiClient
  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), 'dinghy-outage-'))
    program = await bundleProgram()
    store = await startEtcd(etcd as string)
    server = await startServer(program, ['--data-dir', base, '--etcd-servers', store.url])
    client = new ApiClient(server)
    expect((await create('there')).status).toBe(201)
    // Reads of it are answered from memory from now on.
    expect((await client.send('GET', COLLECTION)).status).toBe(200)
  })
  afterAll(async () => {
    client?.close()
    await server?.kill()
    await store?.stop()
    program?.remove()
    rmSync(base, { recursive: true, force: true })
  })

  const create = (name: string, query = ''): Promise<Reply> =>
    client.send('POST', COLLECTION + query, { metadata: { name }, data: { a: 'b' } })
  const names = async (): Promise<unknown[]> => {
    const { json } = await client.send('GET', COLLECTION)
    return (json['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name)
  }

  const OUT_OF_TIME = {
    status: 504,
    json: {
      kind: 'Status',
      reason: 'Timeout',
      message: 'Timeout: request did not complete within requested timeout - context deadline exceeded',
      code: 504,
    },
  }

  it(
    'answers from memory, and 504 when the time of a request is over',
    async () => {
      await store.kill()
      const errors = server.stderr().length
      const began = performance.now()
      const late = [
        create('late'),
        client.send('PATCH', `${COLLECTION}/there`, { data: { c: 'd' } }, 'application/merge-patch+json'),
        client.send('DELETE', `${COLLECTION}/there`),
        client.send('POST', EVENTS, eventOf('late')),
      ]
      expect((await client.send('GET', `${COLLECTION}/there?resourceVersion=0`)).status).toBe(200)
      expect((await client.send('GET', `${COLLECTION}?resourceVersion=0`)).status).toBe(200)
      expect((await client.send('GET', `${COLLECTION}/there?timeout=1s`)).json).toMatchObject({
        code: 504,
        reason: 'Timeout',
        message: 'Timeout: request did not complete within the allotted timeout',
      })
      for (const check of ['/healthz', '/livez', '/readyz', '/healthz/etcd', '/readyz/etcd-readiness'])
        expect((await client.send('GET', check)).status, check).toBe(500)
      for (const reply of await Promise.all(late)) expect(reply).toMatchObject(OUT_OF_TIME)
      expect(performance.now() - began).toBeLessThan(150_000)
      const lines = (): string[] => server.stderr().slice(errors).trim().split('\n')
      const failures = (): string[] => lines().filter((line) => line.includes('"a request failed"'))
      await expect.poll(failures, { timeout: 90_000 }).toHaveLength(late.length)
      // The others are of what the server does for itself, once a period and task.
      for (const line of lines()) expect(line).toMatch(/"msg":"(a request failed|upkeep has failed; .*)"/)
      expect(server.stderr()).not.toContain('"stack"')
      await store.start()
      await expect
        .poll(async () => (await client.send('GET', '/readyz')).status, { timeout: 90_000 })
        .toBe(200)
      expect(await names()).toEqual(['there'])
    },
    TIMEOUT_MS,
  )

  it(
    'goes on with what waits for it, with watches, and with what expires',
    async () => {
      const seen: string[] = []
      const { json } = await client.send('GET', COLLECTION)
      const { resourceVersion } = json['metadata'] as { resourceVersion: string }
      const from = `?watch=1&resourceVersion=${resourceVersion}`
      const watching = client.watch(COLLECTION + from, ({ type, object }) => {
        seen.push(`${type} ${(object['metadata'] as { name: string }).name}`)
      })
      expect((await create('before')).status).toBe(201)
      await store.kill()
      const waiting = [create('during-1'), client.send('GET', `${COLLECTION}/before`)]
      const event = client.send('POST', EVENTS, eventOf('during'))
      await store.start()
      expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([201, 200])
      expect((await event).status).toBe(201)
      await create('after')
      await expect
        .poll(() => seen, { timeout: 90_000 })
        .toEqual(['ADDED before', 'ADDED during-1', 'ADDED after'])
      watching.close()
      await watching.ended
    },
    TIMEOUT_MS,
  )

  it(
    'bears one that stands still',
    async () => {
      store.pause()
      const began = performance.now()
      const late = create('paused', '?timeout=3s')
      const written = create('patient')
      expect((await client.send('GET', `${COLLECTION}?resourceVersion=0`)).status).toBe(200)
      expect((await client.send('GET', '/livez/etcd')).status).toBe(500)
      expect((await late).status).toBe(504)
      expect(performance.now() - began).toBeLessThan(90_000)
      store.resume()
      expect((await written).status).toBe(201)
      expect(await names()).toContain('patient')
      expect((await client.send('GET', '/livez')).status).toBe(200)
    },
    TIMEOUT_MS,
  )

  const eventOf = (name: string) => ({
    metadata: { name },
    involvedObject: { namespace: 'default' },
    reason: 'Test',
    message: 'm',
  })
})
