// Who a request is from, over a real connection: tokens of service accounts, of nodes that join, proxies that name users.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compactVerify, createLocalJWKSet, decodeJwt, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tokenSigner } from '../../src/authn/issuer.ts'
import { LEGACY_ISSUER } from '../../src/authn/legacytoken.ts'
import { signingKey } from '../../src/authn/signingkeys.ts'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'
import { ApiClient, namespaceFor, type Reply } from '../api/client.ts'

const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const DAY_MS = 24 * 60 * 60 * 1000

let folder: string
let cluster: Cluster
let admin: ApiClient
let namespace: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-auth-'))
  cluster = await startCluster({ certDir: folder })
  admin = new ApiClient(cluster)
  namespace = await namespaceFor(admin)
})

afterAll(async () => {
  admin.close()
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Who the server takes a client for that shows this certificate (or none) and sends these headers. */
async function whoIs(headers: Record<string, string>, pair?: { cert: string; key: string }): Promise<Reply> {
  const client = new ApiClient({ ...cluster, clientCert: pair?.cert ?? '', clientKey: pair?.key ?? '' })
  try {
    return await client.ask('POST', SELF, { body: {}, headers })
  } finally {
    client.close()
  }
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

async function create(path: string, body: object): Promise<Reply['body']> {
  const { status, body: made } = await admin.ask('POST', path, { body })
  expect([status, made.message]).toEqual([201, undefined])
  return made
}

async function account(name: string, spec: object = {}): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await create(accounts, { metadata: { name } })
  return (await create(`${accounts}/${name}/token`, { spec })).status.token
}

describe('the token of a service account', () => {
  test('is known until the account is gone', async () => {
    const token = await account('short-lived')
    const { body } = await whoIs(bearer(token))
    expect(body.status.userInfo).toMatchObject({
      username: `system:serviceaccount:${namespace}:short-lived`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${decodeJwt(token).jti}`] },
    })
    await admin.ask('DELETE', `/api/v1/namespaces/${namespace}/serviceaccounts/short-lived`)
    expect((await whoIs(bearer(token))).status).toBe(401)
  })

  test('is checked by others with the published keys', async () => {
    const token = await account('published', { audiences: ['elsewhere'], expirationSeconds: 7200 })
    const { body: configuration } = await admin.ask('GET', '/.well-known/openid-configuration')
    const { body: keys, headers } = await admin.ask('GET', new URL(configuration.jwks_uri).pathname)
    expect(headers['content-type']).toBe('application/jwk-set+json')
    const { payload } = await compactVerify(token, createLocalJWKSet(keys as JSONWebKeySet))
    const claims = JSON.parse(Buffer.from(payload).toString())
    expect(claims).toMatchObject({ iss: configuration.issuer, aud: ['elsewhere'], exp: claims.iat + 7200 })
    expect((await whoIs(bearer(token))).status).toBe(401)
  })

  test('ends with the pod that it is bound to', async () => {
    await account('of-pod')
    const pods = `/api/v1/namespaces/${namespace}/pods`
    const spec = { serviceAccountName: 'of-pod', containers: [{ name: 'c', image: 'i' }] }
    const pod = await create(pods, { metadata: { name: 'p' }, spec })
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: pod.metadata.uid }
    const request = { spec: { boundObjectRef, expirationSeconds: 3607 } }
    const tokens = `/api/v1/namespaces/${namespace}/serviceaccounts/of-pod/token`
    const { status } = await create(tokens, request)
    // As admission asks for it: said to end in an hour, good for a year.
    const claims = decodeJwt<{ 'kubernetes.io': { warnafter: number } }>(status.token)
    expect(Date.parse(status.expirationTimestamp) / 1000).toBe(claims['kubernetes.io'].warnafter)
    expect(claims.exp).toBe((claims.iat ?? 0) + 365 * 24 * 3600)
    expect((await whoIs(bearer(status.token))).body.status.userInfo.extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
    })
    await admin.ask('DELETE', `${pods}/p`, { body: { gracePeriodSeconds: 0 } })
    expect((await whoIs(bearer(status.token))).status).toBe(401)
  })
})

test('a token in a secret is known while the secret holds it, and its use is noted', async () => {
  await account('legacy')
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
  const { metadata: owner } = (await admin.ask('GET', `${accounts}/legacy`)).body
  const claim = (name: string): string => `kubernetes.io/serviceaccount/${name}`
  const claims = {
    [claim('namespace')]: namespace,
    [claim('secret.name')]: 'kept',
    [claim('service-account.name')]: 'legacy',
    [claim('service-account.uid')]: owner.uid,
    sub: `system:serviceaccount:${namespace}:legacy`,
  }
  const key = signingKey(readFileSync(join(folder, 'sa.key'), 'utf8'))
  const token = await tokenSigner(LEGACY_ISSUER, key)(claims)
  const annotations = { 'kubernetes.io/service-account.name': 'legacy' }
  const secrets = `/api/v1/namespaces/${namespace}/secrets`
  const type = 'kubernetes.io/service-account-token'
  await create(secrets, { metadata: { name: 'kept', annotations }, type, stringData: { token } })
  const today = new Date().toISOString().slice(0, 10)
  const { body } = await whoIs(bearer(token))
  expect(body.status.userInfo.username).toBe(`system:serviceaccount:${namespace}:legacy`)
  const label = async () =>
    (await admin.ask('GET', `${secrets}/kept`)).body.metadata.labels?.['kubernetes.io/legacy-token-last-used']
  // A day may end meanwhile.
  await expect.poll(label).toMatch(/./)
  expect([today, new Date().toISOString().slice(0, 10)]).toContain(await label())
  await admin.ask('DELETE', `${secrets}/kept`)
  expect((await whoIs(bearer(token))).status).toBe(401)
})

test('the token of a node that joins', async () => {
  const secrets = '/api/v1/namespaces/kube-system/secrets'
  const stringData: Record<string, string> = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:workers',
  }
  const metadata = { name: 'bootstrap-token-abcdef' }
  await create(secrets, { metadata, type: 'bootstrap.kubernetes.io/token', stringData })
  const { body } = await whoIs(bearer('abcdef.0123456789abcdef'))
  expect(body.status.userInfo).toEqual({
    username: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated'],
  })
  expect((await whoIs(bearer('abcdef.0123456789abcdee'))).status).toBe(401)
  const expiration = new Date(Date.now() - 1000).toISOString()
  await admin.ask('PATCH', `${secrets}/bootstrap-token-abcdef`, {
    body: { stringData: { expiration } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  expect((await whoIs(bearer('abcdef.0123456789abcdef'))).status).toBe(401)
})

describe('a proxy that names users', () => {
  const HEADERS = {
    'x-remote-user': 'jane',
    'x-remote-uid': '42',
    'x-remote-group': 'builders',
    'x-remote-extra-example.com%2fscope': 'view',
  }

  async function issued(authority: string, commonName: string, organizations: string[] = []) {
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
    const issuer = {
      subject: { commonName: authority === 'ca' ? 'dinghy-ca' : 'dinghy-front-proxy-ca', organizations: [] },
      key: readPrivateKey(read(`${authority}.key`)),
    }
    const key = makePrivateKey()
    const [notBefore, notAfter] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)]
    const request = { subject: { commonName, organizations }, isCa: false, hosts: [], notBefore, notAfter }
    return {
      cert: await makeCertificate({ ...request, usages: ['client'] }, readPrivateKey(key), issuer),
      key,
    }
  }

  test('is believed with a certificate of its CA', async () => {
    const { body } = await whoIs(HEADERS, await issued('front-proxy-ca', 'front-proxy-client'))
    expect(body.status.userInfo).toEqual({
      username: 'jane',
      uid: '42',
      groups: ['builders', 'system:authenticated'],
      extra: { 'example.com/scope': ['view'] },
    })
  })

  test('must have a name that is allowed', async () => {
    expect((await whoIs(HEADERS, await issued('front-proxy-ca', 'somebody'))).status).toBe(401)
  })

  test('is nobody itself, whatever its certificate says', async () => {
    const pair = await issued('front-proxy-ca', 'front-proxy-client', ['system:masters'])
    expect((await whoIs({}, pair)).status).toBe(401)
  })

  test('is no client of the cluster, whose headers say nothing', async () => {
    const { body } = await whoIs(HEADERS, await issued('ca', 'front-proxy-client', ['x']))
    expect(body.status.userInfo).toMatchObject({
      username: 'front-proxy-client',
      groups: ['x', 'system:authenticated'],
    })
    expect((await whoIs(HEADERS)).body.message).toContain('User "system:anonymous"')
  })
})
