// kill -9 of the whole server under concurrent writes through HTTPS, on lmdb and on etcd; and of etcd under a living
// server. DINGHY_CRASH_ROUNDS sets how often (200 in the full run).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type EtcdServer, findEtcd, startEtcd } from '../../src/storage/etcd/testing.suite.ts'
import { bundleProgram, type Program, type Server, startServer } from '../process/server.ts'
import { verify } from './verify.ts'
import { newNotes, type Notes, watchUntilGone, writeUntilGone } from './writers.ts'

const ROUNDS = Number(process.env['DINGHY_CRASH_ROUNDS'] ?? 3)
const WRITERS = 5
/** Writers live this long at most before the crash. */
const LIFE_MAX_MS = 400
/** One round: a start, a life, a check. */
const ROUND_MS = 60_000

const etcd = findEtcd()
if (etcd === undefined) console.warn('no etcd found: no crash of it ($DINGHY_ETCD names one)')

const base = mkdtempSync(join(tmpdir(), 'dinghy-server-crash-'))
let program: Program
beforeAll(async () => {
  program = await bundleProgram()
})
afterAll(() => {
  program?.remove()
  rmSync(base, { recursive: true, force: true })
})

/** Lets clients work, crashes something, and waits until all of them have noticed. */
async function live(server: Server, notes: Notes, round: number, crash: () => Promise<void>): Promise<void> {
  const watching = await watchUntilGone(server, notes)
  let over = false
  const isOver = (): boolean => over
  const writers = Array.from({ length: WRITERS }, (_, n) =>
    writeUntilGone(server, { name: `w${n}`, notes, isOver }),
  )
  const life = (): Promise<unknown> =>
    new Promise((done) => setTimeout(done, (LIFE_MAX_MS * ((round * 7 + 3) % 11)) / 10))
  await life()
  // A write at least, however slow the machine.
  const before = notes.acknowledged
  while (notes.acknowledged === before && hasNoEnd(server)) await new Promise((done) => setTimeout(done, 10))
  await crash()
  await life()
  over = true
  await Promise.all(writers)
  // Under a living server the watch may go on.
  if (hasNoEnd(server)) watching.close()
  await watching.ended
}

const hasNoEnd = ({ child }: Server): boolean => child.exitCode === null && child.signalCode === null

async function crashServers(args: readonly string[]): Promise<void> {
  const notes = newNotes()
  let server = await startServer(program, args)
  for (let round = 0; round < ROUNDS; round++) {
    notes.events.length = 0
    await live(server, notes, round, () => server.kill())
    server = await startServer(program, args)
    await verify(server, notes)
  }
  await server.kill()
  expect(notes.acknowledged).toBeGreaterThan(0)
  console.info(`${ROUNDS} crashes, ${notes.acknowledged} acknowledged writes`)
}

const TIMEOUT_MS = 240_000 + ROUNDS * ROUND_MS

it(
  `the server on lmdb loses nothing in ${ROUNDS} crashes`,
  () => crashServers(['--data-dir', join(base, 'lmdb')]),
  TIMEOUT_MS,
)

it.skipIf(etcd === undefined)(
  `the server on etcd loses nothing in ${ROUNDS} crashes`,
  async () => {
    const store = await startEtcd(etcd as string)
    const args = ['--data-dir', join(base, 'etcd'), '--etcd-servers', store.url]
    await crashServers(args).finally(() => store.stop())
  },
  TIMEOUT_MS,
)

it.skipIf(etcd === undefined)(
  `a living server loses nothing in ${ROUNDS} crashes of its etcd, and recovers`,
  async () => {
    const store = await startEtcd(etcd as string)
    const server = await startServer(program, [
      '--data-dir',
      join(base, 'living'),
      '--etcd-servers',
      store.url,
    ])
    try {
      await crashEtcd(server, store)
    } finally {
      await server.kill()
      await store.stop()
    }
  },
  TIMEOUT_MS,
)

it.skipIf(etcd === undefined)(
  `a replica tells the same story over ${ROUNDS} crashes of its sister and of their etcd`,
  async () => {
    const store = await startEtcd(etcd as string)
    const argsOf = (name: string): string[] => ['--data-dir', join(base, name), '--etcd-servers', store.url]
    try {
      await crashSister(argsOf('sister'), await startServer(program, argsOf('replica')), store)
    } finally {
      await store.stop()
    }
  },
  TIMEOUT_MS,
)

/** Everybody writes to the sister; by turns she and etcd are killed. */
async function crashSister(args: readonly string[], replica: Server, store: EtcdServer): Promise<void> {
  const notes = newNotes()
  let sister = await startServer(program, args)
  for (let round = 0; round < ROUNDS; round++) {
    notes.events.length = 0
    const heard = newNotes()
    const watching = await watchUntilGone(replica, heard)
    const restart = (): Promise<void> => store.kill().then(() => store.start())
    await live(sister, notes, round, () => (round % 2 ? restart() : sister.kill()))
    if (round % 2 === 0) sister = await startServer(program, args)
    // What the sister's watch told is in the replica's history, in its order; and so is what its own watch told.
    expect(await verify(replica, notes)).toBe(true)
    watching.close()
    await watching.ended
    expect(await verify(replica, heard)).toBe(true)
  }
  expect(notes.acknowledged).toBeGreaterThan(0)
  await Promise.all([sister.kill(), replica.kill()])
}

async function crashEtcd(server: Server, store: EtcdServer): Promise<void> {
  const notes = newNotes()
  for (let round = 0; round < ROUNDS; round++) {
    notes.events.length = 0
    await live(server, notes, round, () => store.kill().then(() => store.start()))
    expect(await verify(server, notes)).toBe(true)
    expect(server.child.exitCode).toBe(null)
  }
  expect(notes.acknowledged).toBeGreaterThan(0)
}
