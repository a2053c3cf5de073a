// `dinghy scale nodes N`: changes how many nodes a cluster simulates while it runs. The number is written where the part
// that simulates them reads it (nodes/settings.ts); nodes beyond it are deleted, as their user could do.
import { Api, isAlreadyExists, isNotFound } from '../client/api.ts'
import { SYSTEM_CLOCK, sleep } from '../client/clock.ts'
import { Http2Transport } from '../client/http2.ts'
import type { Node } from '../client/kinds/core.v1.gen.ts'
import { CONFIG_MAPS, NODES } from '../client/resources.ts'
import { SIMULATED_LABEL } from '../client/simulated.ts'
import { KUBERNETES_VERSION } from '../server/version.ts'
import { commandLine, text } from './flags.ts'
import { CONTEXT, defaultKubeconfigPath } from './kubeconfig.ts'
import { MAX_NODES } from './nodes/range.ts'
import { NODES_PLACE } from './nodes/settings.ts'
import { StartError } from './options.ts'
import { remoteServer } from './parts/remote-server.ts'
import { NODE_PREFIX } from './nodes/simulated-nodes.ts'

const FLAGS = {
  kubeconfig: text('where the cluster is, and who we are there; without it, your own', 'FILE'),
  context: text('which context of it', 'NAME', CONTEXT),
} as const

/** Nodes that are deleted at a time. */
const DELETIONS = 16
const LOOK_AGAIN_MS = 100
/** Looking must not keep the server from what is waited for: it takes a tenth of the time at most. */
const REST_PER_LOOK = 9
/** When nothing has changed for so long, nobody is there to do it. */
const PATIENCE_MS = 10_000

export async function scale(argv: readonly string[]): Promise<void> {
  const positional = argv.filter((word) => !word.startsWith('-')).length === 0 ? [] : argv.slice(0, 2)
  const flags = commandLine(
    'dinghy scale nodes N',
    'Changes how many nodes a cluster simulates.',
    FLAGS,
    argv.slice(positional.length),
  )
  if (!flags) return
  const wanted = countOf(positional)
  const path = flags.kubeconfig ?? defaultKubeconfigPath()
  const transport = new Http2Transport(await remoteServer(path, undefined, flags.context))
  try {
    await scaleNodes(new Api(transport, `dinghy-scale/${KUBERNETES_VERSION}`), wanted)
  } catch (error) {
    // What the server refuses, or that there is none, is the user's to mend.
    throw error instanceof StartError ? error : new StartError(String(error), error)
  } finally {
    transport.close()
  }
  process.stdout.write(`nodes scaled to ${wanted}\n`)
}

/** Throws StartError for what is no "nodes N". */
function countOf([what, count = '']: readonly string[]): number {
  if (what !== 'nodes') throw new StartError('it is dinghy scale nodes N')
  if (!/^\d{1,9}$/.test(count) || Number(count) > MAX_NODES)
    throw new StartError(`dinghy scale nodes: it is a number from 0 to ${MAX_NODES}`)
  return Number(count)
}

/** Resolves when there are as many. Throws StartError when nobody makes them. */
async function scaleNodes(api: Api, wanted: number): Promise<void> {
  await writeCount(api, wanted)
  let [known, since] = [-1, SYSTEM_CLOCK.now()]
  for (;;) {
    const before = SYSTEM_CLOCK.now()
    const fleet = await simulated(api)
    const rest = Math.max(LOOK_AGAIN_MS, (SYSTEM_CLOCK.now() - before) * REST_PER_LOOK)
    await deleteAll(
      api,
      fleet.filter((node) => numberOf(node) >= wanted),
    )
    const kept = fleet.filter((node) => numberOf(node) < wanted && isReady(node)).length
    if (kept === wanted && fleet.length === wanted) return
    const now = SYSTEM_CLOCK.now()
    if (kept !== known) [known, since] = [kept, now]
    else if (now - since > PATIENCE_MS) {
      throw new StartError(`${kept} of ${wanted} nodes are ready: does the part "nodes" run in this cluster?`)
    }
    await sleep(SYSTEM_CLOCK, rest, new AbortController().signal)
  }
}

async function writeCount(api: Api, wanted: number): Promise<void> {
  const data = { nodes: String(wanted) }
  try {
    await api.create(CONFIG_MAPS, { metadata: NODES_PLACE, data })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await api.patch(CONFIG_MAPS, NODES_PLACE, { data }, { type: 'merge' })
  }
}

/** Those that a cluster's own part makes; nodes of other agents are left alone. */
async function simulated(api: Api): Promise<Node[]> {
  const { items } = await api.list(NODES, { labelSelector: `${SIMULATED_LABEL}=true` })
  return items.filter((node) => !Number.isNaN(numberOf(node)))
}

const NAME = new RegExp(`^${NODE_PREFIX}-(\\d+)$`)
const numberOf = ({ metadata: { name = '' } }: Node): number => Number(NAME.exec(name)?.[1] ?? NaN)

const isReady = ({ status }: Node): boolean =>
  status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false

async function deleteAll(api: Api, nodes: readonly Node[]): Promise<void> {
  const waiting = [...nodes]
  const one = async (): Promise<void> => {
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      await api.delete(NODES, { name: node.metadata.name ?? '' }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
  }
  await Promise.all(Array.from({ length: DELETIONS }, one))
}
