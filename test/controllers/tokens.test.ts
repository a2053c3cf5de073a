// Tokens: in secrets of service accounts, and those by which nodes join.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import type { Secret } from '../../src/client/kinds/core.v1.gen.ts'
import type { Resource } from '../../src/client/resource.ts'
import { CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS } from '../../src/client/resources.ts'
import { clusterWith, type TestCluster } from './cluster.ts'

const WAIT = { timeout: 90_000, interval: 10 }
const namespace = 'default'
const TOKEN_REVIEWS: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  resource: 'tokenreviews',
  kind: 'TokenReview',
  namespaced: false,
}
let cluster: TestCluster

beforeAll(async () => {
  cluster = await clusterWith([
    'serviceaccount',
    'serviceaccount-token',
    'legacy-service-account-token-cleaner',
    'bootstrapsigner',
    'tokencleaner',
  ])
})
afterAll(() => cluster.stop())

const text = (secret: Secret, key: string): string =>
  Buffer.from(secret.data?.[key] ?? '', 'base64').toString()

const isGone = (name: string, place = namespace): Promise<boolean> =>
  cluster.api.get(SECRETS, { namespace: place, name }).then(() => false, isNotFound)

function makeSecret(name: string, account: string): Promise<Secret> {
  const annotations = { 'kubernetes.io/service-account.name': account }
  const type = 'kubernetes.io/service-account-token'
  return cluster.api.create(SECRETS, { metadata: { namespace, name, annotations }, type } as never)
}

const filled = (name: string): Promise<Secret> =>
  vi.waitFor(async () => {
    const secret = await cluster.api.get(SECRETS, { namespace, name })
    expect(secret.data?.['token']).toBeTruthy()
    return secret
  }, WAIT)

it('fills a secret with a token that lets its account in, until one of the two is gone', async () => {
  const { api, server } = cluster
  const account = await api.create(SERVICE_ACCOUNTS, { metadata: { namespace, name: 'robot' } })
  await makeSecret('robot-token', 'robot')
  const secret = await filled('robot-token')
  expect(text(secret, 'namespace')).toBe(namespace)
  expect(text(secret, 'ca.crt')).toBe(server.identity.caCert)
  expect(secret.metadata.annotations?.['kubernetes.io/service-account.uid']).toBe(account.metadata.uid)
  const review = async () =>
    (await api.create(TOKEN_REVIEWS, {
      metadata: {},
      spec: { token: text(secret, 'token') },
    } as never)) as never as {
      status: object
    }
  expect((await review()).status).toMatchObject({
    authenticated: true,
    user: { username: 'system:serviceaccount:default:robot', uid: account.metadata.uid },
  })
  await api.delete(SERVICE_ACCOUNTS, { namespace, name: 'robot' })
  await vi.waitFor(async () => expect(await isGone('robot-token')).toBe(true), WAIT)
  expect((await review()).status).not.toMatchObject({ authenticated: true })
})

it('mends what was taken out of a secret, and takes a deleted secret out of its account', async () => {
  const { api } = cluster
  const secrets = [{ name: 'listed' }, { name: 'other' }]
  await api.create(SERVICE_ACCOUNTS, { metadata: { namespace, name: 'lister' }, secrets } as never)
  await makeSecret('listed', 'lister')
  const { data = {} } = await filled('listed')
  await api.patch(
    SECRETS,
    { namespace, name: 'listed' },
    { data: { token: null, 'ca.crt': 'eA==' } },
    { type: 'merge' },
  )
  await vi.waitFor(async () => {
    const mended = await api.get(SECRETS, { namespace, name: 'listed' })
    expect(mended.data?.['ca.crt']).toBe(data['ca.crt'])
    expect(mended.data?.['token']).toBeTruthy()
  }, WAIT)
  await api.delete(SECRETS, { namespace, name: 'listed' })
  await vi.waitFor(async () => {
    const account = await api.get(SERVICE_ACCOUNTS, { namespace, name: 'lister' })
    expect(account.secrets).toEqual([{ name: 'other' }])
  }, WAIT)
})

it('deletes a token of an account that there is not', async () => {
  // The server refuses to make one, so its account goes first.
  await cluster.api.create(SERVICE_ACCOUNTS, { metadata: { namespace, name: 'brief' } })
  await makeSecret('brief-token', 'brief')
  await filled('brief-token')
  await cluster.api.delete(SERVICE_ACCOUNTS, { namespace, name: 'brief' })
  await cluster.api.create(SERVICE_ACCOUNTS, { metadata: { namespace, name: 'brief' } })
  await vi.waitFor(async () => expect(await isGone('brief-token')).toBe(true), WAIT)
})

it('signs what nodes that join are told, and deletes their tokens when they end', async () => {
  const { api } = cluster
  const place = { namespace: 'kube-public', name: 'cluster-info' }
  await api.create(CONFIG_MAPS, { metadata: place, data: { kubeconfig: 'content' } })
  const data = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-signing': 'true',
  }
  const metadata = { namespace: 'kube-system', name: 'bootstrap-token-abcdef' }
  await api.create(SECRETS, { metadata, type: 'bootstrap.kubernetes.io/token', stringData: data } as never)
  const keys = async () => Object.keys((await api.get(CONFIG_MAPS, place)).data ?? {})
  await vi.waitFor(async () => expect(await keys()).toContain('jws-kubeconfig-abcdef'), WAIT)
  const expiration = new Date(Date.now() + 1000).toISOString()
  await api.patch(SECRETS, metadata, { stringData: { expiration } } as never, { type: 'merge' })
  await vi.waitFor(async () => expect(await isGone(metadata.name, metadata.namespace)).toBe(true), WAIT)
  await vi.waitFor(async () => expect(await keys()).toEqual(['kubeconfig']), WAIT)
})
