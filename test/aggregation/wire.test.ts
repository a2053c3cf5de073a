// Requests that come over a network to be passed on: HTTP/2 and HTTP/1.1, with bodies, watches, and clients that leave.
import { request } from 'node:https'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ApiClient, type WatchEvent } from '../process/client.ts'
import type { Access } from '../process/server.ts'
import { Aggregated, eventually, isReachable } from './aggregated.ts'
import { THINGS } from './extensionserver.ts'

const cluster = new Aggregated()
let access: Access
let client: ApiClient
beforeAll(async () => {
  await cluster.start()
  await cluster.serve()
  await cluster.register()
  await eventually(
    () => cluster.condition(),
    (seen) => seen.startsWith('True'),
  )
  const { caCert: ca, adminCert: cert, adminKey: key } = cluster.server.identity
  access = { host: '127.0.0.1', port: cluster.server.port, ca, cert, key }
  client = new ApiClient(access)
})
afterAll(async () => {
  client.close()
  await cluster.stop()
})

/** More than one window, frame and buffer of anything on the way. */
const LARGE = { metadata: { name: 'large' }, data: 'x'.repeat(5 * 1024 * 1024) }

/** Over HTTP/1.1. */
function send(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...access, method, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

it.skipIf(!isReachable)('over HTTP/2: bodies of any size, both ways', async () => {
  const { status, json } = await client.send('POST', THINGS, LARGE)
  expect(status).toBe(201)
  expect(json['data']).toBe(LARGE.data)
  expect((await client.send('GET', THINGS)).json['kind']).toBe('ThingList')
  expect((await client.send('DELETE', `${THINGS}/x`)).status).toBe(404)
  expect((await client.send('HEAD', THINGS)).status).toBe(200)
  expect(cluster.extension.last(`${THINGS}/x`)).toMatchObject({ method: 'DELETE', body: '' })
})

it.skipIf(!isReachable)('over HTTP/1.1: the same', async () => {
  const { status, text } = await send('POST', THINGS, JSON.stringify(LARGE))
  expect(status).toBe(201)
  expect((JSON.parse(text) as typeof LARGE).data).toBe(LARGE.data)
  expect((await send('DELETE', `${THINGS}/x`)).status).toBe(404)
  expect((await send('GET', THINGS)).text).toContain('ThingList')
  expect(await send('HEAD', THINGS)).toEqual({ status: 200, text: '' })
})

const open = (wanted: number): Promise<number> =>
  eventually(
    () => Promise.resolve(cluster.extension.watches),
    (seen) => seen === wanted,
  )

it.skipIf(!isReachable)('watches that end when their client goes, or their server', async () => {
  const heard: WatchEvent[] = []
  const watching = client.watch(`${THINGS}?watch=1`, (event) => heard.push(event))
  expect(await open(1)).toBe(1)
  cluster.extension.tell('ADDED', 'a')
  await eventually(
    () => Promise.resolve(heard.length),
    (seen) => seen === 1,
  )
  expect(heard).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'a' } } }])
  watching.close()
  expect(await open(0)).toBe(0)

  const first = await new Promise<{ status: number; end: () => void; ended: Promise<unknown> }>((resolve) => {
    const sent = request({ ...access, path: `${THINGS}?watch=1`, agent: false }, (response) => {
      const ended = new Promise((done) => response.on('close', done))
      response.on('error', () => undefined).resume()
      resolve({ status: response.statusCode ?? 0, end: () => sent.destroy(), ended })
    })
    sent.end()
  })
  expect(first.status).toBe(200)
  expect(await open(1)).toBe(1)
  first.end()
  expect(await open(0)).toBe(0)

  const last = client.watch(`${THINGS}?watch=1`, () => undefined)
  expect(await open(1)).toBe(1)
  cluster.extension.breakWatches()
  await last.ended
})

it.skipIf(!isReachable)(
  'requests that are given up before they are answered are given up at the server, too',
  async () => {
    let closed = 0
    cluster.extension.behave = ({ url = '' }, response) => {
      if (!url.startsWith(THINGS)) return false
      response.once('close', () => closed++)
      return true
    }
    const before = cluster.extension.received.length
    const asked = (): Promise<boolean> =>
      Promise.resolve(cluster.extension.received.slice(before).some(({ url }) => url === THINGS))
    const other = new ApiClient(access)
    const pending = other.send('GET', THINGS).catch(() => 'gone')
    await eventually(asked, (seen) => seen)
    other.close()
    expect(await pending).toBe('gone')
    const seen = await eventually(
      () => Promise.resolve(closed),
      (count) => count === 1,
    )
    expect(seen).toBe(1)
  },
)
