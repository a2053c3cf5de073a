// The cloud controller manager beside the API server, in its process. Where the controller manager runs there too, it runs
// these controllers with its own, since both read the same nodes and Services.
// Follows k8s.io/cloud-provider/app/controllermanager.go.
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import { QueuesMetrics } from '../../client/queuemetrics.ts'
import { AUTHENTICATED_GROUP, type UserInfo } from '../../machinery/user.ts'
import type { ApiServer } from '../apiserver/apiserver.ts'
import { cloudControllers, type CloudSettings } from '../controllers/cloud-controllers.ts'
import { ensureStorage } from './storage.ts'
import { electionIdentity, ELECTION, leadAgainAndAgain } from '../controllers/part.ts'
import { SETTINGS } from '../controllers/settings.ts'
import { apiAs, type RunningPart, serviceAccountUser } from '../parts/part.ts'
import { ensureRole } from '../parts/role.ts'
import { runControllers } from '../controllers/run.ts'

export const CLOUD_MANAGER = 'cloud-controller-manager'
/** Who reads for the controllers, and holds their lease. */
const MANAGER: UserInfo = { name: `dinghy:${CLOUD_MANAGER}`, groups: [AUTHENTICATED_GROUP] }
const READS = ['get', 'list', 'watch']
const RULES = [
  { apiGroups: [''], resources: ['nodes', 'services'], verbs: READS },
  { apiGroups: [''], resources: ['persistentvolumes', 'persistentvolumeclaims'], verbs: READS },
  { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: READS },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READS },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
]

export async function startCloudManager(
  server: ApiServer,
  settings: CloudSettings,
  stop = new AbortController(),
): Promise<RunningPart> {
  await ensureRole(server, MANAGER.name, RULES)
  await ensureStorage(server)
  const api = apiAs(server, MANAGER, CLOUD_MANAGER)
  const metrics = new QueuesMetrics()
  server.addMetrics(() => metrics.text())
  const parts = {
    api,
    apiOf: (user: string) => apiAs(server, serviceAccountUser(user), CLOUD_MANAGER),
    rows: cloudControllers(settings),
    settings: SETTINGS,
    metrics,
    log: server.log,
  }
  const place = { namespace: 'kube-system', name: CLOUD_MANAGER, identity: electionIdentity() }
  const running = leadAgainAndAgain(
    { api, clock: SYSTEM_CLOCK, ...place, ...ELECTION },
    (signal) => runControllers(parts, signal),
    stop.signal,
  ).catch((error: unknown) =>
    server.log.error({ error: String(error) }, 'the cloud’s controllers have ended'),
  )
  return {
    async stop() {
      stop.abort()
      await running
    },
  }
}
