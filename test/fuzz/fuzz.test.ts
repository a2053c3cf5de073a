// The fuzzer: malformed requests of all sorts against a server of its own. DINGHY_FUZZ_REQUESTS says how many (100,000
// in the full run), DINGHY_FUZZ_SEED which; a complaint names the request's number, by which it can be sent again.
import { deepStrictEqual } from 'node:assert'
import { existsSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundleProgram, type Program, type Server, startServer } from '../process/server.ts'
import { fuzz } from './fuzz.ts'
import { follow, readEverything } from './story.ts'

const SEED = Number(process.env['DINGHY_FUZZ_SEED'] ?? 1)
const COUNT = Number(process.env['DINGHY_FUZZ_REQUESTS'] ?? 3000)

/** A request takes some milliseconds, and tens on the slowest machine; a start some seconds. */
const TIMEOUT_MS = 600_000 + COUNT * 60

/**
 * What the server may grow between warm-up and end, in MiB. The history of the memory store (64 MiB) and of the watch
 * caches fills until it is compacted, every five minutes; in runs of 300,000 requests it went up and down within this.
 */
const GROWTH_MIB = 250
/** Connections that are open at the end at most: those of the test's own clients, and a few that are just ending. */
const MAX_OPEN_FILES = 100

let program: Program
let server: Server
beforeAll(async () => {
  program = await bundleProgram()
  server = await startServer(program, ['--memory', '--log-level', 'error'])
})
afterAll(async () => {
  await server.kill()
  program?.remove()
})

it(
  `${COUNT} malformed requests: no crash, no hang, no 5xx of our own, flat memory (seed ${SEED})`,
  async () => {
    const story = await follow(server, ['/api/v1/configmaps', '/api/v1/pods', '/apis/apps/v1/deployments'])
    const { complaints, ...figures } = await fuzz(server, SEED, COUNT)
    console.info(JSON.stringify(figures))
    expect(server.stderr()).toBe('')
    expect([server.child.exitCode, server.child.signalCode]).toEqual([null, null])
    expect(complaints.slice(0, 20)).toEqual([])
    for (const { seen, listed } of await story.end()) deepStrictEqual(seen, listed)
    await readEverything(server)
    expect(Math.max(0, (figures.endMiB ?? 0) - (figures.warmMiB ?? 0))).toBeLessThan(GROWTH_MIB)
    if (existsSync('/proc')) await connectionsEnd(server.pid)
  },
  TIMEOUT_MS,
)

/** Those that broke the protocol are ended by the second heartbeat; the test's timeout is the bound. */
async function connectionsEnd(pid: number): Promise<void> {
  while (readdirSync(`/proc/${pid}/fd`).length > MAX_OPEN_FILES)
    await new Promise((resolve) => setTimeout(resolve, 100))
}
