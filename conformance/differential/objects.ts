// Asks kube-apiserver and this server the same, field by field: valid objects of every kind, changed in one place or a
// few, as dry-run creates, updates, status updates and updates of other parts. Codes, reasons, causes, messages, warnings
// and objects are compared.
//
//	node tools/run.js conformance/differential/objects.ts -- --upstream URL --ours URL [--token T] [KIND...]
//	   --seed N    of the combinations (1)             --combinations N   of each base (60)
//	   --faults N-M  fields changed in each of them (2-3)
//	   --kinds N   so many kinds, drawn by the seed    --no-single        combinations only
//	   --only P    create, update, status or part      --bases N          of each kind (4)
//	   --messages  compare messages and warnings too   --verbose          every difference, not the first of its sort
//
// Both servers take the token (secret) as an administrator's. KIND is a resource, `deployments.apps`. The objects come
// from ../shared; without it nothing is compared. Ends with `N requests, N differ`; exits 1 where some do.
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/schema/facts.ts'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import type { Resource } from '../../src/schema/resource.ts'
import { storedResources } from '../../test/etcd/kinds.ts'
import { type Answer, differences, mapOf, Peer } from './answers.ts'
import { basesOf, collection, fullOf, hasShared } from './bases.ts'
import { additions, combinations, type Mutation, random, singleMutations } from './mutations.ts'
import { DRAWN } from './servers.ts'
import { certificateRequest } from '../../test/kinds/signing.ts'

/** Requests under way at each server. */
const CONCURRENCY = 4

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...DRAWN,
    combinations: { type: 'string', default: '60' },
    faults: { type: 'string', default: '2-3' },
    kinds: { type: 'string' },
    'no-single': { type: 'boolean', default: false },
    bases: { type: 'string', default: '4' },
    only: { type: 'string' },
    messages: { type: 'boolean', default: false },
  },
})

interface Pair<T> {
  readonly theirs: T
  readonly ours: T
}

class Run {
  readonly peers: Pair<Peer>
  readonly draw = random(Number(options.seed))
  readonly #seen = new Set<string>()
  requests = 0
  differing = 0
  brokenOff = 0

  constructor(upstream: string, ours: string) {
    this.peers = { theirs: new Peer(upstream, options.token), ours: new Peer(ours, options.token) }
  }

  async both(method: string, path: string, body: Pair<JsonObject> | undefined): Promise<Pair<Answer>> {
    const [theirs, ours] = await Promise.all([
      this.peers.theirs.send(method, path, body?.theirs),
      this.peers.ours.send(method, path, body?.ours),
    ])
    return { theirs, ours }
  }

  /** Sends to both, and tells how the answers differ. */
  async compare(what: string, method: string, path: string, body: Pair<JsonObject>): Promise<void> {
    const { theirs, ours } = await this.both(method, path, body)
    // What a server writes itself (to APIServices, FlowSchemas) comes between what was read and the write.
    if (isConflict(theirs) || isConflict(ours)) return
    // Its handler has come to a nil pointer: there is no answer to compare with.
    if (theirs.status === 0) return void this.brokenOff++
    const found = differences(theirs, ours, options.messages)
    this.requests += 1
    if (!found.length) return
    this.differing += 1
    this.#tell(what, found)
  }

  /** What was not told before; indexes, what is quoted, and where in an object a template lies make no difference. */
  #tell(what: string, found: readonly string[]): void {
    const fresh = found.filter((line) => {
      const sort = line
        .replaceAll(/[0-9]+|\\*"[^"]*("|$)/g, '#')
        .replace(/(jobTemplate\.)?(spec\.)?template\./, '')
      return !this.#seen.has(sort) && this.#seen.add(sort)
    })
    if (fresh.length === 0 && !options.verbose) return
    console.log(what)
    for (const line of options.verbose ? found : fresh) console.log(`    ${line}`)
  }
}

const same = (object: JsonObject): Pair<JsonObject> => ({ theirs: object, ours: object })
const isConflict = ({ status, body }: Answer): boolean =>
  status === 409 && mapOf(body)['reason'] === 'Conflict'
async function inTurn<T>(work: Iterable<T>, todo: (item: T) => Promise<void>): Promise<void> {
  const items = work[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = items.next(); !next.done; next = items.next()) await todo(next.value)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

function* mutationsOf(
  base: JsonObject,
  full: JsonObject | undefined,
  draw: () => number,
): Generator<Mutation> {
  yield { label: 'as it is', object: base }
  if (!options['no-single']) {
    yield* singleMutations(base)
    if (full) yield* additions(base, full)
  }
  const [least = 2, most = least] = options.faults.split('-').map(Number)
  yield* combinations(base, { count: Number(options.combinations), least, most, full }, draw)
}

async function creates(run: Run, resource: Resource, base: JsonObject): Promise<void> {
  const path = `${collection(resource)}?dryRun=All`
  await inTurn(mutationsOf(base, fullOf(resource), run.draw), ({ label, object }) =>
    run.compare(`${resource.name}.${resource.version} create: ${label}`, 'POST', path, same(object)),
  )
}

/** The stored object of each server without what the server alone writes, so that one mutation fits both. */
function bare(answer: Answer): JsonObject {
  const object = structuredClone(mapOf(answer.body))
  const metadata = mapOf(object['metadata'])
  for (const key of ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp']) delete metadata[key]
  return object
}

const versionOf = (answer: Answer): Json => mapOf(mapOf(answer.body)['metadata'])['resourceVersion'] ?? ''

/** Parts that take the whole object, beside its status. */
const PARTS: readonly string[] = ['approval', 'ephemeralcontainers', 'finalize', 'resize']

/** The object as it is stored, changed, sent to its own path or to that of one of its parts. */
async function updates(run: Run, resource: Resource, stored: Pair<Answer>, path: string): Promise<void> {
  const [theirs, ours] = [bare(stored.theirs), bare(stored.ours)]
  const seed = Number(options.seed)
  const pairs = zip(
    mutationsOf(theirs, fullOf(resource), random(seed)),
    mutationsOf(ours, fullOf(resource), random(seed)),
  )
  await inTurn(pairs, async ([left, right]) => {
    const body = { theirs: left.object, ours: right.object }
    for (const [object, answer] of [
      [body.theirs, stored.theirs],
      [body.ours, stored.ours],
    ] as const) {
      mapOf(object['metadata'])['resourceVersion'] ??= versionOf(answer)
    }
    const part = path.split('/').at(-1) ?? ''
    const what = `${resource.name}.${resource.version} ${PARTS.includes(part) ? part : 'update'}: ${left.label}`
    await run.compare(what, 'PUT', `${path}?dryRun=All`, body)
  })
}

async function statusUpdates(
  run: Run,
  resource: Resource,
  stored: Pair<Answer>,
  path: string,
): Promise<void> {
  const full = fullOf(resource)
  if (!full?.['status'] || !resource.subresources.some(({ name }) => name === 'status')) return
  await inTurn(mutationsOf({ status: full['status'] }, undefined, run.draw), async ({ label, object }) => {
    const body: Pair<JsonObject> = {
      theirs: { ...bare(stored.theirs), status: object['status'] ?? {} },
      ours: { ...bare(stored.ours), status: object['status'] ?? {} },
    }
    // Some kinds take no write without it.
    mapOf(body.theirs['metadata'])['resourceVersion'] = versionOf(stored.theirs)
    mapOf(body.ours['metadata'])['resourceVersion'] = versionOf(stored.ours)
    const what = `${resource.name}.${resource.version} status: ${label}`
    await run.compare(what, 'PUT', `${path}/status?dryRun=All`, body)
  })
}

function* zip<T>(left: Iterable<T>, right: Iterable<T>): Generator<[T, T]> {
  const others = right[Symbol.iterator]()
  for (const item of left) {
    const other = others.next()
    if (other.done) return
    yield [item, other.value]
  }
}

async function kind(run: Run, resource: Resource): Promise<void> {
  const wanted = (part: string): boolean => options.only === undefined || options.only === part
  for (const base of basesOf(resource, certificateRequest()).slice(0, Number(options.bases))) {
    if (wanted('create')) await creates(run, resource, base)
    const stored = await run.both('POST', collection(resource), same(base))
    const name = mapOf(mapOf(stored.theirs.body)['metadata'])['name']
    if (stored.theirs.status !== 201 || stored.ours.status !== 201 || typeof name !== 'string') continue
    const path = `${collection(resource)}/${name}`
    if (wanted('update')) await updates(run, resource, stored, path)
    for (const { name: part } of wanted('part') ? resource.subresources : []) {
      if (PARTS.includes(part)) await updates(run, resource, stored, `${path}/${part}`)
    }
    if (wanted('status')) await statusUpdates(run, resource, stored, path)
    const unheld = same({ metadata: { finalizers: null } })
    await run.both('PATCH', path, unheld)
    await run.both('DELETE', `${path}?gracePeriodSeconds=0&propagationPolicy=Background`, undefined)
    // Without a garbage collector, what is to be orphaned waits for it.
    await run.both('PATCH', path, unheld)
  }
}

/** The kinds that are named, or so many, or all. */
function chosen(draw: () => number): Resource[] {
  const all = storedResources().filter(({ group, name }) => {
    return positionals.length === 0 || positionals.includes(group ? `${name}.${group}` : name)
  })
  if (options.kinds === undefined) return all
  const drawn = all.map((resource) => ({ resource, place: draw() })).sort((a, b) => a.place - b.place)
  return drawn.slice(0, Number(options.kinds)).map(({ resource }) => resource)
}

async function main(): Promise<number> {
  if (!hasShared() || !options.upstream || !options.ours) {
    console.log(`${packageRoot()}: needs ../shared/upstream, --upstream and --ours: nothing is compared`)
    return 0
  }
  const run = new Run(options.upstream, options.ours)
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'differential' } }
  await run.both('POST', '/api/v1/namespaces', same(namespace))
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await run.both('POST', '/api/v1/namespaces/differential/serviceaccounts', same(account))
  for (const resource of chosen(run.draw)) await kind(run, resource)
  run.peers.theirs.close()
  run.peers.ours.close()
  if (run.brokenOff) console.log(`${run.brokenOff} more that kube-apiserver broke off`)
  console.log(`${run.requests} requests, ${run.differing} differ`)
  return run.differing > 0 ? 1 : 0
}

process.exitCode = await main()
