// The local cloud without an API server: who gets which address, which endpoints get connections.
import { createServer, type Server, type Socket } from 'node:net'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import type { Node, Service } from '../../client/kinds/core.v1.gen.ts'
import { chooseAddress, poolOf, type Pool } from './addresses.ts'
import { backendsOf } from './backends.ts'
import { Choice } from './choice.ts'
import { tcpPort } from './tcp.ts'
import { udpPort } from './udp.ts'

const service = (spec: Service['spec'], ip?: string): Service => ({
  metadata: { name: 'web' },
  spec,
  status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
})

it('gives each Service an address of its own, and the one that it had', () => {
  const pool = poolOf('127.64.0.0/29') as Pool
  expect(chooseAddress(service({}), pool, new Set())).toBe('127.64.0.1')
  expect(chooseAddress(service({}), pool, new Set(['127.64.0.1']))).toBe('127.64.0.2')
  expect(chooseAddress(service({}, '127.64.0.5'), pool, new Set())).toBe('127.64.0.5')
  expect(chooseAddress(service({}, '10.0.0.1'), pool, new Set())).toBe('127.64.0.1')
  expect(chooseAddress(service({ loadBalancerIP: '127.64.0.3' }), pool, new Set())).toBe('127.64.0.3')
  expect(() => chooseAddress(service({ loadBalancerIP: '1.1.1.1' }), pool, new Set())).toThrow(
    'not in the range',
  )
  expect(() =>
    chooseAddress(service({ loadBalancerIP: '127.64.0.3' }), pool, new Set(['127.64.0.3'])),
  ).toThrow('127.64.0.3 is taken')
  expect(() => chooseAddress(service({ ipFamilies: ['IPv6'] }), pool, new Set())).toThrow('IPv6')
  const all = new Set(['1', '2', '3', '4', '5', '6'].map((last) => `127.64.0.${last}`))
  expect(() => chooseAddress(service({}), pool, all)).toThrow('no address left')
  const one = poolOf('127.0.0.1/32') as Pool
  expect(chooseAddress(service({}), one, new Set(['127.0.0.1']))).toBe('127.0.0.1')
  expect([poolOf('127.0.0.0/8'), poolOf('::1/128'), poolOf('300.0.0.0/24')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

it('leads to ready endpoints of the port, else to those that end, never to simulated pods', () => {
  const simulated = { metadata: { labels: { 'node.dinghy.dev/simulated': 'true' } } } as unknown as Node
  const slice = {
    metadata: {},
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: { ready: true } },
      { addresses: ['10.0.0.2'], conditions: {} },
      { addresses: ['10.0.0.3'], conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ['10.0.0.4'], conditions: { ready: true }, nodeName: 'node-0' },
    ],
  }
  const nodeOf = (name: string): Node | undefined => (name === 'node-0' ? simulated : undefined)
  const hosts = (name: string, ...slices: (typeof slice)[]): string[] =>
    backendsOf({ name, port: 80 }, slices, nodeOf).map(({ host, port }) => `${host}:${port}`)
  expect(hosts('http', slice)).toEqual(['10.0.0.1:8080', '10.0.0.2:8080'])
  expect(hosts('https', slice)).toEqual([])
  expect(hosts('http', { ...slice, endpoints: slice.endpoints.slice(2) })).toEqual(['10.0.0.3:8080'])
})

it('gives endpoints their turns, and a client always the same', () => {
  const choice = new Choice(SYSTEM_CLOCK)
  const [a, b] = [
    { host: 'a', port: 1 },
    { host: 'b', port: 1 },
  ]
  expect(choice.inOrder([a, b], 'x', undefined)).toEqual([a, b])
  expect(choice.inOrder([a, b], 'x', undefined)).toEqual([b, a])
  choice.keep('x', b, 10_000)
  expect(choice.inOrder([a, b], 'x', 10_000)).toEqual([b, a])
  expect(choice.inOrder([a, b], 'x', 10_000)).toEqual([b, a])
  expect(choice.inOrder([a], 'x', 10_000)).toEqual([a])
})

const listening = (answer: (socket: Socket) => void): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer(answer).listen(0, '127.0.0.1', () => resolve(server))
  })

const said = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    connect(port, '127.0.0.1')
      .on('data', (chunk) => (text += chunk.toString()))
      .on('end', () => resolve(text))
      .on('error', reject)
      .end('hello')
  })

async function freePort(): Promise<number> {
  const server = await listening(() => undefined)
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

it('forwards TCP past an endpoint that is dead, and resets where there is none', async () => {
  const echo = await listening((socket) => void socket.pipe(socket))
  const live = { host: '127.0.0.1', port: (echo.address() as AddressInfo).port }
  const dead = { host: '127.0.0.1', port: await freePort() }
  let backends = [dead, live]
  let lets = true
  const port = await freePort()
  const parts = { host: '127.0.0.1', port, clock: SYSTEM_CLOCK }
  const open = await tcpPort({
    ...parts,
    backends: () => backends,
    affinityMs: () => undefined,
    allows: () => lets,
  })
  expect(await said(port)).toBe('hello')
  expect(await said(port)).toBe('hello')
  backends = []
  await expect(said(port)).rejects.toThrow(/ECONNRESET/)
  backends = [live]
  lets = false
  await expect(said(port)).rejects.toThrow(/ECONNRESET/)
  await open.stop()
  await expect(said(port)).rejects.toThrow(/ECONNREFUSED/)
  await new Promise((resolve) => echo.close(resolve))
})

it('forwards UDP both ways', async () => {
  const echo = createSocket('udp4')
  echo.on('message', (message, { port, address }) => echo.send(message, port, address))
  await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve))
  const backend = { host: '127.0.0.1', port: echo.address().port }
  const port = await freePort()
  const open = await udpPort({
    ...{ host: '127.0.0.1', port, clock: SYSTEM_CLOCK },
    backends: () => [backend],
    affinityMs: () => undefined,
    allows: () => true,
  })
  const client = createSocket('udp4')
  const answer = new Promise<string>((resolve) =>
    client.once('message', (message) => resolve(message.toString())),
  )
  client.send('hello', port, '127.0.0.1')
  expect(await answer).toBe('hello')
  client.close()
  echo.close()
  await open.stop()
})
