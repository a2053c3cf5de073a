// Waits until a kube-apiserver goes by what was written last: its authorizer sees roles and bindings through informers,
// each kind in its order. Used by rights.ts and escalations.ts.
import type { JsonObject } from '../../src/machinery/json.ts'
import { mapOf } from './answers.ts'
import { type Pair } from './both.ts'
import { RBAC, type World } from './rights-shapes.ts'

const GROUP = 'rbac.authorization.k8s.io'
const PAUSE_MS = 10
/** Informers of a loaded machine hear within seconds. */
const PATIENCE_MS = 30_000
let count = 0

interface Marker {
  readonly user: string
  readonly namespace: string
}
const markers = new WeakMap<World, Marker>()

/** A role and a binding of each kind, made after all others. */
export async function bindMarkers(pair: Pair, world: World): Promise<void> {
  const namespace = world.namespaces[0] as string
  const name = `seen-${world.tag}-${count++}`
  const user = `user-${name}`
  const rules: JsonObject[] = [{ apiGroups: ['seen'], resources: ['*'], verbs: ['get'] }]
  const named = { metadata: { name } }
  const bound = (kind: string): JsonObject => ({
    ...named,
    roleRef: { apiGroup: GROUP, kind, name },
    subjects: [{ apiGroup: GROUP, kind: 'User', name: `${user}-${kind}` }],
  })
  const local = `${RBAC}/namespaces/${namespace}`
  await pair.post(`${RBAC}/clusterroles`, { ...named, rules })
  await pair.post(`${local}/roles`, { ...named, rules })
  await pair.post(`${RBAC}/clusterrolebindings`, bound('ClusterRole'))
  await pair.post(`${local}/rolebindings`, bound('Role'))
  markers.set(world, { user, namespace })
}

/** Resolves when both servers allow what the markers of this world allow. Throws after half a minute. */
export async function awaitRules(pair: Pair, world: World): Promise<void> {
  const { user, namespace } = markers.get(world) as Marker
  for (const kind of ['ClusterRole', 'Role']) {
    const resourceAttributes = { namespace, group: 'seen', resource: 'x', verb: 'get' }
    const spec = { resourceAttributes, user: `${user}-${kind}` }
    for (const until = Date.now() + PATIENCE_MS; ;) {
      const answers = await pair.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec })
      const seen = [answers.theirs, answers.ours].map(({ body }) => mapOf(mapOf(body)['status'])['allowed'])
      if (seen.every((allowed) => allowed === true)) break
      if (Date.now() > until) throw new Error(`what was written is not seen: ${JSON.stringify(seen)}`)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}

/** Upstream comes to bindings in the order of Go's maps, and so to roles that are not there. */
export const errorsInOrder = (text: string): string =>
  text.replaceAll(
    /\[([^[\]]* not found)\]/g,
    (_, errors: string) => `[${errors.split(', ').sort().join(', ')}]`,
  )

/** Everybody may ask about himself, whatever else he may. */
export async function letAsk(pair: Pair): Promise<void> {
  const everybody = ['system:authenticated', 'system:unauthenticated']
  await pair.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'everybody-may-ask' },
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: 'system:basic-user' },
    subjects: everybody.map((name) => ({ apiGroup: GROUP, kind: 'Group', name })),
  })
}
