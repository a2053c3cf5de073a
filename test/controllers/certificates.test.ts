// Requests for certificates from their making to a login with what was signed.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as ask } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Api } from '../../src/client/api.ts'
import type { CertificateSigningRequest } from '../../src/client/kinds/certificates.v1.gen.ts'
import type { Resource } from '../../src/client/resource.ts'
import { CERTIFICATE_SIGNING_REQUESTS } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const CLIENT = 'kubernetes.io/kube-apiserver-client'
const KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'
const CLUSTER_ROLE_BINDINGS: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
}
const dir = mkdtempSync(join(tmpdir(), 'csr-'))
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith(['csrsigning', 'csrapproving'])
})
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true })
  await cluster.stop()
})

function makeRequest(name: string, subject: string, key: readonly string[] = ['ed25519']): string {
  const out = ['-keyout', `${name}.key`, '-subj', subject]
  return execFileSync('openssl', ['req', '-new', '-nodes', '-newkey', ...key, ...out], {
    cwd: dir,
    encoding: 'utf8',
  })
}

const USAGES = ['digital signature', 'client auth']
const create = (name: string, pem: string, spec: object, api = cluster.api) =>
  api.create(CERTIFICATE_SIGNING_REQUESTS, {
    metadata: { name },
    spec: { request: Buffer.from(pem).toString('base64'), signerName: CLIENT, usages: USAGES, ...spec },
  } as never)

const approve = (request: CertificateSigningRequest) =>
  cluster.api.update(
    CERTIFICATE_SIGNING_REQUESTS,
    { ...request, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'ByHand' }] } },
    'approval',
  )

const signed = (name: string): Promise<string> =>
  vi.waitFor(async () => {
    const { status } = await cluster.api.get(CERTIFICATE_SIGNING_REQUESTS, { name })
    expect(status.certificate).toBeTruthy()
    return Buffer.from(status.certificate as string, 'base64').toString()
  }, WAIT)

/** Who the server says that the client is. */
function whoami(cert: string, key: string): Promise<unknown> {
  const { url, identity } = cluster.server
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })
    const sent = ask(
      `${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
      { method: 'POST', ca: identity.caCert, cert, key, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => void (text += chunk.toString()))
        response.on('end', () =>
          resolve((JSON.parse(text) as { status: { userInfo: unknown } }).status.userInfo),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

it.each([
  ['rsa', ['rsa:2048']],
  ['ecdsa', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
  ['ed25519', ['ed25519']],
])('signs what is approved, and its holder logs in: %s', async (name, key) => {
  const pem = makeRequest(name, `/O=writers/O=readers/CN=jo-${name}`, key)
  const made = await create(name, pem, { expirationSeconds: 7200 })
  await approve(made)
  const cert = await signed(name)
  const { validFrom, validTo } = new X509Certificate(cert)
  expect(Date.parse(validTo) - Date.parse(validFrom)).toBe(7200_000 + 300_000)
  expect(await whoami(cert, readFileSync(join(dir, `${name}.key`), 'utf8'))).toMatchObject({
    username: `jo-${name}`,
    groups: ['readers', 'writers', 'system:authenticated'],
  })
  writeFileSync(join(dir, 'ca.crt'), cluster.server.identity.caCert)
  writeFileSync(join(dir, 'leaf.crt'), cert)
  const verify = ['verify', '-purpose', 'sslclient', '-CAfile', 'ca.crt', 'leaf.crt']
  expect(execFileSync('openssl', verify, { cwd: dir, encoding: 'utf8' })).toBe('leaf.crt: OK\n')
})

it('says what is wrong with a request, and signs it never', async () => {
  const made = await create('server', makeRequest('server', '/CN=a'), {
    usages: ['server auth', 'client auth'],
  })
  await approve(made)
  await vi.waitFor(async () => {
    const { status } = await cluster.api.get(CERTIFICATE_SIGNING_REQUESTS, { name: 'server' })
    expect(status.conditions).toMatchObject([
      { type: 'Approved', reason: 'ByHand' },
      {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: 'invalid usage for client certificate: server auth',
      },
    ])
    expect(status.certificate).toBeUndefined()
  }, WAIT)
})

it('approves what kubelets ask for, and nobody else', async () => {
  const node = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] }
  const as = (user: typeof node) => new Api(cluster.server.loopback(user), 'test')
  const pem = makeRequest('node', '/O=system:nodes/CN=system:node:a')
  const other = makeRequest('other', '/O=system:nodes/CN=system:node:b')
  const role = 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient'
  await cluster.api.create(CLUSTER_ROLE_BINDINGS, {
    metadata: { name: 'renewal' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
  } as never)
  await create('other', other, { signerName: KUBELET }, as(node))
  await create('node', pem, { signerName: KUBELET }, as(node))
  const cert = await signed('node')
  expect(new X509Certificate(cert).toLegacyObject().subject).toMatchObject({
    CN: node.name,
    O: 'system:nodes',
  })
  const { status } = await cluster.api.get(CERTIFICATE_SIGNING_REQUESTS, { name: 'node' })
  expect(status.conditions).toMatchObject([
    {
      type: 'Approved',
      reason: 'AutoApproved',
      message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    },
  ])
  expect((await cluster.api.get(CERTIFICATE_SIGNING_REQUESTS, { name: 'other' })).status).toEqual({})
})
