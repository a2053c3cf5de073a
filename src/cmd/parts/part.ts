// What every part that runs beside the API server in its process needs: its own user's way in, and its end.
// Each comes in through the loopback as its own user, never as admin.
import { Api } from '../../client/api.ts'
import { SharedObjects } from '../../client/sharedobjects.ts'
import {
  AUTHENTICATED_GROUP,
  serviceAccountGroups,
  serviceAccountUsername,
  type UserInfo,
} from '../../machinery/user.ts'
import { KUBERNETES_VERSION } from '../../server/version.ts'
import type { ApiServer } from '../apiserver/apiserver.ts'
import type { CloudSettings } from '../controllers/cloud-controllers.ts'

/** What runs; `stop` resolves when all is quiet. */
export interface RunningPart {
  stop(): Promise<void>
}

/** What parts are told beside the server that they work for. */
export interface PartSettings {
  /** How many simulated nodes there are at first; undefined: as many as there were, or one. */
  readonly nodes: number | undefined
  /** What the cloud's controllers are told; undefined: none runs here. */
  readonly cloud: CloudSettings | undefined
  /** Whether the controller manager runs here. */
  readonly hasManager: boolean
}

/** Starts one; when `stop` is aborted before it is at work, it resolves soon, and ends as it does by its own stop(). */
export type StartPart = (
  server: ApiServer,
  settings: PartSettings,
  stop: AbortController,
) => RunningPart | Promise<RunningPart>

/** The view of a part's own user: "system:kube-scheduler". `agent` is what managed fields name. */
export const apiAs = (server: ApiServer, user: UserInfo, agent: string): Api =>
  new Api(server.loopback(user), `${agent}/${KUBERNETES_VERSION} (linux/amd64)`, {
    objects: objectsOf(server),
  })

/** What the parts of a server watch. */
const sharedObjects = new WeakMap<ApiServer, SharedObjects>()

function objectsOf(server: ApiServer): SharedObjects {
  let objects = sharedObjects.get(server)
  if (!objects) sharedObjects.set(server, (objects = new SharedObjects()))
  return objects
}

/** A service account of kube-system, as its token would tell. */
export const serviceAccountUser = (name: string): UserInfo => ({
  name: serviceAccountUsername('kube-system', name),
  groups: [...serviceAccountGroups('kube-system'), AUTHENTICATED_GROUP],
})
