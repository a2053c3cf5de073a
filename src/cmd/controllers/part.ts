// The controller manager beside the API server, in its process. There is one of it: the server's other replicas elect
// among themselves by the same Lease as processes of their own would.
// Follows k8s.io/kubernetes/cmd/kube-controller-manager/app/controllermanager.go.
import { createHash, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { SYSTEM_CLOCK } from '../../client/clock.ts'
import { type ElectionOptions, lead } from '../../client/election.ts'
import { QueuesMetrics } from '../../client/queuemetrics.ts'
import { AUTHENTICATED_GROUP, type UserInfo } from '../../machinery/user.ts'
import type { ApiServer } from '../apiserver/apiserver.ts'
import { type ControllerSettings, SETTINGS } from './settings.ts'
import type { ControllerRow } from './row.ts'
import { CONTROLLERS } from './controllers.ts'
import { apiAs, type RunningPart, serviceAccountUser } from '../parts/part.ts'
import { runControllers } from './run.ts'
import { FLEET_RANGE, POD_RANGE } from '../nodes/simulated-nodes.ts'

export const CONTROLLER_MANAGER = 'kube-controller-manager'
const MANAGER: UserInfo = { name: `system:${CONTROLLER_MANAGER}`, groups: [AUTHENTICATED_GROUP] }
/** Upstream's defaults. */
export const ELECTION = { leaseSeconds: 15, renewDeadlineSeconds: 10, retrySeconds: 2 }

/** "host_UUID": unlike every other process's. */
export const electionIdentity = (): string => `${hostname()}_${randomUUID()}`

/**
 * Who leads beside a server that is alone with its store: the same after each start, since whoever led before it is gone,
 * or the store would be taken. So a server that was killed needs not wait for the end of its own lease.
 */
const lastingIdentity = ({ identity }: ApiServer): string =>
  `${hostname()}_${createHash('sha256').update(identity.caCert).digest('hex').slice(0, 32)}`

/**
 * All controllers that are on, tokens of nodes that join and their signature too, since joining is let in by default; and
 * `more`.
 */
export function startControllerManager(
  server: ApiServer,
  stop = new AbortController(),
  more: readonly ControllerRow[] = [],
): RunningPart {
  const api = apiAs(server, MANAGER, CONTROLLER_MANAGER)
  const metrics = new QueuesMetrics()
  server.addMetrics(() => metrics.text())
  const parts = {
    api,
    apiOf: (user: string) => apiAs(server, serviceAccountUser(user), CONTROLLER_MANAGER),
    rows: [...CONTROLLERS, ...more],
    settings: settingsOf(server),
    metrics,
    log: server.log,
  }
  const identity = server.sharesStore ? electionIdentity() : lastingIdentity(server)
  const place = { namespace: 'kube-system', name: CONTROLLER_MANAGER, identity }
  const running = leadAgainAndAgain(
    { api, clock: SYSTEM_CLOCK, ...place, ...ELECTION },
    (signal) => runControllers(parts, signal),
    stop.signal,
  ).catch((error: unknown) => server.log.error({ error: String(error) }, 'the controllers have ended'))
  return {
    async stop() {
      stop.abort()
      await running
    },
  }
}

/** A process of its own would end with its lease and be started anew; the API server goes on, so this waits for it again. */
export async function leadAgainAndAgain(
  options: ElectionOptions,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) await lead(options, work, signal)
}

/** Upstream's defaults, with the server's own keys. */
export function settingsOf({ identity, sharesStore }: ApiServer): ControllerSettings {
  const signer = identity.authority
  return {
    ...SETTINGS,
    // DEVIATION: upstream waits 5 s always; a server that is alone with its store knows at once.
    namespaceGraceMs: sharesStore ? SETTINGS.namespaceGraceMs : 0,
    rootCa: identity.caCert,
    allocateNodeCidrs: true,
    clusterCidrs: [POD_RANGE],
    serviceCidrs: [FLEET_RANGE],
    serviceAccountKey: identity.serviceAccountKeyPem,
    signers: new Map(
      ['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown'].map(
        (name) => [name, signer],
      ),
    ),
  }
}
