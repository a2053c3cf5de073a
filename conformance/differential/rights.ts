// Who may do what, at random: random roles and bindings are made on a kube-apiserver and on this server, and both are
// asked by the four kinds of reviews, about users, groups and service accounts, and as them.
//
//	node tools/run.js conformance/differential/rights.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (10)   --steps N of each round (400)   --verbose  every difference, not the first of its sort
//
// Both servers take the token (secret) as an administrator's, and run no controllers. Ends with `N requests, N differ`;
// exits 1 where some do.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { aggregate } from './aggregated.ts'
import { type Answer, mapOf } from './answers.ts'
import { as, type Asked, Pair, perhaps, settings } from './both.ts'
import { objectOf, questionOf, type Who, whoOf, type World } from './rights-shapes.ts'
import { awaitRules, bindMarkers, errorsInOrder, letAsk } from './rights-seen.ts'

const AUTHORIZATION = '/apis/authorization.k8s.io/v1'
/** Objects of a round. */
const OBJECTS = 40
/** Upstream visits bindings in the order of Go's maps: the first that allows is named, and any fault first. */
const AGAIN = 25

const byText = (a: Json, b: Json): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
/** Rules and faults in an order of their own. */
function sorted(answer: Answer): Answer {
  const body = structuredClone(answer.body)
  const status = mapOf(mapOf(body)['status'])
  for (const key of ['resourceRules', 'nonResourceRules']) {
    const list = status[key]
    if (Array.isArray(list)) status[key] = list.sort(byText)
  }
  for (const key of ['evaluationError', 'reason']) {
    if (typeof status[key] === 'string') status[key] = errorsInOrder(status[key])
  }
  return { ...answer, body }
}

function ask(pair: Pair, world: World): Asked {
  const { draw } = pair
  const who = whoOf(draw, world)
  const spec = questionOf(draw, world)
  const whose: Who | JsonObject = draw.chance(0.97)
    ? who
    : draw.of([{ user: who.user }, { groups: who.groups }, {}])
  const extra = perhaps(draw, 0.05, () => ({ extra: { k: ['v'] }, uid: 'u' }))
  const metadata = perhaps(draw, 0.02, () => ({
    metadata: draw.of([{ name: 'x' }, { labels: { a: 'b' } }, { namespace: 'y' }]),
  }))
  const post = (path: string, kind: string, body: JsonObject, headers = {}): Asked => ({
    method: 'POST',
    path,
    body: { apiVersion: 'authorization.k8s.io/v1', kind, ...metadata, ...body },
    headers,
  })
  const form = draw.of(['sar', 'sar', 'sar', 'local', 'self', 'rules'])
  if (form === 'sar') {
    return post(`${AUTHORIZATION}/subjectaccessreviews`, 'SubjectAccessReview', {
      spec: { ...spec, ...whose, ...extra },
    })
  }
  if (form === 'local') {
    const namespace = draw.of(world.namespaces)
    const local = mapOf(spec['resourceAttributes'])
    const placed =
      draw.chance(0.9) && spec['resourceAttributes']
        ? { ...spec, resourceAttributes: { ...local, namespace } }
        : spec
    const path = `${AUTHORIZATION}/namespaces/${namespace}/localsubjectaccessreviews`
    return post(path, 'LocalSubjectAccessReview', { spec: { ...placed, ...whose } })
  }
  const headers = as(
    who.user,
    who.groups.filter((group) => group !== 'system:unauthenticated'),
  )
  if (form === 'self')
    return post(`${AUTHORIZATION}/selfsubjectaccessreviews`, 'SelfSubjectAccessReview', { spec }, headers)
  const namespace = draw.chance(0.95) ? draw.of(world.namespaces) : ''
  return post(
    `${AUTHORIZATION}/selfsubjectrulesreviews`,
    'SelfSubjectRulesReview',
    { spec: { namespace } },
    headers,
  )
}

/** Random objects on both sides, then questions. */
async function round(pair: Pair, world: World, steps: number): Promise<void> {
  for (const name of world.namespaces) await pair.post('/api/v1/namespaces', { metadata: { name } })
  const made = new Set<string>()
  for (let i = 0; i < OBJECTS; i++) {
    const { path, name, object } = objectOf(pair.draw, world, false)
    const there = made.has(`${path}/${name}`)
    const asked = there
      ? { method: 'PUT', path: `${path}/${name}`, body: object }
      : { method: 'POST', path, body: object }
    const { theirs } = await pair.compare(asked)
    if (theirs.status < 300) made.add(`${path}/${name}`)
  }
  await bindMarkers(pair, world)
  await awaitRules(pair, world)
  for (let i = 0; i < steps; i++) await pair.compare(ask(pair, world), sorted, AGAIN)
  for (const path of made) await pair.both({ method: 'DELETE', path })
}

async function main(): Promise<void> {
  const asked = settings(10, 400)
  const pair = new Pair(asked)
  await aggregate(pair.peers.theirs)
  await letAsk(pair)
  for (let i = 0; i < asked.rounds; i++) {
    const tag = `${asked.seed}-${i}`
    await round(pair, { tag, namespaces: [`one-${tag}`, `two-${tag}`] }, asked.steps)
  }
  pair.end()
}

await main()
