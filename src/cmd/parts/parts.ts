// The parts of a cluster that run beside the API server in its process: one row a part, loaded when it is asked for.
// Each comes in through the loopback as its own user, never as admin.
import type { ApiServer } from '../apiserver/apiserver.ts'
import { CLOUD_SETTINGS } from '../controllers/cloud-controllers.ts'
import { StartError } from '../options.ts'
import type { PartSettings, RunningPart, StartPart } from './part.ts'

/** In the order in which they start; they stop in the opposite one. */
const STARTERS: Readonly<Record<string, StartPart>> = {
  'controller-manager': async (server, { cloud }, stop) => {
    if (cloud) await (await import('../cloud/storage.ts')).ensureStorage(server)
    const more = cloud ? (await import('../controllers/cloud-controllers.ts')).cloudControllers(cloud) : []
    return (await import('../controllers/part.ts')).startControllerManager(server, stop, more)
  },
  'cloud-controller-manager': async (server, { cloud, hasManager }, stop) =>
    hasManager || !cloud
      ? { stop: () => Promise.resolve() }
      : (await import('../cloud/part.ts')).startCloudManager(server, cloud, stop),
  scheduler: async (server, _, stop) => (await import('../scheduler/part.ts')).startScheduler(server, stop),
  nodes: async (server, settings, stop) =>
    (await import('../nodes/part.ts')).startNodes(server, settings, stop),
}

/** "apiserver" and those beside it. */
export const PARTS: readonly string[] = ['apiserver', ...Object.keys(STARTERS)]

/** Throws StartError for names of no part. */
export function checkParts(names: readonly string[]): void {
  for (const name of names) {
    if (PARTS.includes(name)) continue
    throw new StartError(`--parts: there is no part ${JSON.stringify(name)}; there is ${PARTS.join(', ')}`)
  }
}

/** What is asked of the parts. */
export interface PartWishes {
  readonly nodes: number | undefined
  /** Over how many zones the nodes are spread; absent: one. */
  readonly zones?: number | undefined
}

const settingsOf = (names: readonly string[], { nodes, zones = 1 }: PartWishes): PartSettings => ({
  nodes,
  cloud: names.includes('cloud-controller-manager') ? { ...CLOUD_SETTINGS, zones } : undefined,
  hasManager: names.includes('controller-manager'),
})

export interface StartingParts extends RunningPart {
  /** Resolves when all are at work, or were stopped; rejects where one cannot start. */
  readonly started: Promise<void>
}

/** Begins to start those beside the API server. `stop` may be called at any time, and has to be, whatever happens. */
export function beginParts(server: ApiServer, names: readonly string[], wishes: PartWishes): StartingParts {
  const settings = settingsOf(names, wishes)
  const wanted = Object.entries(STARTERS)
    .filter(([name]) => names.includes(name))
    .map(([name, start]) => ({ name, start, stop: new AbortController() }))
  const running: RunningPart[] = []
  let isStopping = false
  const startAll = async (): Promise<void> => {
    // Loading them takes a while: what the caller has to do at once comes first.
    await new Promise((resolve) => setImmediate(resolve))
    for (const { name, start, stop } of wanted) {
      if (isStopping) return
      running.push(await start(server, settings, stop))
      server.components.add(name)
    }
  }
  const started = startAll()
  return {
    started,
    async stop() {
      isStopping = true
      server.components.clear()
      // The one that is about to start needs not wait for what it begins with.
      wanted[running.length]?.stop.abort()
      await started.catch(() => undefined)
      for (const part of running.splice(0).reverse()) await part.stop()
    },
  }
}

/** The same, at work when it resolves; where one cannot start, those before it and the server are stopped. */
export async function startPartsOrStop(
  server: ApiServer,
  names: readonly string[],
  wishes: PartWishes,
): Promise<RunningPart> {
  const parts = beginParts(server, names, wishes)
  try {
    await parts.started
    return parts
  } catch (error) {
    await parts.stop()
    await server.stop()
    throw error
  }
}
