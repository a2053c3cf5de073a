// How long kubectl's requests take while 64 clients flood the server with lists, beside what they take when nobody does,
// and whether anything of its work is lost. Follows what API priority and fairness is for.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from './client.ts'
import type { Findings } from './measures.ts'
import { Workload } from './phases.ts'
import { start } from './processes.ts'
import type { Round } from './rounds.ts'
import { withServer } from './servers.ts'

const CLIENTS = 64
/** What kubectl does is done so often, each time with another object. */
const TURNS = 300
const WARM_UP = 100
/** However slow it is. */
const AT_MOST_MS = 15_000
/** Of the flood, before anything is measured. */
const RISE_MS = 3_000
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
const MAPS = '/api/v1/namespaces/default/configmaps'
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

/** p99 in ms of an administrator's requests and of a user's who shares a level with the flood; what went wrong. */
export async function flooded(round: Round): Promise<Findings> {
  await round.machine.look(`${round.contender.name}: a flood of lists`)
  return withServer(round.contender, round.work, async (server, folder) => {
    const workload = new Workload(server, round.options)
    await workload.prepare()
    await workload.run('create')
    const admin = new Client(server)
    const [flooder, user] = [await account(admin, 'flooder'), await account(admin, 'worker')]
    const who = { admin, user: new Client({ ...server, credentials: { token: user } }) }
    const found: Findings = {}
    for (const [name, client] of Object.entries(who)) {
      await work(client, `warm-${name}`, WARM_UP)
      Object.assign(found, keyed(`idle_${name}`, await work(client, `idle-${name}`, TURNS)))
    }
    const lists = workload.listPath
    const flood = start(
      [
        process.execPath,
        'tools/run.js',
        'bench/flooder.ts',
        '--',
        String(server.port),
        flooder,
        lists,
        String(CLIENTS),
      ],
      join(folder, 'flood.log'),
    )
    await new Promise((resolve) => setTimeout(resolve, RISE_MS))
    for (const [name, client] of Object.entries(who)) {
      Object.assign(found, keyed(`flood_${name}`, await work(client, `flood-${name}`, TURNS)))
      found[`flood_${name}_times`] = (found[`flood_${name}_p99`] ?? 0) / (found[`idle_${name}_p99`] ?? 1)
    }
    await flood.stop()
    console.error(readFileSync(join(folder, 'flood.log'), 'utf8').trim())
    for (const client of Object.values(who)) client.close()
    workload.close()
    return found
  })
}

/** A service account with that ClusterRole; its token. */
export async function account(admin: Client, name: string, role = 'cluster-admin'): Promise<string> {
  const post = (path: string, object: object): Promise<{ body: string }> =>
    admin.call({ method: 'POST', path, body: JSON.stringify(object), keep: true })
  await post(ACCOUNTS, { metadata: { name } })
  await post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
  })
  const { body } = await post(`${ACCOUNTS}/${name}/token`, { spec: {} })
  return (JSON.parse(body) as { status: { token: string } }).status.token
}

interface Worked {
  readonly p50: number
  readonly p99: number
  /** Requests that failed, and changes that a watch did not tell of. */
  readonly lost: number
}

/** What kubectl asks of a server for create, get, label, get (all of a page, as a table) and delete, again and again. */
async function work(client: Client, prefix: string, turns: number): Promise<Worked> {
  const seen = new Set<string>()
  const own = `labelSelector=who%3D${prefix}`
  await client.watch(`${MAPS}?watch=true&${own}`, (line) => {
    const event = /^{"type":"(\w+)".*?"name":"([\w-]+)"/.exec(line)
    if (event) seen.add(`${event[1]} ${event[2]}`)
  })
  const took: number[] = []
  let failed = 0
  const ask = async (method: string, path: string, object?: object, accept?: string): Promise<void> => {
    const startedAt = performance.now()
    const type = method === 'PATCH' ? { type: 'application/strategic-merge-patch+json' } : {}
    const body = object === undefined ? {} : { body: JSON.stringify(object) }
    const how = accept === undefined ? {} : { accept }
    await client.call({ method, path, ...type, ...body, ...how }).catch(() => failed++)
    took.push(performance.now() - startedAt)
  }
  const end = performance.now() + AT_MOST_MS
  let done = 0
  for (; done < turns && performance.now() < end; done++) {
    const name = `${prefix}-${done}`
    await ask('POST', MAPS, { metadata: { name, labels: { who: prefix } }, data: { a: 'b' } })
    await ask('GET', `${MAPS}/${name}`)
    await ask('PATCH', `${MAPS}/${name}`, { metadata: { labels: { turn: String(done) } } })
    await ask('GET', `${MAPS}?limit=500&${own}`, undefined, TABLE)
    await ask('DELETE', `${MAPS}/${name}`)
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  took.sort((a, b) => a - b)
  const at = (share: number): number => took[Math.floor((took.length - 1) * share)] as number
  return { p50: at(0.5), p99: at(0.99), lost: failed + 3 * done - seen.size }
}

const keyed = (prefix: string, worked: Worked): Findings =>
  Object.fromEntries(Object.entries(worked).map(([key, value]) => [`${prefix}_${key}`, value]))
