// Who may grant what, at random: users with random rights (escalate, bind and wildcards among them) create, update,
// patch and apply random roles and bindings on a kube-apiserver and on this server; codes, objects and messages, down to
// the lines that name what is missing, are compared.
//
//	node tools/run.js conformance/differential/escalations.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (10)   --steps N of each round (200)   --verbose  every difference, not the first of its sort
//
// Both servers take the token (secret) as an administrator's, and run no controllers. Ends with `N requests, N differ`;
// exits 1 where some do.
import type { JsonObject } from '../../src/machinery/json.ts'
import { aggregate } from './aggregated.ts'
import { type Answer, mapOf } from './answers.ts'
import { as, type Asked, type Headers, Pair, perhaps, settings, several } from './both.ts'
import { objectOf, RBAC, ruleOf, type Who, whoOf, type World } from './rights-shapes.ts'
import { awaitRules, bindMarkers, errorsInOrder } from './rights-seen.ts'

const GROUP = 'rbac.authorization.k8s.io'
const KINDS = ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings']
const APPLY = 'application/apply-patch+yaml'

/** Entries of managedFields have whole seconds: their order is no matter here. */
function sorted(answer: Answer): Answer {
  const body = structuredClone(answer.body)
  const object = mapOf(body)
  delete mapOf(object['metadata'])['managedFields']
  if (typeof object['message'] === 'string') object['message'] = errorsInOrder(object['message'])
  return { ...answer, body }
}

/** So that a user gets past authorization, and to the checks. */
function writersRole(pair: Pair, name: string): JsonObject {
  const { draw } = pair
  const writes = { apiGroups: [GROUP], resources: KINDS, verbs: ['get', 'create', 'update', 'patch'] }
  const more: JsonObject[] = [
    ...(draw.chance(0.25)
      ? [
          {
            apiGroups: [GROUP],
            resources: several(draw, KINDS, 1, 2),
            verbs: [draw.of(['escalate', 'bind', '*'])],
            ...perhaps(draw, 0.6, () => ({
              resourceNames: several(draw, ['view', `r0-${name}`, 'r1', 'edit'], 1, 2),
            })),
          },
        ]
      : []),
    ...(draw.chance(0.08) ? [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] : []),
    ...(draw.chance(0.08) ? [{ nonResourceURLs: ['*'], verbs: ['*'] }] : []),
  ]
  return {
    metadata: { name: `writer-${name}` },
    rules: [writes, ...more, ruleOf(draw, true), ruleOf(draw, true), ruleOf(draw, false)],
  }
}

async function write(pair: Pair, world: World, headers: Headers): Promise<Asked> {
  const { draw } = pair
  const { path, name, object } = objectOf(draw, world, true)
  const place = `${path}/${name}`
  const asked = (method: string, where: string, body: JsonObject, type?: string): Asked => ({
    method,
    path: where,
    body,
    headers,
    ...(type === undefined ? {} : { type }),
  })
  const form = draw.of(['create', 'create', 'update', 'update', 'patch', 'apply', 'collect', 'json'])
  const { rules, subjects, aggregationRule, roleRef } = object
  if (form === 'create') return asked('POST', path, object)
  if (form === 'update') return asked('PUT', place, object)
  if (form === 'patch') {
    const content = draw.of<JsonObject>([
      ...(rules === undefined
        ? [{ subjects: subjects ?? [] }, { roleRef: roleRef ?? {} }]
        : [{ rules }, { rules, aggregationRule: aggregationRule ?? null }]),
      { metadata: { labels: { part: 'a' } } },
    ])
    return asked('PATCH', place, content, draw.of([undefined, 'application/strategic-merge-patch+json']))
  }
  if (form === 'apply') return asked('PATCH', `${place}?fieldManager=m&force=true`, object, APPLY)
  // What the garbage collector may do whatever an object grants.
  if (form === 'collect')
    return asked('PATCH', place, {
      metadata: { finalizers: draw.of([['x.example.com/y'], []]) },
      ...perhaps(draw, 0.3, () => ({ subjects: [] })),
    })
  const operations =
    rules === undefined
      ? { op: 'add', path: '/subjects/0', value: { kind: 'User', apiGroup: GROUP, name: 'new' } }
      : { op: 'add', path: '/rules/0', value: ruleOf(draw, true) }
  return { ...asked('PATCH', place, [operations] as unknown as JsonObject, 'application/json-patch+json') }
}

async function furnish(pair: Pair, world: World): Promise<Who[]> {
  for (const name of world.namespaces) await pair.post('/api/v1/namespaces', { metadata: { name } })
  const writers: Who[] = []
  for (let i = 0; i < 4; i++) {
    const who = whoOf(pair.draw, { ...world, tag: `${i}-${world.tag}` })
    if (who.groups.includes('system:unauthenticated') || who.user === 'system:anonymous') continue
    const role = writersRole(pair, `${i}-${world.tag}`)
    const { name } = role['metadata'] as { name: string }
    await pair.post(`${RBAC}/clusterroles`, role)
    const local = pair.draw.chance(0.3)
    await pair.post(
      local ? `${RBAC}/namespaces/${world.namespaces[0]}/rolebindings` : `${RBAC}/clusterrolebindings`,
      {
        metadata: { name },
        roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
        subjects: [{ apiGroup: GROUP, kind: 'User', name: who.user }],
      },
    )
    writers.push(who)
  }
  return writers
}

async function round(pair: Pair, world: World, steps: number): Promise<void> {
  const writers = await furnish(pair, world)
  const made = new Set<string>()
  await bindMarkers(pair, world)
  await awaitRules(pair, world)
  for (let i = 0; i < steps && writers.length > 0; i++) {
    const who = pair.draw.of(writers)
    // An administrator makes what the others then change.
    const headers = pair.draw.chance(0.12) ? {} : as(who.user, who.groups)
    const asked = await write(pair, world, headers)
    const { theirs } = await pair.compare(asked, sorted)
    if (theirs.status >= 300) continue
    const name = String(mapOf(mapOf(theirs.body)['metadata'])['name'])
    made.add(asked.method === 'POST' ? `${asked.path}/${name}` : (asked.path.split('?')[0] as string))
    await bindMarkers(pair, world)
    await awaitRules(pair, world)
  }
  for (const path of made) {
    await pair.both({ method: 'PATCH', path, body: { metadata: { finalizers: null } } })
    await pair.both({ method: 'DELETE', path })
  }
}

async function main(): Promise<void> {
  const asked = settings(10, 200)
  const pair = new Pair(asked)
  await aggregate(pair.peers.theirs)
  for (let i = 0; i < asked.rounds; i++) {
    const tag = `e${asked.seed}-${i}`
    await round(pair, { tag, namespaces: [`one-${tag}`, `two-${tag}`] }, asked.steps)
  }
  pair.end()
}

await main()
