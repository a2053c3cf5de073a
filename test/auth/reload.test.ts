// Certificates of the operator's own files, replaced while the server runs: what it shows, and whom it believes.
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Cluster, startCluster } from '../../src/cmd/cluster.ts'
import { makeCertificate, makePrivateKey, readPrivateKey } from '../../src/pki/certificate.ts'
import { ApiClient } from '../api/client.ts'

const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const DAY_MS = 24 * 60 * 60 * 1000
const UNTIL = { timeout: 90_000, interval: 100 }

interface Pair {
  readonly cert: string
  readonly key: string
}

async function pair(name: string, use: 'server' | 'client', ca?: Pair & { name: string }): Promise<Pair> {
  const key = makePrivateKey()
  const request = {
    subject: { commonName: name, organizations: [] },
    isCa: use === 'client' && !ca,
    usages: [use],
    hosts: use === 'server' ? ['127.0.0.1'] : [],
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
  } as const
  const issuer = ca && {
    subject: { commonName: ca.name, organizations: [] },
    key: readPrivateKey(ca.key),
  }
  return { cert: await makeCertificate(request, readPrivateKey(key), issuer), key }
}

let folder: string
let cluster: Cluster
let files: Record<'cert' | 'key' | 'clients' | 'proxies', string>
let [old, young]: Pair[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dinghy-reload-'))
  const at = (name: string): string => join(folder, name)
  files = { cert: at('cert'), key: at('key'), clients: at('clients'), proxies: at('proxies') }
  ;[old, young] = [await pair('old', 'client'), await pair('young', 'client')]
  const serving = await pair('first', 'server')
  writeFileSync(files.cert, serving.cert)
  writeFileSync(files.key, serving.key)
  writeFileSync(files.clients, old.cert)
  writeFileSync(files.proxies, old.cert)
  cluster = await startCluster({
    tlsCertFile: files.cert,
    tlsPrivateKeyFile: files.key,
    clientCaFile: files.clients,
    requestHeader: {
      caFile: files.proxies,
      allowedNames: ['proxy'],
      usernameHeaders: ['X-Remote-User'],
      uidHeaders: [],
      groupHeaders: [],
      extraHeaderPrefixes: [],
    },
  })
})

afterAll(async () => {
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

function client(shown: Pair): ApiClient {
  return new ApiClient({
    ...cluster,
    caCert: readFileSync(files.cert, 'utf8'),
    clientCert: shown.cert,
    clientKey: shown.key,
  })
}

async function nameOf(asking: ApiClient, headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await asking.ask('POST', SELF, { body: {}, headers })
  return status === 201 ? body.status.userInfo.username : String(status)
}

/** On a connection of its own. */
async function freshName(shown: Pair, headers?: Record<string, string>): Promise<string> {
  const asking = client(shown)
  try {
    return await nameOf(asking, headers)
  } finally {
    asking.close()
  }
}

function servingName(): Promise<string> {
  const port = Number(new URL(cluster.url).port)
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] },
      () => {
        const shown = socket.getPeerX509Certificate()
        socket.destroy()
        resolve(new X509Certificate(shown?.raw ?? '').subject)
      },
    )
    socket.on('error', reject)
  })
}

test('another serving certificate, once it has its key', async () => {
  expect(await servingName()).toBe('CN=first')
  const second = await pair('second', 'server')
  writeFileSync(files.cert, second.cert)
  expect(await servingName()).toBe('CN=first')
  writeFileSync(files.key, second.key)
  await vi.waitFor(async () => expect(await servingName()).toBe('CN=second'), UNTIL)
})

test('another CA of clients: open connections are judged by it too', async () => {
  const [jane, joe] = [
    await pair('jane', 'client', { ...(old as Pair), name: 'old' }),
    await pair('joe', 'client', { ...(young as Pair), name: 'young' }),
  ]
  const open = client(jane)
  try {
    expect([await nameOf(open), await freshName(joe)]).toEqual(['jane', '401'])
    writeFileSync(files.clients, `${old?.cert}\n${young?.cert}`)
    await vi.waitFor(async () => expect(await freshName(joe)).toBe('joe'), UNTIL)
    expect(await nameOf(open)).toBe('jane')
    writeFileSync(files.clients, young?.cert ?? '')
    await vi.waitFor(async () => expect(await nameOf(open)).toBe('401'), UNTIL)
    expect([await freshName(jane), await freshName(joe)]).toEqual(['401', 'joe'])
  } finally {
    open.close()
  }
})

test('another CA of proxies, which aggregated servers hear of', async () => {
  const proxy = await pair('proxy', 'client', { ...(young as Pair), name: 'young' })
  const headers = { 'x-remote-user': 'ann' }
  expect(await freshName(proxy, headers)).toBe('proxy')
  writeFileSync(files.proxies, young?.cert ?? '')
  await vi.waitFor(async () => expect(await freshName(proxy, headers)).toBe('ann'), UNTIL)
  const admin = client({ cert: cluster.clientCert, key: cluster.clientKey })
  try {
    await vi.waitFor(async () => {
      const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'
      const { body } = await admin.ask('GET', path)
      expect(body.data['requestheader-client-ca-file']).toContain(young?.cert.trim())
      expect(body.data['client-ca-file']).toContain(young?.cert.trim())
    }, UNTIL)
  } finally {
    admin.close()
  }
})
