// The parts of a cluster that run beside the API server in its process: one row a part, loaded when it is asked for.
// Each comes in through the loopback as its own user, never as admin.
import type { ApiServer } from './apiserver.ts'
import { StartError } from './options.ts'
import type { PartSettings, RunningPart, StartPart } from './part.ts'

/** In the order in which they start; they stop in the opposite one. */
const STARTERS: Readonly<Record<string, StartPart>> = {
  'controller-manager': async (server) =>
    (await import('./controller-manager-part.ts')).startControllerManager(server),
  scheduler: async (server) => (await import('./scheduler-part.ts')).startScheduler(server),
  nodes: async (server, { nodes }) => (await import('./nodes-part.ts')).startNodes(server, nodes),
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

/** Starts those beside the API server; where one cannot start, those before it are stopped. */
async function startParts(
  server: ApiServer,
  names: readonly string[],
  settings: PartSettings,
): Promise<RunningPart> {
  const running: RunningPart[] = []
  const stop = async (): Promise<void> => {
    server.components.clear()
    for (const part of running.splice(0).reverse()) await part.stop()
  }
  try {
    for (const [name, start] of Object.entries(STARTERS)) {
      if (!names.includes(name)) continue
      running.push(await start(server, settings))
      server.components.add(name)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

/** The same; where one cannot start, the server is stopped too. */
export async function startPartsOrStop(
  server: ApiServer,
  names: readonly string[],
  settings: PartSettings,
): Promise<RunningPart> {
  try {
    return await startParts(server, names, settings)
  } catch (error) {
    await server.stop()
    throw error
  }
}
