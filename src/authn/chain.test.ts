// Who a request is from, over every way to say so; what upstream answered stands in the names.
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, test, vi } from 'vitest'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../pki/certificate.ts'
import { ensurePki, STANDARD_HOSTS } from '../pki/pki.ts'
import type { UserInfo } from '../machinery/user.ts'
import { anonymous } from './anonymous.ts'
import {
  type Authenticator,
  type AuthnRequest,
  type PeerCertificate,
  refusalOf,
  refused,
  type TokenAuthenticator,
} from './authenticator.ts'
import { bearerToken } from './bearer.ts'
import { authenticatorChain } from './chain.ts'
import { peerCertificate, x509 } from './x509.ts'

const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }
const secret: TokenAuthenticator = {
  authenticateToken: (token, audiences) => (token === 'secret' ? { user: admin, audiences } : undefined),
}
const chain = authenticatorChain([x509, bearerToken([secret], [])], anonymous)
const certificate = (given: Partial<PeerCertificate>): AuthnRequest => ({
  headers: {},
  peerCertificate: {
    fault: undefined,
    notAfter: Date.now() + 1000,
    user: { name: 'c', groups: [] },
    ...given,
  },
})

describe('the Authorization header', () => {
  const name = (authorization: string): string =>
    (chain.authenticate({ headers: { authorization } }) as UserInfo).name

  test.each(['Bearer secret', 'bearer secret', 'BEARER secret', '  Bearer secret  ', 'Bearer secret more'])(
    '%j is admin',
    (header) => {
      expect(name(header)).toBe('admin')
    },
  )
  test.each(['', 'Bearer', 'Bearer ', 'Basic eDp5', 'Odd x', 'Bearersecret', 'Bearer  secret '])(
    '%j is anonymous',
    (header) => {
      expect(name(header)).toBe('system:anonymous')
    },
  )
  test.each(['Bearer nope', 'Bearer a.b.c', 'bearer nope'])('%j is refused', (header) => {
    expect(() => name(header)).toThrow(expect.objectContaining({ code: 401, message: 'Unauthorized' }))
  })
  test('a space too many is told', () => {
    const warn = vi.fn()
    void chain.authenticate({ headers: { authorization: 'Bearer  secret' }, warn })
    expect(warn).toHaveBeenCalledWith(
      'the provided Authorization header contains extra space before the bearer token, and is ignored',
    )
  })
})

describe('the chain', () => {
  test('adds system:authenticated, once, to the same object each time', () => {
    const first = chain.authenticate({ headers: { authorization: 'Bearer secret' } }) as UserInfo
    expect(first.groups).toEqual(['system:masters', 'system:authenticated'])
    expect(chain.authenticate({ headers: { authorization: 'Bearer secret' } })).toBe(first)
    expect(admin.groups).toEqual(['system:masters'])
  })

  test('a wrong certificate beside a good token does no harm; alone, or with a wrong token, it is a 401', () => {
    const wrong = certificate({ fault: 'SELF_SIGNED_CERT' })
    expect(chain.authenticate({ ...wrong, headers: { authorization: 'Bearer secret' } })).toMatchObject({
      name: 'admin',
    })
    expect(() => chain.authenticate(wrong)).toThrow('Unauthorized')
    const both = { ...wrong, headers: { authorization: 'Bearer nope' } }
    expect(refusalOf(thrownBy(() => chain.authenticate(both)))).toBe(
      '[verifying certificate failed: SELF_SIGNED_CERT, invalid bearer token]',
    )
  })

  test('without anonymous requests, no credential is a 401', () => {
    expect(() => authenticatorChain([x509]).authenticate({ headers: {} })).toThrow('Unauthorized')
  })

  test('works over authenticators that take their time', async () => {
    const slow = (answer: UserInfo | undefined): Authenticator => ({
      authenticate: () => Promise.resolve(answer),
    })
    const failing: Authenticator = { authenticate: () => Promise.reject(refused('late')) }
    expect(
      await authenticatorChain([slow(undefined), slow(admin)]).authenticate({ headers: {} }),
    ).toMatchObject({ name: 'admin' })
    expect(
      await authenticatorChain([failing, slow(admin)], anonymous).authenticate({ headers: {} }),
    ).toMatchObject({ name: 'admin' })
    await expect(
      authenticatorChain([failing, slow(undefined)], anonymous).authenticate({ headers: {} }),
    ).rejects.toThrow('Unauthorized')
    expect(
      await authenticatorChain([slow(undefined)], anonymous).authenticate({ headers: {} }),
    ).toMatchObject({ name: 'system:anonymous' })
    const slowToken: TokenAuthenticator = { authenticateToken: () => Promise.reject(refused('expired')) }
    const tokens = authenticatorChain([bearerToken([slowToken, secret], [])], anonymous)
    expect(await tokens.authenticate({ headers: { authorization: 'Bearer secret' } })).toMatchObject({
      name: 'admin',
    })
    const error = await Promise.resolve(
      tokens.authenticate({ headers: { authorization: 'Bearer x' } }),
    ).catch((e: unknown) => e)
    expect(refusalOf(error)).toBe('[invalid bearer token, expired]')
  })

  test('a fault of our own is no refusal', () => {
    const broken: Authenticator = {
      authenticate: () => {
        throw new TypeError('ours')
      },
    }
    expect(() => authenticatorChain([broken], anonymous).authenticate({ headers: {} })).toThrow(TypeError)
  })
})

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing thrown')
}

describe('certificates', () => {
  test('an expired one is a 401, on a connection that was opened before', () => {
    expect(() => chain.authenticate(certificate({ notAfter: Date.now() - 1 }))).toThrow('Unauthorized')
  })
  test('one that names nobody is anonymous', () => {
    expect(chain.authenticate(certificate({ user: undefined }))).toMatchObject({ name: 'system:anonymous' })
  })

  test('of a TLS connection: several organizations, the same on a resumed session, foreign ones told', async () => {
    const pki = await ensurePki({ hosts: STANDARD_HOSTS })
    const server = createServer({
      cert: pki.servingCert,
      key: pki.servingKey,
      ca: pki.caCert,
      requestCert: true,
      rejectUnauthorized: false,
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const visit = async (
      options: object,
    ): Promise<{ seen: PeerCertificate | undefined; session: Buffer | undefined; reused: boolean }> => {
      const seen = new Promise<PeerCertificate | undefined>((resolve) =>
        server.once('secureConnection', (socket: TLSSocket) => {
          resolve(peerCertificate(socket))
          socket.write('x')
        }),
      )
      const client = connect({ host: '127.0.0.1', port, ca: pki.caCert, servername: 'localhost', ...options })
      const ticket = new Promise<Buffer>((resolve) => client.once('session', resolve))
      await new Promise((resolve) => client.once('data', resolve))
      const session = 'session' in options ? undefined : await ticket
      const reused = client.isSessionReused()
      client.destroy()
      return { seen: await seen, session, reused }
    }
    const client = async (ca: { key: string; name: string }): Promise<{ cert: string; key: string }> => {
      const key = makePrivateKey()
      const request = {
        subject: { commonName: 'jane', organizations: ['devs', 'ops, "all"'] },
        isCa: false,
        usages: ['client'] as const,
        hosts: [],
        notBefore: new Date(Date.now() - 1000),
        notAfter: new Date(Date.now() + 60_000),
      }
      const issuer = { subject: { commonName: ca.name, organizations: [] }, key: readPrivateKey(ca.key) }
      return { cert: await makeCertificate(request, readPrivateKey(key), issuer), key }
    }
    const jane = await client({ key: pki.caKey, name: 'dinghy-ca' })
    const first = await visit(jane)
    expect(first.seen).toMatchObject({
      fault: undefined,
      user: { name: 'jane', groups: ['devs', 'ops, "all"'] },
    })
    expect(first.seen?.user?.extra?.['authentication.kubernetes.io/credential-id']).toEqual([
      expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/),
    ])
    const again = await visit({ ...jane, session: first.session })
    expect(again.reused).toBe(true)
    expect(again.seen).toEqual(first.seen)
    const stranger = await visit(await client({ key: makePrivateKey(), name: 'another-ca' }))
    expect(stranger.seen?.fault).toMatch(/UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/)
    const serving = await visit({ cert: pki.servingCert, key: pki.servingKey })
    expect(serving.seen?.fault).toBe('INVALID_PURPOSE')
    expect((await visit({})).seen).toBeUndefined()
    server.close()
  })
})
