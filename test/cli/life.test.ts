// How a cluster lives: what it leaves on disk and in the log, how it stops, and that it comes back as it was.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { PARTS } from '../../src/cmd/parts/parts.ts'
import type { JsonObject } from '../../src/machinery/json.ts'
import { ApiClient } from '../process/client.ts'
import {
  bundleProgram,
  type Program,
  readAccess,
  run,
  type Running,
  type Server,
  startServer,
} from '../process/server.ts'

const base = mkdtempSync(join(tmpdir(), 'dinghy-life-'))
let program: Program
const started: Running[] = []
beforeAll(async () => {
  program = await bundleProgram()
})
afterEach(async () => {
  for (const running of started.splice(0)) {
    running.child.kill('SIGKILL')
    await running.ended
  }
})
afterAll(() => {
  program.remove()
  rmSync(base, { recursive: true, force: true })
})

async function start(...args: readonly string[]): Promise<Server> {
  const server = await startServer(program, args)
  started.push(server)
  return server
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)
const MAPS = '/api/v1/namespaces/default/configmaps'

/** A stop waits for nobody: who has a watch open would have it for half an hour. A busy machine takes its time. */
const STOP_MS = 45_000

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  it(`${signal} stops it cleanly, with watches open`, async () => {
    const server = await start('--memory')
    const client = new ApiClient(server)
    let events = 0
    let first = (): void => undefined
    const heard = new Promise<void>((done) => (first = done))
    const watches = Array.from({ length: 20 }, () =>
      client.watch('/api/v1/namespaces?watch=1', () => ++events && first()),
    )
    await heard
    const before = performance.now()
    server.child.kill(signal)
    const { code, stderr } = await server.ended
    expect(performance.now() - before).toBeLessThan(STOP_MS)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    await Promise.all(watches.map((watch) => watch.ended))
    client.close()
  })
}

it('a cluster with all its parts stops cleanly, while they start and when they are at work', async () => {
  for (const until of ['ready', 'at work'] as const) {
    const server = await start('--memory', '--parts', PARTS.join())
    if (until === 'at work') {
      const client = new ApiClient(server)
      const nodeIsReady = async (): Promise<void> => {
        const { json } = await client.send('GET', '/api/v1/nodes/node-0')
        expect(JSON.stringify(json)).toContain('KubeletReady')
      }
      await vi.waitFor(nodeIsReady, { timeout: 90_000, interval: 50 })
      client.close()
    }
    const before = performance.now()
    const { code, stderr } = await server.stop()
    expect(performance.now() - before).toBeLessThan(STOP_MS)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
})

it('runs all parts unless told otherwise, and the controllers lead at once after a kill -9', async () => {
  const args = [
    'up',
    '--port',
    '0',
    '--data-dir',
    join(base, 'all'),
    '--kubeconfig',
    join(base, 'all-config'),
  ]
  const holders = new Set<string>()
  for (const round of ['first', 'second']) {
    const running = run(program, args)
    started.push(running)
    await ready(running)
    const client = new ApiClient(readAccess(readFileSync(join(base, 'all-config'), 'utf8')))
    const namespace = { metadata: { name: round } }
    expect((await client.send('POST', '/api/v1/namespaces', namespace)).status).toBe(201)
    await vi.waitFor(
      async () => {
        const path = `/api/v1/namespaces/${round}/serviceaccounts/default`
        expect((await client.send('GET', path)).status).toBe(200)
      },
      { timeout: 90_000, interval: 50 },
    )
    const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager'
    const { holderIdentity, leaseTransitions } = (await client.send('GET', lease)).json['spec'] as JsonObject
    holders.add(`${String(holderIdentity)} ${String(leaseTransitions)}`)
    client.close()
    running.child.kill('SIGKILL')
    expect((await running.ended).stderr).toBe('')
  }
  // Whose lease it was knows it for its own, and need not wait for its end.
  expect(holders.size).toBe(1)
})

it('data, keys and identity are there after a restart; files are for their owner alone', async () => {
  const dataDir = join(base, 'kept')
  const first = await start('--data-dir', dataDir)
  const writer = new ApiClient(first)
  const made = await writer.send('POST', MAPS, { metadata: { name: 'kept' }, data: { a: '1' } })
  expect(made.status).toBe(201)
  writer.close()
  expect((await first.stop()).code).toBe(0)
  for (const folder of ['pki', 'data']) {
    expect(mode(join(dataDir, folder))).toBe('700')
    for (const file of readdirSync(join(dataDir, folder)))
      expect(mode(join(dataDir, folder, file))).toBe('600')
  }
  const second = await start('--data-dir', dataDir)
  expect(second.ca).toBe(first.ca)
  // The old kubeconfig's certificate still lets its owner in.
  const reader = new ApiClient({ ...second, cert: first.cert, key: first.key })
  const { json } = await reader.send('GET', `${MAPS}/kept`)
  expect(json).toEqual(made.json)
  reader.close()
})

const OTHERS = `# my clusters
apiVersion: v1
kind: Config
preferences: {}
current-context: work
clusters:
- name: work # the one that matters
  cluster:
    server: https://work.example:6443
contexts:
- name: work
  context: { cluster: work, user: me }
users:
- name: me
  user:
    token: "s3cret"
`

it('merges its context into the own kubeconfig, and leaves the rest', async () => {
  const file = join(base, 'own-config')
  writeFileSync(file, OTHERS, { mode: 0o644 })
  const running = run(program, ['up', '--memory', '--port', '0'], { env: { KUBECONFIG: file } })
  started.push(running)
  await ready(running)
  const text = readFileSync(file, 'utf8')
  const mine = text
    .split('\n')
    .filter((line) => !OTHERS.split('\n').includes(line))
    .join('\n')
  for (const line of OTHERS.split('\n')) {
    if (!line.startsWith('current-context')) expect(text.split('\n')).toContain(line)
  }
  expect(mode(file)).toBe('600')
  const client = new ApiClient(readAccess(mine))
  expect((await client.send('GET', '/version')).json['gitVersion']).toMatch(/^v1\.36\./)
  client.close()
})

/** Resolves when the command says what to try. */
function ready(running: Running): Promise<void> {
  return new Promise((done, failed) => {
    running.child.stdout?.on('data', () => running.stdout().includes('kubectl get namespaces') && done())
    running.ended.then(({ stderr }) => failed(new Error(stderr)), failed)
  })
}

it('writes the kubeconfig for its owner alone', async () => {
  const file = join(base, 'new', 'config')
  const running = run(program, ['up', '--memory', '--port', '0', '--kubeconfig', file])
  started.push(running)
  await ready(running)
  expect(mode(file)).toBe('600')
})

it('no secret reaches the log, at its most talkative', async () => {
  const tokens = join(base, 'tokens.csv')
  const secrets = [
    't0ken-that-is-secret',
    'content-that-is-secret',
    'query-that-is-secret',
    'bad-bearer-secret',
  ]
  // Given twice, so that there is something to tell.
  writeFileSync(tokens, `${secrets[0]},reader,1,"system:masters"\n`.repeat(2))
  const server = await start('--memory', '--log-level', 'debug', '--token-auth-file', tokens)
  const client = new ApiClient(server)
  const path = `/api/v1/namespaces/default/secrets`
  const data = { a: Buffer.from(secrets[1] as string).toString('base64'), b: secrets[1] as string }
  await client.send('POST', path, { metadata: { name: 's' }, data: { a: data.a } })
  await client.send('POST', path, { metadata: { name: 's2' }, data })
  await client.send('PATCH', `${path}/s`, { data }, 'application/strategic-merge-patch+json')
  await client.send('GET', `/api/v1/pods?token=${secrets[2]}&labelSelector=(((`)
  client.close()
  for (const token of [secrets[0], secrets[3]]) {
    const other = new ApiClient({ ...server, cert: '', key: '' }, { authorization: `Bearer ${token}` })
    expect((await other.send('GET', path)).status).toBe(token === secrets[0] ? 200 : 401)
    other.close()
  }
  const { stderr, stdout } = await server.stop()
  const keys = server.key.split('\n').filter((line) => line.length > 40)
  expect(stderr).toContain(tokens)
  for (const secret of [...secrets, data.a, ...keys]) expect(stderr + stdout).not.toContain(secret)
})
