// Simulated nodes beside the API server, in its process. Each writes as its own user, system:node:NAME, whom the node
// authorizer holds to what nodes may do; the one watch of pods that they share has a user of its own, who only reads.
import { setMaxListeners } from 'node:events'
import { type Api, isAlreadyExists } from '../client/api.ts'
import { SYSTEM_CLOCK } from '../client/clock.ts'
import { Informers } from '../client/informer.ts'
import type { ClusterRole, ClusterRoleBinding } from '../client/kinds/rbac.v1.gen.ts'
import type { Resource } from '../client/resource.ts'
import { CLUSTER_ROLES } from '../client/resources.ts'
import { NodeAgent } from '../kubelet/agent.ts'
import { STAGES } from '../kubelet/stages.ts'
import { AUTHENTICATED_GROUP, MASTERS_GROUP, NODES_GROUP, type UserInfo } from '../machinery/user.ts'
import type { ApiServer } from './apiserver.ts'
import { metricsResources } from './metrics-api.ts'
import { answerOf } from './node-answers.ts'
import { apiAs, type RunningPart } from './part.ts'
import { scaler } from './nodes-scaler.ts'
import { watchSettings } from './nodes-settings.ts'

const AGENT = 'kubelet'
/** Who reads for all nodes. */
const READER: UserInfo = { name: 'dinghy:simulated-nodes', groups: [AUTHENTICATED_GROUP] }
const RBAC = 'rbac.authorization.k8s.io'
const CLUSTER_ROLE_BINDINGS: Resource<ClusterRoleBinding> = {
  group: RBAC,
  version: 'v1',
  resource: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
}

/**
 * Resolves when all nodes are registered: `count` of them, else as many as were asked for last (nodes-settings.ts), at
 * first one.
 */
export async function startNodes(
  server: ApiServer,
  count: number | undefined,
  stop = new AbortController(),
): Promise<RunningPart> {
  // The reader's role is policy that the server starts with, so it is written as the server's other policy is: by itself.
  await ensureReader(apiAs(server, { name: 'system:apiserver', groups: [MASTERS_GROUP] }, 'kube-apiserver'))
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
  server.addResources('metrics.k8s.io', metricsResources(agent))
  await Promise.race([settings.known, stopped])
  const scaling = scaler(apiAs(server, READER, AGENT), agent, { log, signal: stop.signal })
  const first = scaling(count ?? settings.count() ?? 1)
  settings.tell({ stage: (namespace, data) => agent.stage(namespace, data), scale: (to) => void scaling(to) })
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

async function ensureReader(api: Api): Promise<void> {
  const metadata = { name: READER.name }
  const verbs = ['get', 'list', 'watch']
  const rules = [
    { apiGroups: [''], resources: ['nodes', 'pods'], verbs },
    { apiGroups: [''], resources: ['configmaps'], resourceNames: [STAGES], verbs },
  ]
  const role: ClusterRole = {
    metadata,
    rules,
  }
  const binding: ClusterRoleBinding = {
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: READER.name },
    subjects: [{ apiGroup: RBAC, kind: 'User', name: READER.name }],
  }
  const isThere = (error: unknown): void => {
    if (!isAlreadyExists(error)) throw error
  }
  try {
    await api.create(CLUSTER_ROLES, role)
  } catch (error) {
    isThere(error)
    // An older release may have written it.
    await api.patch(CLUSTER_ROLES, metadata, { rules }, { type: 'merge' })
  }
  await api.create(CLUSTER_ROLE_BINDINGS, binding).catch(isThere)
}
