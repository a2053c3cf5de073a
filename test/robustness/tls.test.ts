// What TLS is spoken: 1.2 and 1.3, with forward secrecy and authenticated ciphers, and nothing older.
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

/** What was agreed on, or why nothing was. */
function hello(options: ConnectionOptions): Promise<string> {
  const { hostname: host, port } = new URL(cluster.url)
  return new Promise((resolve) => {
    let socket: TLSSocket
    try {
      socket = connect({ host, port: Number(port), ca: cluster.caCert, ...options })
    } catch (error) {
      return resolve(`refused: ${(error as Error).message}`)
    }
    socket.on('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
      socket.destroy()
    })
    socket.on('error', (error) => resolve(`refused: ${error.message}`))
  })
}

it('speaks TLS 1.3 and 1.2, with forward secrecy', async () => {
  expect(await hello({})).toMatch(/^TLSv1\.3 TLS_(AES|CHACHA20)/)
  expect(await hello({ maxVersion: 'TLSv1.2' })).toMatch(/^TLSv1\.2 ECDHE-ECDSA-(AES|CHACHA20)/)
})

it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', async (version) => {
  // Security level 0 lets the client itself ask for it.
  const asked = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' }
  expect(await hello(asked)).toMatch(/^refused: .*(protocol version|unsupported protocol|alert)/i)
})

it.each([
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-ECDSA-NULL-SHA',
  'AES128-GCM-SHA256',
  'DES-CBC3-SHA',
  'aNULL',
])('refuses %s: no forward secrecy, or no authentication of what is sent', async (cipher) => {
  const ciphers = `${cipher}:@SECLEVEL=0`
  expect(await hello({ ciphers, maxVersion: 'TLSv1.2' })).toMatch(/^refused: /)
})

it('takes no second handshake within a connection', async () => {
  const { hostname: host, port } = new URL(cluster.url)
  const socket = connect({ host, port: Number(port), ca: cluster.caCert, maxVersion: 'TLSv1.2' })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const outcome = await new Promise<string>((resolve) => {
    socket.on('error', (error) => resolve(error.message))
    socket.renegotiate({}, (error) => resolve(error ? error.message : 'done'))
  })
  expect(outcome).toMatch(/no renegotiation/i)
  socket.destroy()
})
