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

/** A request takes some milliseconds, and ten on the slowest machine; a start some seconds. */
const TIMEOUT_MS = 60_000 + COUNT * 10

/**
 * What the server may grow between warm-up and end, in MiB: the history of the store (64) and of the watch caches,
 * which fill in a long run, and what the collector of garbage leaves lying.
 */
const GROWTH_MIB = 160

let program: Program
let server: Server
beforeAll(async () => {
  program = await bundleProgram()
  server = await startServer(program, ['--memory', '--log-level', 'error'])
})
afterAll(async () => {
  await server.kill()
  program.remove()
})

it(
  `${COUNT} malformed requests: no crash, no hang, no 5xx of our own, flat memory (seed ${SEED})`,
  async () => {
    const story = await follow(server, ['/api/v1/configmaps', '/api/v1/pods', '/apis/apps/v1/deployments'])
    const { complaints, ...figures } = await fuzz(server, SEED, COUNT)
    console.info(JSON.stringify(figures))
    expect(complaints.slice(0, 20)).toEqual([])
    expect(server.child.exitCode).toBe(null)
    expect(server.stderr()).toBe('')
    for (const { seen, listed } of await story.end()) deepStrictEqual(seen, listed)
    await readEverything(server)
    expect(Math.max(0, (figures.endMiB ?? 0) - (figures.warmMiB ?? 0))).toBeLessThan(GROWTH_MIB)
    if (existsSync('/proc')) expect(readdirSync(`/proc/${server.pid}/fd`).length).toBeLessThan(200)
  },
  TIMEOUT_MS,
)
