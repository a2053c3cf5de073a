// The roles that a cluster starts with, and those of them that others make up ("admin", "edit", "view"), filled where no
// controller runs. Used by roles.ts, rights.ts and escalations.ts.
import { isObject, type Json, type JsonObject } from '../../src/machinery/json.ts'
import type { Peer } from './answers.ts'
import { RBAC } from './rights-shapes.ts'

const BOOTSTRAP = 'kubernetes.io/bootstrapping'

const itemsOf = (body: Json): JsonObject[] => {
  const items = isObject(body) ? body['items'] : undefined
  return Array.isArray(items) ? items.filter(isObject) : []
}
export const metadataOf = (object: JsonObject): { name: string; namespace?: string; labels?: JsonObject } =>
  object['metadata'] as never
const isBootstrap = (object: JsonObject): boolean => metadataOf(object).labels?.[BOOTSTRAP] !== undefined

/** Of the list at this path, what every cluster starts with. */
export async function bootstrapped(peer: Peer, path: string): Promise<JsonObject[]> {
  return itemsOf((await peer.send('GET', path)).body).filter(isBootstrap)
}

/** What the controller of aggregated roles would do, where none runs. */
export async function aggregate(peer: Peer): Promise<void> {
  // "admin" takes in "edit", which takes in "view".
  for (const name of ['view', 'edit', 'admin']) {
    const roles = await bootstrapped(peer, `${RBAC}/clusterroles`)
    const role = roles.find((one) => metadataOf(one).name === name) as JsonObject
    const selectors = (role['aggregationRule'] as { clusterRoleSelectors: { matchLabels: JsonObject }[] })
      .clusterRoleSelectors
    const chosen = roles.filter((one) =>
      selectors.some(({ matchLabels }) =>
        Object.entries(matchLabels).every(([key, value]) => metadataOf(one).labels?.[key] === value),
      ),
    )
    const rules = chosen.flatMap((one) => (Array.isArray(one['rules']) ? one['rules'] : []))
    await peer.send('PATCH', `${RBAC}/clusterroles/${name}`, { rules })
  }
}
