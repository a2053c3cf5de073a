// kill -9 under concurrent writes, at the storage engine: no acknowledged write is lost, none is half there,
// and the history tells the same story as the state. DINGHY_CRASH_ROUNDS sets how often (200 in the full run).

import { deepStrictEqual, ok } from 'node:assert'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { listed, Recorder } from '../../src/storage/contract.probe.suite.ts'
import { findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import type { KeyValue, Revision, Storage, StoreEvent } from '../../src/storage/interface.ts'
import { isCompacted } from '../../src/storage/interface.ts'
import { openStorage } from '../../src/storage/open.ts'
import { guarded } from '../../src/storage/testing.guard.suite.ts'
import { checkValue, placeOf } from './engine-writer.ts'

const ROUNDS = Number(process.env['DINGHY_CRASH_ROUNDS'] ?? 6)

/** The child writes for this long at most before it is killed. */
const LIFE_MAX_MS = 400

/** By turns: a commit for each write, commits of some, commits of hundreds. */
const WRITERS = [1, 32, 600]

const base = mkdtempSync(join(tmpdir(), 'dinghy-crash-'))
const script = join(base, 'writer.mjs')
const etcd = findEtcd()
if (etcd === undefined) console.warn('no etcd found: it is not crashed ($DINGHY_ETCD names one)')

beforeAll(async () => {
  await build({
    stdin: {
      contents: `import { main } from './engine-writer.ts'
        await main()`,
      resolveDir: import.meta.dirname,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
    alias: { lmdb: import.meta.resolve('lmdb'), etcd3: import.meta.resolve('etcd3') },
    external: ['file:*'],
  })
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

interface Acknowledged {
  readonly revision: Revision
  readonly isDelete: boolean
  readonly key: string
}

/** One round: how many write to which place, for how long, and what is killed before them. */
interface Round {
  readonly place: string
  readonly writers: number
  readonly lifeMs: number
  readonly killFirst: () => Promise<void>
}

/** Lets a process write, kills it, and answers what it had acknowledged. */
async function crash({ place, writers, lifeMs, killFirst }: Round): Promise<Acknowledged[]> {
  const child = guarded(
    spawn(process.execPath, [script, place, String(writers)], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  const gone = new Promise((resolve) => child.once('close', resolve))
  let output = ''
  let complaint = ''
  child.stderr.on('data', (data: Buffer) => (complaint += data.toString()))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      resolve()
    })
    child.once('exit', () => reject(new Error(`the writer ended by itself: ${complaint}`)))
  })
  await new Promise((resolve) => setTimeout(resolve, lifeMs))
  // A life that is to see a write sees one, however slow the machine; that of no time may see none.
  while (lifeMs > 0 && !/open\n.*\n/.test(output) && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 10))
  await killFirst()
  child.kill('SIGKILL')
  await gone
  expect(complaint).toBe('')
  const lines = output.split('\n').slice(1, -1)
  return lines.map((line) => {
    const [revision, verb, key] = line.split(' ') as [string, string, string]
    return { revision: Number(revision), isDelete: verb === 'delete', key }
  })
}

interface Story {
  /** The oldest revision that can be read, and what happened since. */
  readonly oldest: Revision
  readonly events: readonly StoreEvent[]
  readonly items: Map<string, KeyValue>
}

/** Reads the state and the history; throws unless they agree, and each value is whole. */
async function readStory(storage: Storage): Promise<Story> {
  const now = await storage.currentRevision()
  const probe = await storage.list({ prefix: '/crash/', revision: 1 })
  const oldest = isCompacted(probe) ? probe.oldest : 1
  const start = await listed(storage, { prefix: '/crash/', revision: oldest })
  const state = new Map(start.items.map((kv) => [kv.key, kv]))
  const recorder = new Recorder()
  const watch = storage.watch('/crash/', oldest, recorder)
  watch.requestProgress()
  await recorder.until((r) => r.progressed.some((revision) => revision >= now))
  watch.close()
  recorder.seen.forEach((event, index) => {
    ok(event.revision === oldest + 1 + index, `the history has a gap before ${event.revision}`)
    apply(state, event)
  })
  const newest = await listed(storage, { prefix: '/crash/' })
  for (const kv of newest.items) checkValue(kv.key, kv.value)
  const sorted = [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  deepStrictEqual(sorted, newest.items)
  return { oldest, events: recorder.seen, items: new Map(newest.items.map((kv) => [kv.key, kv])) }
}

function apply(state: Map<string, KeyValue>, event: StoreEvent): void {
  const { key, revision, createRevision, value, previous } = event
  const before = state.get(key)
  ok(previous?.modRevision === before?.modRevision, `${revision} does not follow what was before`)
  if (previous !== undefined) ok(previous.value.equals(before?.value ?? Buffer.alloc(0)))
  if (value === undefined) {
    state.delete(key)
  } else {
    checkValue(key, value)
    state.set(key, { key, value, createRevision, modRevision: revision })
  }
}

/** Each acknowledged write is in the history or, where that is compacted, in the state or superseded. */
function checkAcknowledged(acknowledged: readonly Acknowledged[], { oldest, events, items }: Story): void {
  for (const { revision, key, isDelete } of acknowledged) {
    if (revision > oldest) {
      const event = events[revision - oldest - 1]
      ok(
        event?.key === key && (event.value === undefined) === isDelete,
        `write ${revision} of ${key} is lost`,
      )
    }
  }
  const last = new Map(acknowledged.map((write) => [write.key, write]))
  for (const { revision, key, isDelete } of last.values()) {
    const now = items.get(key)?.modRevision ?? events.findLast((event) => event.key === key)?.revision
    ok(now === undefined ? isDelete : now >= revision, `write ${revision} of ${key} is lost`)
  }
}

/** The store that is crashed: where it is, and what happens to it in a round. */
interface Victim {
  readonly place: string
  readonly kill: () => Promise<void>
  readonly revive: () => Promise<void>
}

async function crashOften({ place, kill, revive }: Victim): Promise<void> {
  let total = 0
  let newest = 0
  for (let round = 0; round < ROUNDS; round++) {
    const writers = WRITERS[round % WRITERS.length] as number
    const lifeMs = (LIFE_MAX_MS * ((round * 7) % 11)) / 10
    const acknowledged = await crash({ place, writers, lifeMs, killFirst: kill })
    await revive()
    total += acknowledged.length
    const storage = await openStorage(placeOf(place))
    const revisions = new Set(acknowledged.map((write) => write.revision))
    expect(revisions.size).toBe(acknowledged.length)
    for (const revision of revisions) ok(revision > newest, `revision ${revision} was given away twice`)
    newest = await storage.currentRevision()
    for (const revision of revisions) ok(revision <= newest, `revision ${revision} is lost`)
    checkAcknowledged(acknowledged, await readStory(storage))
    await storage.close()
  }
  // How many there were depends on the disk; without any, nothing was shown.
  expect(total).toBeGreaterThan(0)
}

const TIMEOUT_MS = 120_000 + ROUNDS * 30_000
const nothing = (): Promise<void> => Promise.resolve()

it(
  `lmdb loses nothing in ${ROUNDS} crashes`,
  () => crashOften({ place: join(base, 'data'), kill: nothing, revive: nothing }),
  TIMEOUT_MS,
)

// Every other round etcd itself dies first, while the writer is still at it.
it.skipIf(etcd === undefined)(
  `etcd loses nothing in ${ROUNDS} crashes`,
  async () => {
    const server = await startEtcd(etcd as string)
    let turn = 0
    let killed = false
    const kill = async (): Promise<void> => {
      killed = turn++ % 2 === 1
      if (killed) await server.kill()
    }
    const revive = async (): Promise<void> => {
      if (killed) await server.start()
    }
    await crashOften({ place: server.url, kill, revive }).finally(() => server.stop())
  },
  TIMEOUT_MS,
)
