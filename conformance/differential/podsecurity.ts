// Pod security at random: pods and what makes pods, in namespaces of every level, version and mode, some exempt, and
// changes of namespaces' labels over pods that are there, on a kube-apiserver and on this server. Codes, messages and
// warnings are compared, and the annotations of both audit logs, where these are named.
//
//	node tools/run.js conformance/differential/podsecurity.ts -- --upstream URL --ours URL [--token T] [AUDIT-LOG-OF-UPSTREAM OURS]
//	   --seed N   --rounds N (10)   --steps N of each round (150)   --verbose  every difference, not the first of its sort
//
// Both servers exempt the user "exempt-user", the namespace "exempt-ns" and the runtime class "exempt-class", or nobody.
// Ends with `N requests, N differ`; exits 1 where some do.
import { readFileSync } from 'node:fs'
import type { JsonObject } from '../../src/machinery/json.ts'
import type { Answer } from './answers.ts'
import { as, type Asked, Pair, perhaps, settings } from './both.ts'
import { MAKERS, NO_LABELS, podOf, podSecurityLabels, rootOf } from './podsecurity-shapes.ts'
import { RBAC } from './rights-shapes.ts'

const NAMESPACES = '/api/v1/namespaces'
let count = 0

/** What is stored is not compared here. */
const verdict = (answer: Answer): Answer => (answer.status < 300 ? { ...answer, body: {} } : answer)

/** A name for the audit logs. */
const numbered = (asked: Asked, tag: string): Asked => ({
  ...asked,
  headers: { ...asked.headers, 'audit-id': `${tag}-${count++}` },
})

const STRATEGIC = 'application/strategic-merge-patch+json'

/** A change of the pod that is there, or a container that is put beside its own. */
function change({ draw }: Pair, pods: string): Asked {
  const { annotations, spec } = podOf(draw)
  const patch = (path: string, body: JsonObject): Asked => ({
    method: 'PATCH',
    path: `${path}?dryRun=All`,
    body,
    type: STRATEGIC,
  })
  if (draw.chance(0.5)) {
    const { containers } = spec as { containers: JsonObject[] }
    const unfit = {
      ports: null,
      livenessProbe: null,
      readinessProbe: null,
      startupProbe: null,
      lifecycle: null,
    }
    const ephemeralContainers = [{ ...containers[0], name: 'e', ...unfit }]
    return patch(`${pods}/there/ephemeralcontainers`, { spec: { ephemeralContainers } })
  }
  const image = { activeDeadlineSeconds: 5, containers: [{ name: 'c0', image: draw.of(['i', 'j']) }] }
  const labels = perhaps(draw, 0.5, () => ({ labels: { b: 'c' } }))
  return patch(`${pods}/there`, {
    metadata: { annotations, ...labels },
    spec: perhaps(draw, 0.6, () => image),
  })
}

function ask(pair: Pair, namespaces: readonly string[]): Asked {
  const { draw } = pair
  const namespace = draw.of(namespaces)
  const pods = `${NAMESPACES}/${namespace}/pods`
  const headers = draw.chance(0.04) ? as('exempt-user') : {}
  if (draw.chance(0.12)) return { ...change(pair, pods), headers }
  const { annotations, spec } = podOf(draw)
  const metadata: JsonObject = { labels: { app: 'a' }, annotations }
  if (draw.chance(0.5))
    return {
      method: 'POST',
      path: `${pods}?dryRun=All`,
      body: { metadata: { ...metadata, name: 'p' }, spec },
      headers,
    }
  const { apiVersion, kind, resource, wrap } = draw.of(MAKERS)
  const body = {
    apiVersion,
    kind,
    metadata: { name: 'x', labels: { app: 'a' } },
    ...wrap({ metadata, spec }),
  }
  return {
    method: 'POST',
    path: `${rootOf(apiVersion)}/namespaces/${namespace}/${resource}?dryRun=All`,
    body,
    headers,
  }
}

async function namespaceOf(pair: Pair, name: string, labels: JsonObject): Promise<void> {
  await pair.post(NAMESPACES, { metadata: { name } })
  await pair.post(`${NAMESPACES}/${name}/serviceaccounts`, { metadata: { name: 'default' } })
  const there = { metadata: { name: 'there' }, spec: { containers: [{ name: 'c0', image: 'i' }] } }
  await pair.post(`${NAMESPACES}/${name}/pods`, there)
  const body = { metadata: { labels: { ...NO_LABELS, ...labels } } }
  await pair.compare({ method: 'PATCH', path: `${NAMESPACES}/${name}`, body }, verdict)
}

/** Upstream goes by what its informer has heard of. */
const heard = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, HEARD_MS))
const HEARD_MS = 500

/** Labels over pods that are there already, some of them made by the same owner. */
async function changes(pair: Pair, name: string, steps: number, tag: string): Promise<void> {
  const { draw } = pair
  await pair.post(NAMESPACES, { metadata: { name } })
  await pair.post(`${NAMESPACES}/${name}/serviceaccounts`, { metadata: { name: 'default' } })
  for (let i = 0; i < 8; i++) {
    const { annotations, spec } = podOf(draw)
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'r',
      uid: '00000000-0000-4000-8000-000000000000',
      controller: true,
    }
    const metadata = {
      name: `p${i}`,
      annotations,
      ...perhaps(draw, 0.4, () => ({ ownerReferences: [owner] })),
    }
    await pair.post(`${NAMESPACES}/${name}/pods`, { metadata, spec })
  }
  for (let i = 0; i < steps; i++) {
    const dry = draw.chance(0.7) ? '?dryRun=All' : ''
    const body = { metadata: { labels: podSecurityLabels(draw) } }
    await pair.compare(numbered({ method: 'PATCH', path: `${NAMESPACES}/${name}${dry}`, body }, tag), verdict)
  }
}

interface Record {
  readonly auditID: string
  readonly annotations?: Readonly<{ [key: string]: string }>
}

/** What each server noted of the requests that were numbered. */
function annotations(file: string, tag: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.includes(`"auditID":"${tag}-`)) continue
    const { auditID, annotations: noted = {} } = JSON.parse(line) as Record
    found.set(auditID, JSON.stringify(Object.entries(noted).sort()))
  }
  return found
}

async function main(): Promise<void> {
  const asked = settings(10, 150)
  const pair = new Pair(asked)
  const tag = `ps${asked.seed}-${Date.now()}`
  for (const name of ['exempt-class', 'other-class'])
    await pair.post('/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name }, handler: 'h' })
  await pair.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'exempt-user' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'exempt-user' }],
  })
  await namespaceOf(pair, 'exempt-ns', podSecurityLabels(pair.draw))
  for (let i = 0; i < asked.rounds; i++) {
    const names = ['a', 'b', 'c', 'd'].map((name) => `${name}-ps${asked.seed}-${i}`)
    for (const name of names) await namespaceOf(pair, name, podSecurityLabels(pair.draw))
    await heard()
    for (let step = 0; step < asked.steps; step++)
      await pair.compare(numbered(ask(pair, [...names, ...names, 'exempt-ns']), tag), verdict)
    await changes(pair, `there-ps${asked.seed}-${i}`, asked.steps / 10, tag)
  }
  const [theirs, ours] = asked.parts
  if (theirs && ours) {
    const [left, right] = [annotations(theirs, tag), annotations(ours, tag)]
    for (const [id, noted] of left)
      if (right.get(id) !== noted) pair.tell(`audit of ${id}`, [`${noted} → ${right.get(id)}`])
    console.log(`${left.size} audit records`)
  }
  pair.end()
}

await main()
