// Simulated nodes beside the API server, in its process. Each writes as its own user, system:node:NAME, whom the node
// authorizer holds to what nodes may do; the one watch of pods that they share has a user of its own, who only reads.
import { setMaxListeners } from 'node:events'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import { Informers } from '../../client/informer.ts'
import { NodeAgent } from '../../kubelet/agent.ts'
import { STAGES } from '../../kubelet/stages.ts'
import { AUTHENTICATED_GROUP, NODES_GROUP, type UserInfo } from '../../machinery/user.ts'
import type { ApiServer } from '../apiserver/apiserver.ts'
import { METRICS, metricsResources } from './metrics-api.ts'
import { answerOf } from './node-answers.ts'
import { apiAs, type PartSettings, type RunningPart } from '../parts/part.ts'
import { ensureRole } from '../parts/role.ts'
import { scaler } from './scaler.ts'
import { watchSettings } from './settings.ts'

const AGENT = 'kubelet'
/** Who reads for all nodes. */
const READER: UserInfo = { name: 'dinghy:simulated-nodes', groups: [AUTHENTICATED_GROUP] }
const READS = ['get', 'list', 'watch']
const RULES = [
  { apiGroups: [''], resources: ['nodes', 'pods'], verbs: READS },
  { apiGroups: [''], resources: ['configmaps'], resourceNames: [STAGES], verbs: READS },
]

/**
 * Resolves when all nodes are registered: `count` of them, else as many as were asked for last (settings.ts), at
 * first one.
 */
export async function startNodes(
  server: ApiServer,
  { nodes: count, cloud }: Pick<PartSettings, 'nodes' | 'cloud'>,
  stop = new AbortController(),
): Promise<RunningPart> {
  await ensureRole(server, READER.name, RULES)
  setMaxListeners(0, stop.signal)
  const { log } = server
  const informers = new Informers({ api: apiAs(server, READER, AGENT), clock: SYSTEM_CLOCK, log })
  const agent = new NodeAgent({
    informers,
    apiOf: (node) => apiAs(server, nodeUser(node), AGENT),
    clock: SYSTEM_CLOCK,
    log,
  })
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
  await Promise.race([informers.start(stop.signal), stopped])
  const running = agent.run(stop.signal)
  const settings = watchSettings(apiAs(server, READER, AGENT), log, stop.signal)
  server.connectNodes((node, request) => {
    const reply = agent.answer(node, request)
    return reply && answerOf(reply)
  })
  await server.addResources(METRICS, metricsResources(agent))
  await Promise.race([settings.known, stopped])
  const scaling = scaler(apiAs(server, READER, AGENT), agent, { log, signal: stop.signal, cloud })
  const first = scaling(count ?? settings.count() ?? 1)
  settings.tell({
    stage: (namespace, data) => agent.stage(namespace, data),
    lack: (images) => agent.lack(images),
    scale: (to) => void scaling(to),
  })
  await first
  return {
    async stop() {
      server.connectNodes(() => undefined)
      stop.abort()
      await running
    },
  }
}

const nodeUser = (node: string): UserInfo => ({
  name: `system:node:${node}`,
  groups: [NODES_GROUP, AUTHENTICATED_GROUP],
})
