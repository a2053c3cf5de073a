// Any part of a cluster is killed at any moment, by a seeded plan, while users work with it: what is left in the end is what
// is left without faults, nothing comes twice, nothing stays behind. DINGHY_FAULT_ROUNDS says how often (200 in the full
// run), DINGHY_FAULT_SEED which plan is the first.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isNotFound } from '../../src/client/api.ts'
import { LEASES, NAMESPACES, NODES, PODS } from '../../src/client/resources.ts'
import { Random } from '../fuzz/random.ts'
import { bundleProgram, type Program } from '../process/server.ts'
import { FaultyCluster, LEASE_MS, PARTS } from './cluster.ts'
import { outcome } from './outcome.ts'
import { tellStory } from './story.ts'
import { User } from './user.ts'

const ROUNDS = Number(process.env['DINGHY_FAULT_ROUNDS'] ?? 1)
const SEED = Number(process.env['DINGHY_FAULT_SEED'] ?? 1)
const NODE_COUNT = 3
/** Between two faults. */
const MAX_CALM_MS = 3_000
/** In one round: without an end of them nothing else would end. */
const FAULTS = 6
/** A round may take this long on a loaded machine. */
const ROUND_MS = 600_000
const SETTLE_MS = 180_000
const LOOK_MS = 200
const ALIKE = 3

let program: Program
let cluster: FaultyCluster
let user: User

beforeAll(async () => {
  program = await bundleProgram()
  cluster = new FaultyCluster(program)
  await cluster.start(NODE_COUNT)
  user = new User(cluster.api)
  await user.until('the nodes', async () => (await user.list(NODES)).length === NODE_COUNT)
}, ROUND_MS)
afterAll(async () => {
  await cluster?.stop()
  program?.remove()
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Kills parts by the plan of this seed, at most until it is told to stop. Resolves with what was killed, when all are back. */
function torment(seed: number): () => Promise<string[]> {
  const random = new Random(seed)
  const killed: string[] = []
  let isOver = false
  const going = (async () => {
    while (!isOver && killed.length < FAULTS) {
      await pause(random.int(MAX_CALM_MS))
      const victim = random.pick(PARTS)
      killed.push(victim)
      await cluster.crash(victim)
    }
  })()
  return async () => {
    isOver = true
    await going
    return killed
  }
}

async function settled(namespace: string, wanted?: readonly string[]): Promise<string[]> {
  const until = Date.now() + SETTLE_MS
  let before = ''
  let alike = 0
  for (;;) {
    const now = await outcome(user, namespace)
    const text = now.join('\n')
    // Without a model, what several looks in a row see alike is it.
    alike = text === before && !text.includes('isGoing') ? alike + 1 : 0
    if (wanted ? text === wanted.join('\n') : alike === ALIKE) return now
    if (Date.now() > until) return now
    before = text
    await pause(wanted ? LOOK_MS : 10 * LOOK_MS)
  }
}

async function removeNamespace(name: string): Promise<void> {
  await user.delete(NAMESPACES, { name })
  await user.until(`the end of ${name}`, () =>
    user.api.get(NAMESPACES, { name }).then(
      ({ status }) => status ?? false,
      (error: unknown) => {
        if (isNotFound(error)) return true
        throw error
      },
    ),
  )
  expect((await user.list(PODS)).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([])
}

it(`ends as without faults, in ${ROUNDS} rounds of them`, { timeout: (ROUNDS + 1) * ROUND_MS }, async () => {
  await tellStory(user, 'calm')
  const model = await settled('calm')
  await removeNamespace('calm')
  for (let round = 0; round < ROUNDS; round++) {
    const seed = SEED + round
    const namespace = `round-${seed}`
    const relent = torment(seed)
    let killed: string[] = []
    try {
      await tellStory(user, namespace)
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}\n${cluster.stderr()}`, { cause: error })
    } finally {
      killed = await relent()
    }
    const found = await settled(namespace, model)
    expect(found, `seed ${seed}, killed: ${killed.join(', ')}\n${cluster.stderr()}`).toEqual(model)
    // The end of all of it is tormented, too.
    const relentAgain = torment(seed + 1_000_000)
    await removeNamespace(namespace).finally(relentAgain)
    expect((await user.list(NODES)).length).toBe(NODE_COUNT)
    if (ROUNDS > 1) process.stderr.write(`seed ${seed}: as without faults; killed: ${killed.join(', ')}\n`)
  }
})

/** Accounts of a namespace are a controller's work, nodes of pods the scheduler's. */
async function works(namespace: string): Promise<void> {
  await user.create(NAMESPACES, { metadata: { name: namespace } })
  const pod = { namespace, name: 'one' }
  await user.create(PODS, { metadata: pod, spec: { containers: [{ name: 'main', image: 'a' }] } })
  await user.until('a pod that runs', async () => (await user.api.get(PODS, pod)).status.phase === 'Running')
  await removeNamespace(namespace)
}

it.each(['controller-manager', 'scheduler'] as const)(
  'another %s takes over within the time of a lease',
  { timeout: ROUND_MS },
  async (part) => {
    const place = { namespace: 'kube-system', name: `kube-${part}` }
    const holder = (): Promise<string | undefined> =>
      user.insist(() =>
        user.api.get(LEASES, place).then(
          ({ spec }) => spec?.holderIdentity,
          (error: unknown) => {
            if (isNotFound(error)) return undefined
            throw error
          },
        ),
      )
    await user.until('a holder of the lease', async () => Boolean(await holder()))
    const second = cluster.keepSecond(part)
    const first = await holder()
    // Several tries of the second at a lease that is held.
    await pause(LEASE_MS)
    expect(await holder()).toBe(first)
    await cluster.end(part)
    await user.until('another holder', async () => (await holder()) !== first)
    await works(`after-${part}`)
    await cluster.end(second)
    cluster.keep(part, [part, '--secure-port', '0'])
  },
)
