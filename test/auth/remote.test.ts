// Tokens that others know, over HTTPS: a webhook, an OpenID issuer; and anonymous requests on some paths only.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompactSign } from 'jose'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'
import { ApiClient, type Reply } from '../api/client.ts'

const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const DAY_MS = 24 * 60 * 60 * 1000
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let folder: string
let other: Server
let url: string
let cluster: Cluster
let ca: string
/** The file of issuers. */
let configuration: string
/** Authorization headers that the webhook was shown. */
const shown: (string | undefined)[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-remote-'))
  const key = makePrivateKey()
  const [notBefore, notAfter] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)]
  const subject = { commonName: 'other', organizations: [] }
  const request = {
    subject,
    isCa: true,
    usages: ['server' as const],
    hosts: ['127.0.0.1'],
    notBefore,
    notAfter,
  }
  const cert = await makeCertificate(request, readPrivateKey(key))
  other = createServer({ cert, key }, (asked, answer) => {
    const chunks: Buffer[] = []
    asked.on('data', (chunk: Buffer) => chunks.push(chunk))
    asked.on('end', () => {
      const [path = ''] = (asked.url ?? '').split('?')
      if (path === '/review') shown.push(asked.headers.authorization)
      const body = answerTo(path, Buffer.concat(chunks).toString())
      answer
        .writeHead(body ? 200 : 404, { 'content-type': 'application/json' })
        .end(JSON.stringify(body ?? {}))
    })
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(other.address() as AddressInfo).port}`
  const kubeconfig = join(folder, 'webhook.yaml')
  configuration = join(folder, 'authentication.yaml')
  ca = cert
  writeFileSync(kubeconfig, webhookFile(ca))
  writeFileSync(configuration, authenticationFile(ca))
  cluster = await startCluster({
    tokenWebhook: { configFile: kubeconfig, version: 'v1', cacheMs: 60_000 },
    authenticationConfigFile: configuration,
  })
})

afterAll(async () => {
  await cluster.stop()
  other.closeAllConnections()
  other.close()
  rmSync(folder, { recursive: true, force: true })
})

function answerTo(path: string, body: string): object | undefined {
  switch (path) {
    case '/review': {
      const { spec } = JSON.parse(body) as { spec: { token: string; audiences: string[] } }
      const user = { username: 'from-webhook', groups: spec.audiences }
      return { kind: 'TokenReview', status: spec.token === 'known' ? { authenticated: true, user } : {} }
    }
    case '/.well-known/openid-configuration':
      return { issuer: url, jwks_uri: `${url}/keys` }
    case '/keys':
      return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig' }] }
    default:
      return undefined
  }
}

const webhookFile = (ca: string): string => `
apiVersion: v1
kind: Config
clusters:
- name: other
  cluster:
    server: ${url}/review
    certificate-authority-data: ${Buffer.from(ca).toString('base64')}
users:
- name: us
  user: {token: ours}
contexts:
- name: c
  context: {cluster: other, user: us}
current-context: c
`

const authenticationFile = (ca: string, mappings = 'username: {claim: sub, prefix: "other:"}'): string => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: ${url}
    audiences: [us]
    certificateAuthority: |
${ca.replace(/^/gm, '      ')}
  claimMappings:
    ${mappings}
anonymous:
  enabled: true
  conditions:
  - path: /livez
`

async function ask(method: string, path: string, token?: string): Promise<Reply> {
  const client = new ApiClient({ ...cluster, clientCert: '', clientKey: '' })
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return await client.ask(method, path, { headers, ...(method === 'POST' ? { body: {} } : {}) })
  } finally {
    client.close()
  }
}

test('a webhook knows a token, and is asked once', async () => {
  for (let i = 0; i < 2; i++) {
    const { body } = await ask('POST', SELF, 'known')
    expect(body.status.userInfo).toEqual({
      username: 'from-webhook',
      groups: ['https://kubernetes.default.svc', 'system:authenticated'],
    })
  }
  expect((await ask('POST', SELF, 'unknown')).status).toBe(401)
  expect(shown).toEqual(['Bearer ours', 'Bearer ours'])
})

function signed(more: object = {}): Promise<string> {
  const claims = { iss: url, aud: ['us', 'them'], sub: 'jane', exp: Math.floor(Date.now() / 1000) + 600 }
  return new CompactSign(Buffer.from(JSON.stringify({ ...claims, ...more })))
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(privateKey)
}

test('an OpenID issuer signed a token', async () => {
  const { body } = await ask('POST', SELF, await signed())
  expect(body.status.userInfo).toEqual({ username: 'other:jane', groups: ['system:authenticated'] })
})

test('anonymous requests are let in where the configuration says so', async () => {
  expect((await ask('GET', '/livez')).status).toBe(200)
  expect((await ask('GET', '/readyz')).status).toBe(401)
})

test('the file of issuers is read again when it changes, and what is no good changes nothing', async () => {
  const nameNow = async (): Promise<string> => {
    // A new token each time: what is known of one is remembered.
    const { body } = await ask('POST', SELF, await signed({ roles: ['a'], jti: randomUUID() }))
    return body.status.userInfo?.username
  }
  writeFileSync(configuration, authenticationFile(ca, 'username: {expression: "user"}'))
  expect(await nameNow()).toBe('other:jane')
  const mappings = 'username: {expression: "claims.sub + \'@\' + claims.roles[0]"}'
  writeFileSync(configuration, authenticationFile(ca, mappings))
  await vi.waitFor(async () => expect(await nameNow()).toBe('jane@a'), { timeout: 90_000, interval: 100 })
  writeFileSync(configuration, authenticationFile(ca).replace('/livez', '/other'))
  expect(await nameNow()).toBe('jane@a')
})

test('an egress that is not there, and an --anonymous-auth beside the file, are refused at the start', async () => {
  const start = (more: object): Promise<Cluster> =>
    startCluster({ authenticationConfigFile: configuration, ...more })
  await expect(start({ anonymousAuthGiven: true })).rejects.toThrow(
    '--anonymous-auth flag cannot be set when anonymous field is configured',
  )
  writeFileSync(
    configuration,
    authenticationFile(ca).replace('url:', 'egressSelectorType: cluster\n    url:'),
  )
  await expect(start({})).rejects.toThrow('oidc: egress lookup required with egress selector type "cluster"')
})
