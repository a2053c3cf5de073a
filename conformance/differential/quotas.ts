// Limits and quotas at random: namespaces with random LimitRanges and ResourceQuotas of every scope, in which pods, claims,
// services and others are made, changed and resized, on a kube-apiserver and on this server. Codes, messages, objects and,
// after each write, what every quota has counted are compared.
//
//	node tools/run.js conformance/differential/quotas.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (15)   --steps N of each round (40)   --verbose  every difference, not the first of its sort
//
// Both servers run no controllers. Ends with `N requests, N differ`; exits 1 where some do.
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { type Answer, mapOf } from './answers.ts'
import { type Asked, Pair, settings } from './both.ts'
import { claim, deployment, limitRange, pod, quota, resources, service } from './quota-shapes.ts'

/** Upstream comes to the quotas and limits of a namespace in the order of Go's maps. */
const AGAIN = 12
/** And knows them when its informers have heard of them. */
const HEARD_MS = 1_200
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']

const byText = (a: Json, b: Json): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

const GO_DIFF =
  /((?:pod updates may not change fields other than|is immutable after creation except)[^\n]*)[^]*/

/** Lists of faults in an order of their own, as upstream takes them from maps; without who owns what. */
function settled(answer: Answer): Answer {
  const body = structuredClone(answer.body)
  const object = mapOf(body)
  delete mapOf(object['metadata'])['managedFields']
  // Upstream goes on with a comparison of two Go structs, which we do not print.
  const causes = mapOf(object['details'])['causes']
  for (const place of [object, ...(Array.isArray(causes) ? causes.map(mapOf) : [])])
    if (typeof place['message'] === 'string') place['message'] = place['message'].replace(GO_DIFF, '$1')
  const { message } = object
  if (Array.isArray(causes)) causes.sort(byText)
  if (typeof message === 'string')
    object['message'] = message
      .replace(/\[(.*)\]$/s, (_, inner: string) => inner.split(', ').sort().join(', '))
      .replaceAll(
        /must specify (.*)$/g,
        (_, list: string) => `must specify ${list.split('; ').sort().join('; ')}`,
      )
  const annotations = mapOf(mapOf(object['metadata'])['annotations'])
  const noted = annotations['kubernetes.io/limit-ranger']
  if (typeof noted === 'string')
    annotations['kubernetes.io/limit-ranger'] = noted.split(/[;,] /).sort().join('; ')
  return { ...answer, body }
}

/** What quotas say, by name. */
function counted(answer: Answer): Answer {
  const items = mapOf(answer.body)['items']
  const shown = Array.isArray(items)
    ? items.map((item) => ({
        name: mapOf(mapOf(item)['metadata'])['name'] ?? '',
        status: mapOf(item)['status'] ?? {},
      }))
    : []
  return { ...answer, body: shown.sort(byText) }
}

function ask({ draw }: Pair, core: string): Asked {
  const name = draw.of(NAMES)
  const apps = core.replace('/api/v1', '/apis/apps/v1')
  const post = (path: string, body: JsonObject): Asked => ({ method: 'POST', path, body })
  const patch = (path: string, body: JsonObject): Asked => ({ method: 'PATCH', path, body })
  const container = { name: 'c0', resources: resources(draw) }
  return draw.of([
    () => post(`${core}/pods`, pod(draw, name)),
    () => post(`${core}/pods`, pod(draw, name)),
    () => post(`${core}/pods`, pod(draw, name)),
    () => post(`${core}/pods?dryRun=All`, pod(draw, name)),
    () => patch(`${core}/pods/${name}`, { spec: { activeDeadlineSeconds: draw.of([1, 50]) } }),
    (): Asked => ({
      ...patch(`${core}/pods/${name}/resize`, { spec: { containers: [container] } }),
      type: 'application/strategic-merge-patch+json',
    }),
    () => post(`${core}/persistentvolumeclaims`, claim(draw, name)),
    () => patch(`${core}/persistentvolumeclaims/${name}`, { spec: claim(draw, name)['spec'] as JsonObject }),
    () => patch(`${core}/persistentvolumeclaims/${name}/status`, { status: { phase: 'Bound' } }),
    () => post(`${core}/services`, service(draw, name)),
    () => patch(`${core}/services/${name}`, { spec: service(draw, name)['spec'] as JsonObject }),
    () => post(`${core}/${draw.of(['configmaps', 'secrets'])}`, { metadata: { name } }),
    () => post(`${apps}/deployments`, deployment(name)),
    () => post(`${core}/resourcequotas`, quota(draw, `late-${name}`)),
  ])()
}

async function round(pair: Pair, namespace: string, steps: number): Promise<void> {
  const { draw } = pair
  const core = `/api/v1/namespaces/${namespace}`
  await pair.post('/api/v1/namespaces', { metadata: { name: namespace } })
  await pair.post(`${core}/serviceaccounts`, { metadata: { name: 'default' } })
  for (const name of draw.of([[], ['one'], ['one', 'two']]))
    await pair.compare({ method: 'POST', path: `${core}/limitranges`, body: limitRange(draw, name) }, settled)
  for (const name of draw.of([['q1'], ['q1', 'q2'], ['q1', 'q2', 'q3']])) {
    const body = quota(draw, name)
    const { theirs } = await pair.compare({ method: 'POST', path: `${core}/resourcequotas`, body }, settled)
    if (theirs.status !== 201 || draw.chance(0.05)) continue
    const { hard } = mapOf(mapOf(theirs.body)['spec'])
    const used = Object.fromEntries(Object.keys(mapOf(hard)).map((resource) => [resource, '0']))
    const status: JsonObject = { hard: hard ?? {}, used }
    await pair.compare(
      { method: 'PATCH', path: `${core}/resourcequotas/${name}/status`, body: { status } },
      settled,
    )
  }
  await new Promise((resolve) => setTimeout(resolve, HEARD_MS))
  for (let i = 0; i < steps; i++) {
    const asked = ask(pair, core)
    const before = pair.differing
    await pair.compare(asked, settled, AGAIN)
    await pair.compare({ method: 'GET', path: `${core}/resourcequotas` }, counted)
    // Once they went apart, all that follows would be told.
    if (pair.differing > before) return
  }
}

async function main(): Promise<void> {
  const asked = settings(15, 40)
  const pair = new Pair(asked)
  for (const [name, value] of [
    ['high', 1000],
    ['low', 1],
  ] as const)
    await pair.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, value })
  for (const name of ['gold', 'other'])
    await pair.post('/apis/storage.k8s.io/v1/storageclasses', {
      metadata: { name },
      provisioner: 'p',
      allowVolumeExpansion: true,
    })
  const overhead = { podFixed: { cpu: '100m', memory: '10Mi' } }
  await pair.post('/apis/node.k8s.io/v1/runtimeclasses', {
    metadata: { name: 'heavy' },
    handler: 'h',
    overhead,
  })
  for (let i = 0; i < asked.rounds; i++) await round(pair, `quota-${asked.seed}-${i}`, asked.steps)
  pair.end()
}

await main()
