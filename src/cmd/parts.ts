// The parts of a cluster that run beside the API server in its process: one row a part, loaded when it is asked for.
// Each comes in through the loopback as its own user, never as admin.
import type { ApiServer } from './apiserver.ts'
import { StartError } from './options.ts'
import type { PartSettings, RunningPart, StartPart } from './part.ts'

/** In the order in which they start; they stop in the opposite one. */
const STARTERS: Readonly<Record<string, StartPart>> = {
  'controller-manager': async (server, _, stop) =>
    (await import('./controller-manager-part.ts')).startControllerManager(server, stop),
  scheduler: async (server, _, stop) => (await import('./scheduler-part.ts')).startScheduler(server, stop),
  nodes: async (server, { nodes }, stop) => (await import('./nodes-part.ts')).startNodes(server, nodes, stop),
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

export interface StartingParts extends RunningPart {
  /** Resolves when all are at work, or were stopped; rejects where one cannot start. */
  readonly started: Promise<void>
}

/** Begins to start those beside the API server. `stop` may be called at any time, and has to be, whatever happens. */
export function beginParts(
  server: ApiServer,
  names: readonly string[],
  settings: PartSettings,
): StartingParts {
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
  settings: PartSettings,
): Promise<RunningPart> {
  const parts = beginParts(server, names, settings)
  try {
    await parts.started
    return parts
  } catch (error) {
    await parts.stop()
    await server.stop()
    throw error
  }
}
