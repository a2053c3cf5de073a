// Priority and fairness over real connections: what every answer tells, who waits, who is refused, and that nobody is
// starved while others flood. What is held open on purpose are writes whose body has not come yet.
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCluster, type Cluster, type ClusterOptions } from '../../src/cmd/cluster.ts'
import { ApiClient, type Reply } from './client.ts'

const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1'
const SCHEMAS = `${FLOW}/flowschemas`
const LEVELS = `${FLOW}/prioritylevelconfigurations`
const PODS = '/api/v1/namespaces/default/pods'
const MAPS = '/api/v1/namespaces/default/configmaps'
const DUMP = '/debug/api_priority_and_fairness/dump_priority_levels'
const SCHEMA_UID = 'x-kubernetes-pf-flowschema-uid'
const LEVEL_UID = 'x-kubernetes-pf-prioritylevel-uid'

const as = (user: string) => ({ headers: { 'impersonate-user': user } })

let cluster: Cluster
let client: ApiClient
let sessions: ClientHttp2Session[] = []

/** Everybody may do everything: these tests are about when. */
async function start(options: ClusterOptions): Promise<void> {
  cluster = await startCluster({ authorizationModes: ['AlwaysAllow'], ...options })
  client = new ApiClient(cluster)
}

async function stop(): Promise<void> {
  for (const session of sessions) session.destroy()
  sessions = []
  client.close()
  await cluster.stop()
}

/** A write that holds its seats until `finish`; its answer. */
function slowWrite(user: string): { finish(): void; readonly answer: Promise<number> } {
  const session = connect(cluster.url, { ca: cluster.caCert, cert: cluster.clientCert, key: cluster.clientKey })
  sessions.push(session)
  const headers = { 'impersonate-user': user, 'content-type': 'application/json' }
  const stream: ClientHttp2Stream = session.request({ ':method': 'POST', ':path': MAPS, ...headers })
  const answer = new Promise<number>((resolve, reject) => {
    stream.on('response', (given) => resolve(Number(given[':status'])))
    stream.on('error', reject)
  })
  stream.write('{"metadata":{"generateName":"x-"}')
  return { finish: () => void stream.end('}'), answer }
}

/** A row of the table of levels, without its name. */
async function levelRow(name: string): Promise<string[]> {
  const { bytes } = await client.ask('GET', DUMP)
  const row = bytes.toString().split('\n').find((line) => line.startsWith(`${name},`))
  return row?.split(/, +/).slice(1) ?? []
}
const waitingIn = async (level: string): Promise<number> => Number((await levelRow(level))[3])
const executingIn = async (level: string): Promise<number> => Number((await levelRow(level))[4])

const uidOf = async (path: string): Promise<string> => (await client.ask('GET', path)).body.metadata.uid

describe('answers', () => {
  beforeAll(() => start({}))
  afterAll(stop)

  it('tell which flow schema and level took the request', async () => {
    const exempt = [await uidOf(`${SCHEMAS}/exempt`), await uidOf(`${LEVELS}/exempt`)]
    const others = [await uidOf(`${SCHEMAS}/global-default`), await uidOf(`${LEVELS}/global-default`)]
    const marks = ({ headers }: Reply) => [headers[SCHEMA_UID], headers[LEVEL_UID]]
    const paths = ['/api/v1/namespaces', `${PODS}/nothing`, '/readyz', '/version', '/metrics', '/apis', '/nothing', DUMP]
    for (const path of [...paths, '/openapi/v2', '/apis/nobody.example/v1/things']) {
      expect(marks(await client.ask('GET', path)), path).toEqual(exempt)
      expect(marks(await client.ask1('GET', path)), path).toEqual(exempt)
      if (path !== '/readyz') expect(marks(await client.ask('GET', path, as('alice'))), path).toEqual(others)
    }
    expect(marks(await client.ask('POST', MAPS, { body: {}, ...as('alice') }))).toEqual(others)
    expect(marks(await client.ask('GET', `${PODS}?watch=1&timeoutSeconds=1`, as('alice')))).toEqual(others)
    expect(marks(await client.ask('GET', '/readyz', { headers: { 'impersonate-user': 'alice', 'impersonate-group': 'system:unauthenticated' } }))).toEqual(
      [await uidOf(`${SCHEMAS}/probes`), exempt[1]],
    )
  })

  it('that come before anybody looked tell nothing', async () => {
    const bad = await client.ask('GET', '/api/v1/pods?timeout=bad')
    expect([bad.status, bad.headers[SCHEMA_UID]]).toEqual([400, undefined])
  })

  it('follow a change of the objects at once', async () => {
    const level = {
      metadata: { name: 'mine' },
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } } },
    }
    const schema = {
      metadata: { name: 'mine' },
      spec: {
        priorityLevelConfiguration: { name: 'mine' },
        matchingPrecedence: 50,
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'carol' } }],
            resourceRules: [{ verbs: ['list'], apiGroups: [''], resources: ['pods'], namespaces: ['default'] }],
          },
        ],
      },
    }
    const markOf = async (path: string) => (await client.ask('GET', path, as('carol'))).headers[SCHEMA_UID]
    const before = await markOf(PODS)
    const made = await client.ask('POST', SCHEMAS, { body: schema })
    expect(made.status).toBe(201)
    // Its level is not there yet.
    expect(await markOf(PODS)).toBe(before)
    expect((await client.ask('POST', LEVELS, { body: level })).status).toBe(201)
    expect(await markOf(PODS)).toBe(made.body.metadata.uid)
    expect(await markOf(MAPS)).toBe(before)
    await client.ask('DELETE', `${SCHEMAS}/mine`)
    expect(await markOf(PODS)).toBe(before)
  })
})

describe('at a level of one seat', () => {
  beforeEach(async () => {
    await start({ maxRequestsInflight: 4, maxMutatingRequestsInflight: 2 })
    const queuing = { queues: 64, handSize: 1, queueLengthLimit: 100 }
    const limited = {
      nominalConcurrencyShares: 1,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: 'Queue', queuing },
    }
    const level = { metadata: { name: 'one' }, spec: { type: 'Limited', limited } }
    const made = await client.ask('POST', LEVELS, { body: level })
    const schema = {
      metadata: { name: 'one' },
      spec: {
        priorityLevelConfiguration: { name: 'one' },
        matchingPrecedence: 50,
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: ['noisy', 'quiet'].map((name) => ({ kind: 'User', user: { name } })),
            resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
          },
        ],
      },
    }
    expect([made.status, (await client.ask('POST', SCHEMAS, { body: schema })).status]).toEqual([201, 201])
  })
  afterEach(stop)

  it('a quiet user comes before those that a noisy one has waiting', async () => {
    const slow = slowWrite('noisy')
    await expect.poll(() => executingIn('one')).toBe(1)
    const answered: string[] = []
    const send = async (user: string): Promise<number> => {
      const { status } = await client.ask('GET', MAPS, as(user))
      answered.push(user)
      return status
    }
    const all = Array.from({ length: 64 }, () => send('noisy'))
    await expect.poll(() => waitingIn('one')).toBe(64)
    all.push(...Array.from({ length: 3 }, () => send('quiet')))
    await expect.poll(() => waitingIn('one')).toBe(67)
    expect(answered).toEqual([])
    slow.finish()
    expect(await slow.answer).toBe(201)
    expect(new Set(await Promise.all(all))).toEqual(new Set([200]))
    // The noisy one has had the seat all the time, and pays for it.
    expect(answered.lastIndexOf('quiet')).toBeLessThan(20)
    await expect.poll(() => levelRow('one')).toEqual(['0', 'true', 'false', '0', '0', '68', '0', '0', '0'])
  })

  it('64 clients of one user that flood it starve nobody', async () => {
    let isOn = true
    const codes = new Map<number, number>()
    const write = (user: string) =>
      client.ask('POST', `${MAPS}?dryRun=All`, { body: { metadata: { generateName: 'x-' } }, ...as(user) })
    const clients = Array.from({ length: 64 }, async () => {
      while (isOn) {
        const { status } = await write('noisy')
        codes.set(status, (codes.get(status) ?? 0) + 1)
      }
    })
    await expect.poll(() => waitingIn('one')).toBeGreaterThan(0)
    for (let i = 0; i < 10; i++) expect((await write('quiet')).status).toBe(201)
    isOn = false
    await Promise.all(clients)
    expect([...codes.keys()]).toEqual([201])
    await expect
      .poll(async () => (await levelRow('one')).slice(1))
      .toEqual(['true', 'false', '0', '0', expect.any(String), '0', '0', '0'])
  })

  it('what is too much is refused in upstream’s words, and administrators are not', async () => {
    const slow = slowWrite('noisy')
    await expect.poll(() => executingIn('one')).toBe(1)
    // A queue of a hundred, and no seat.
    const asked = Array.from({ length: 101 }, () => client.ask('GET', MAPS, as('noisy')))
    const refused = await Promise.race(asked)
    expect(refused.status).toBe(429)
    expect(refused.bytes.toString()).toBe('Too many requests, please try again later.\n')
    expect(refused.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache, private',
      'retry-after': '1',
      [SCHEMA_UID]: await uidOf(`${SCHEMAS}/one`),
      [LEVEL_UID]: await uidOf(`${LEVELS}/one`),
    })
    expect(await waitingIn('one')).toBe(100)
    const metrics = (await client.ask('GET', '/metrics')).bytes.toString()
    const labels = 'flow_schema="one",priority_level="one"'
    expect(metrics).toContain(`apiserver_flowcontrol_current_inqueue_requests{${labels}} 100\n`)
    expect(metrics).toContain(`apiserver_flowcontrol_rejected_requests_total{${labels},reason="queue-full"} 1\n`)
    slow.finish()
    await Promise.all([slow.answer, ...asked])
  })

  it('who goes away is waited for no longer', async () => {
    const slow = slowWrite('noisy')
    await expect.poll(() => executingIn('one')).toBe(1)
    const other = slowWrite('noisy')
    await expect.poll(() => waitingIn('one')).toBe(1)
    other.answer.catch(() => undefined)
    sessions[1]?.destroy()
    await expect.poll(() => waitingIn('one')).toBe(0)
    slow.finish()
    expect(await slow.answer).toBe(201)
  })

  it('waits a quarter of the time that it is given', async () => {
    const slow = slowWrite('noisy')
    await expect.poll(() => executingIn('one')).toBe(1)
    const { status, headers } = await client.ask('GET', `${MAPS}?timeout=400ms`, as('noisy'))
    expect([status, headers['retry-after']]).toEqual([429, '1'])
    expect((await levelRow('one')).slice(6)).toEqual(['1', '0', '1'])
    slow.finish()
    await slow.answer
  })

  it('watches take a seat for as long as they begin', async () => {
    const watches = await Promise.all([1, 2, 3].map(() => client.watch(`${MAPS}?watch=1`, as('noisy').headers)))
    await expect.poll(() => executingIn('one')).toBe(0)
    const made = await client.ask('POST', MAPS, { body: { metadata: { name: 'seen' } }, ...as('noisy') })
    expect(made.status).toBe(201)
    for (const watch of watches) {
      let event = await watch.next()
      while (event.object.metadata.name !== 'seen') event = await watch.next()
      watch.close()
    }
  })
})

describe('without priority and fairness', () => {
  beforeAll(() => start({ enablePriorityAndFairness: false, maxRequestsInflight: 4, maxMutatingRequestsInflight: 1 }))
  afterAll(stop)

  it('so many reads and so many writes go at once, administrators always, and watches uncounted', async () => {
    const slow = slowWrite('alice')
    const body = { metadata: { generateName: 'x-' } }
    const write = () => client.ask('POST', MAPS, { body, ...as('bob') })
    await expect.poll(async () => (await write()).status).toBe(429)
    const refused = await write()
    expect(refused.bytes.toString()).toBe('Too many requests, please try again later.\n')
    expect(refused.headers['retry-after']).toBe('1')
    expect(refused.headers[SCHEMA_UID]).toBeUndefined()
    expect((await client.ask('GET', MAPS, as('bob'))).status).toBe(200)
    expect((await client.ask('POST', MAPS, { body })).status).toBe(201)
    const watches = await Promise.all([1, 2, 3, 4, 5, 6].map(() => client.watch(`${MAPS}?watch=1`, as('bob').headers)))
    expect((await client.ask('GET', MAPS, as('bob'))).status).toBe(200)
    for (const watch of watches) watch.close()
    slow.finish()
    expect(await slow.answer).toBe(201)
    await expect.poll(async () => (await write()).status).toBe(201)
    expect((await client.ask('GET', DUMP)).status).toBe(404)
    const metrics = (await client.ask('GET', '/metrics')).bytes.toString()
    expect(metrics).toContain('apiserver_current_inflight_requests{request_kind="mutating"} ')
  })
})

it('needs a seat at least', async () => {
  const none = { maxRequestsInflight: 0, maxMutatingRequestsInflight: 0 }
  await expect(startCluster(none)).rejects.toThrow('they must add up to something positive')
})

it('puts its own objects right at the start, and leaves the operator’s alone', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'dinghy-flow-'))
  await start({ storage: { dataDir } })
  const change = async (name: string, more: object) => {
    const { body } = await client.ask('GET', `${SCHEMAS}/${name}`)
    Object.assign(body.spec, { matchingPrecedence: 77 })
    Object.assign(body.metadata.annotations, more)
    expect((await client.ask('PUT', `${SCHEMAS}/${name}`, { body })).status).toBe(200)
  }
  await change('system-nodes', {})
  await change('service-accounts', { 'apf.kubernetes.io/autoupdate-spec': 'false' })
  await client.ask('DELETE', `${SCHEMAS}/probes`)
  await stop()
  await start({ storage: { dataDir } })
  const precedence = async (name: string) =>
    (await client.ask('GET', `${SCHEMAS}/${name}`)).body.spec?.matchingPrecedence
  await expect.poll(() => precedence('system-nodes')).toBe(500)
  await expect.poll(() => precedence('probes')).toBe(2)
  expect(await precedence('service-accounts')).toBe(77)
  const { managedFields } = (await client.ask('GET', `${SCHEMAS}/probes`)).body.metadata
  expect(managedFields).toContainEqual(
    expect.objectContaining({ manager: 'api-priority-and-fairness-config-producer-v1', operation: 'Update' }),
  )
  await stop()
  rmSync(dataDir, { recursive: true, force: true })
})
