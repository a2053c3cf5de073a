// Clients inside the process: the loopback is the same chain without a socket, and informers keep up over either way.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Api, isNotFound } from '../../src/client/api.ts'
import { SYSTEM_CLOCK } from '../../src/client/clock.ts'
import { Http2Transport } from '../../src/client/http2.ts'
import { Informers } from '../../src/client/informer.ts'
import { CONFIG_MAPS, NAMESPACES, PODS } from '../../src/client/resources.ts'
import type { Transport } from '../../src/client/transport.ts'
import { type ApiServer, startApiServer } from '../../src/cmd/apiserver/apiserver.ts'
import { DEFAULTS } from '../../src/cmd/options.ts'

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }
const NOBODY = { name: 'nobody', groups: ['system:authenticated'] }
const log = { warn: () => undefined, error: () => undefined }

let server: ApiServer

beforeAll(async () => {
  server = await startApiServer({ ...DEFAULTS, port: 0 })
})
afterAll(() => server.stop())

const overSocket = (): Transport =>
  new Http2Transport({
    server: server.url,
    ca: server.identity.caCert,
    cert: server.identity.adminCert,
    key: server.identity.adminKey,
  })

const WAYS: readonly (readonly [string, () => Transport])[] = [
  ['the loopback', () => server.loopback(ADMIN)],
  ['a socket', overSocket],
]

describe.each(WAYS)('a client over %s', (_name, open) => {
  let transport: Transport
  let api: Api
  beforeAll(() => {
    transport = open()
    api = new Api(transport, 'test/1')
  })
  afterAll(() => transport.close())

  it('creates, reads, changes and deletes', async () => {
    const metadata = { name: 'verbs', namespace: 'default' }
    const created = await api.create(CONFIG_MAPS, { metadata, data: { a: 'b' } })
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect((await api.update(CONFIG_MAPS, { ...created, data: { a: 'c' } })).data).toEqual({ a: 'c' })
    await api.patch(CONFIG_MAPS, metadata, { data: { d: 'e' } }, { type: 'merge' })
    expect((await api.get(CONFIG_MAPS, metadata)).data).toEqual({ a: 'c', d: 'e' })
    await expect(api.update(CONFIG_MAPS, created)).rejects.toMatchObject({ code: 409, reason: 'Conflict' })
    await api.delete(CONFIG_MAPS, metadata)
    expect(isNotFound(await api.get(CONFIG_MAPS, metadata).catch((error: unknown) => error))).toBe(true)
  })

  it('lists with selectors, and reads what is no resource', async () => {
    const { items } = await api.list(NAMESPACES, { labelSelector: 'kubernetes.io/metadata.name=kube-system' })
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['kube-system'])
    expect(await api.raw('/version')).toMatchObject({ major: '1', minor: '36' })
    expect(await api.raw('/apis/apps/v1')).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' })
  })

  it('keeps an informer’s copy up to date, and stops it', async () => {
    const stop = new AbortController()
    const informers = new Informers({ api, clock: SYSTEM_CLOCK, log })
    const seen: string[] = []
    const maps = informers.of(CONFIG_MAPS)
    const metadata = { name: 'watched', namespace: 'default' }
    // The server writes some of its own.
    const note = (name: string | undefined, what: string): void => {
      if (name === metadata.name) seen.push(what)
    }
    maps.handle({
      added: ({ metadata: { name } }) => note(name, `added ${name}`),
      updated: ({ data, metadata: { name } }, before) =>
        note(name, `${before.data?.['a']} to ${data?.['a']}`),
      deleted: ({ metadata: { name } }) => note(name, `deleted ${name}`),
    })
    await informers.start(stop.signal)
    await api.create(CONFIG_MAPS, { metadata, data: { a: '1' } })
    await api.patch(CONFIG_MAPS, metadata, { data: { a: '2' } }, { type: 'merge' })
    await api.delete(CONFIG_MAPS, metadata)
    await expect.poll(() => seen).toEqual(['added watched', '1 to 2', 'deleted watched'])
    expect(maps.reader.get('default/watched')).toBeUndefined()
    await expect.poll(() => maps.reader.inNamespace('kube-system').length).toBeGreaterThan(0)
    stop.abort()
    await maps.run(stop.signal)
  })
})

describe('the loopback', () => {
  it('is no way round authorization', async () => {
    const api = new Api(server.loopback(NOBODY), 'test/1')
    await expect(api.list(PODS)).rejects.toMatchObject({ code: 403, reason: 'Forbidden' })
  })

  it('ends what is open when it is closed, and takes nothing more', async () => {
    const transport = server.loopback(ADMIN)
    const watch = new Api(transport, 'test/1').watch(PODS, {}, new AbortController().signal)
    const next = watch.next()
    await vi.waitFor(async () => expect(await Promise.race([next, Promise.resolve('open')])).toBe('open'))
    transport.close()
    await expect(next).rejects.toThrow()
    await expect(new Api(transport, 'test/1').list(PODS)).rejects.toThrow('stopped')
  })
})
