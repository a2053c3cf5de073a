// Keys and certificates: what is made, kept, renewed and refused.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { firstAddressOf, ipBytes, ipText } from './ip.ts'
import { ensurePki, type Pki, renewIfNeeded, STANDARD_HOSTS } from './pki.ts'

const DAY = 86_400_000
const hosts = [...STANDARD_HOSTS, '10.96.0.1', 'fd00::12:0:1']
let dir: string

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'pki-')), 'certs')
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

const later = (days: number): Date => new Date(Date.now() + days * DAY)

/** Speaks TLS between both sides of a Pki: what the server sees of the client. */
async function handshake(pki: Pki, servername: string): Promise<{ authorized: boolean; subject: unknown }> {
  const server = createServer({
    cert: pki.servingCert,
    key: pki.servingKey,
    ca: pki.caCert,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const seen = new Promise<{ authorized: boolean; subject: unknown }>((resolve) => {
    server.on('secureConnection', (socket) => {
      resolve({ authorized: socket.authorized, subject: { ...socket.getPeerCertificate().subject } })
      socket.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const options = { port, ca: pki.caCert, cert: pki.adminCert, key: pki.adminKey, servername }
  const client = connect({ ...options, host: '127.0.0.1' })
  const failed = new Promise<never>((_, reject) => client.on('error', reject))
  try {
    return await Promise.race([seen, failed])
  } finally {
    client.destroy()
    server.close()
  }
}

describe('made at the first start', () => {
  test('both sides accept each other over TLS, under every host', async () => {
    const pki = await ensurePki({ hosts })
    for (const name of ['localhost', 'kubernetes.default.svc']) {
      const { authorized, subject } = await handshake(pki, name)
      expect(authorized).toBe(true)
      expect(subject).toEqual({ CN: 'kubernetes-admin', O: 'system:masters' })
    }
    await expect(handshake(pki, 'elsewhere.example')).rejects.toThrow(/altnames/)
    const serving = new X509Certificate(pki.servingCert)
    for (const ip of ['127.0.0.1', '::1', '10.96.0.1', 'fd00::12:0:1']) expect(serving.checkIP(ip)).toBe(ip)
  })

  test('openssl verifies the chain and the purposes', async () => {
    await ensurePki({ dir, hosts })
    const verify = (purpose: string, file: string): string =>
      execFileSync('openssl', [
        'verify',
        '-x509_strict',
        '-purpose',
        purpose,
        '-CAfile',
        join(dir, 'ca.crt'),
        join(dir, file),
      ]).toString()
    expect(verify('sslserver', 'apiserver.crt')).toMatch(/OK/)
    expect(verify('sslclient', 'admin.crt')).toMatch(/OK/)
    expect(() => verify('sslserver', 'admin.crt')).toThrow()
  })

  test('is kept with mode 0600 in a folder of mode 0700, and read again', async () => {
    const first = await ensurePki({ dir, hosts })
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600)
    expect(readdirSync(dir).sort()).toEqual([
      'admin.crt',
      'admin.key',
      'apiserver.crt',
      'apiserver.key',
      'ca.crt',
      'ca.key',
      'front-proxy-ca.crt',
      'front-proxy-ca.key',
      'sa.key',
    ])
    expect(await ensurePki({ dir, hosts })).toEqual(first)
  })
})

describe('renewal', () => {
  test.each(['on disk', 'in memory'])(
    '%s: nothing for 11 months, then leaves, with the same keys',
    async (where) => {
      const options = { ...(where === 'on disk' ? { dir } : {}), hosts }
      const pki = await ensurePki(options)
      expect(await renewIfNeeded(pki, { ...options, now: later(330) })).toBeUndefined()
      const renewed = (await renewIfNeeded(pki, { ...options, now: later(336) })) as Pki
      expect(renewed.servingKey).toBe(pki.servingKey)
      expect(renewed.caCert).toBe(pki.caCert)
      expect(new X509Certificate(renewed.adminCert).validTo).not.toBe(
        new X509Certificate(pki.adminCert).validTo,
      )
      expect(Date.parse(new X509Certificate(renewed.servingCert).validTo)).toBeGreaterThan(
        later(700).getTime(),
      )
      expect(await renewIfNeeded(renewed, { ...options, now: later(337) })).toBeUndefined()
    },
  )

  test('a CA is renewed with its key while it can still outlive what it signs', async () => {
    const pki = await ensurePki({ dir, hosts })
    const renewed = await ensurePki({ dir, hosts, now: later(3650 - 390) })
    expect(renewed.caKey).toBe(pki.caKey)
    expect(renewed.caCert).not.toBe(pki.caCert)
    const old = new X509Certificate(pki.caCert)
    expect(new X509Certificate(renewed.servingCert).verify(old.publicKey)).toBe(true)
  })

  test('another host makes a new serving certificate only', async () => {
    const pki = await ensurePki({ dir, hosts })
    const moved = await ensurePki({ dir, hosts: [...hosts, '192.0.2.7', 'cluster.example'] })
    expect(moved).toEqual({ ...pki, servingCert: moved.servingCert })
    expect(new X509Certificate(moved.servingCert).checkHost('cluster.example')).toBe('cluster.example')
  })

  test('a missing leaf, or one of another CA, is made again', async () => {
    const pki = await ensurePki({ dir, hosts })
    rmSync(join(dir, 'admin.crt'))
    for (const file of ['ca.crt', 'ca.key']) rmSync(join(dir, file))
    const again = await ensurePki({ dir, hosts })
    expect(again.caCert).not.toBe(pki.caCert)
    const ca = new X509Certificate(again.caCert)
    expect(new X509Certificate(again.servingCert).verify(ca.publicKey)).toBe(true)
    expect(new X509Certificate(again.adminCert).verify(ca.publicKey)).toBe(true)
  })
})

describe('refused with one clear line', () => {
  test.each([
    [
      'a corrupt certificate',
      (): void => writeFileSync(join(dir, 'ca.crt'), 'nonsense'),
      /ca\.crt holds no readable certificate/,
    ],
    [
      'a corrupt key',
      (): void => writeFileSync(join(dir, 'ca.key'), 'nonsense'),
      /ca\.key holds no readable private key/,
    ],
    [
      'a key of another',
      (): void => writeFileSync(join(dir, 'ca.key'), readFileSync(join(dir, 'sa.key'))),
      /ca\.crt does not belong to .*ca\.key/,
    ],
    ['a CA without its key', (): void => rmSync(join(dir, 'ca.key')), /ca\.key is missing/],
    [
      'a key that others read',
      (): void => chmodSync(join(dir, 'apiserver.key'), 0o644),
      /apiserver\.key has mode 0644/,
    ],
    ['a folder that others write', (): void => chmodSync(dir, 0o777), /has mode 0777/],
    [
      'a leaf in the place of a CA',
      (): void => {
        for (const end of ['crt', 'key'])
          writeFileSync(join(dir, `ca.${end}`), readFileSync(join(dir, `admin.${end}`)))
      },
      /not the certificate of a CA/,
    ],
  ])('%s', async (_, spoil, message) => {
    await ensurePki({ dir, hosts })
    spoil()
    const error = await ensurePki({ dir, hosts }).catch((e: unknown) => e as Error)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('\n')
  })

  test('an expired CA', async () => {
    await ensurePki({ dir, hosts })
    await expect(ensurePki({ dir, hosts, now: later(3651) })).rejects.toThrow(/ca\.crt expired on/)
  })

  test('a folder whose path is a file', async () => {
    writeFileSync(join(dir, '..', 'file'), '')
    await expect(ensurePki({ dir: join(dir, '..', 'file'), hosts })).rejects.toThrow(/cannot use the folder/)
  })
})

test.each([
  ['10.96.0.0/16', '10.96.0.1'],
  ['10.96.3.77/12', '10.96.0.1'],
  ['fd00:10:0::/112', 'fd00:10::1'],
  ['::ffff:1.2.3.0/120', '::ffff:102:301'],
  ['10.96.0.0', undefined],
  ['10.96.0.0/33', undefined],
  ['x/8', undefined],
])('first address of %s', (cidr, expected) => {
  expect(firstAddressOf(cidr)).toBe(expected)
})

test('addresses as bytes and back', () => {
  expect([...(ipBytes('::ffff:1.2.3.4') as Buffer)]).toEqual([
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4,
  ])
  for (const text of ['1:0:2::', '::', '::1', '10:0:1:2:3:4:5:6', 'a:0:0:10::', '100::10:0:0:1']) {
    expect(ipText(ipBytes(text) as Buffer)).toBe(text)
  }
  expect(ipBytes('localhost')).toBeUndefined()
})
