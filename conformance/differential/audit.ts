// Asks kube-apiserver and this server the same, each request under an audit id of its own, and compares what their audit
// logs tell of it: every stage, with what was sent and answered.
//
//	node tools/run.js conformance/differential/audit.ts -- --upstream URL --upstream-log FILE --ours URL --ours-log FILE [--token T]
//
// Both servers run with the policy that `--policy FILE` writes, write to these logs, and take the token (secret) as an
// administrator's. Ends with `N requests, N differ`; exits 1 where some do.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { isMap, Peer, type Question } from './answers.ts'
import { SERVERS } from './servers.ts'

const { values: options } = parseArgs({
  options: {
    ...SERVERS,
    'upstream-log': { type: 'string' },
    'ours-log': { type: 'string' },
    policy: { type: 'string' },
  },
})

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [
    { level: 'None', users: ['system:apiserver'] },
    { level: 'None', resources: [{ group: '', resources: ['limitranges'] }] },
    { level: 'Metadata', resources: [{ group: '', resources: ['secrets', 'serviceaccounts/token'] }] },
    { level: 'Request', resources: [{ group: 'apps' }], omitStages: ['RequestReceived'] },
    { level: 'RequestResponse', omitManagedFields: true, resources: [{ group: 'batch' }] },
    { level: 'RequestResponse' },
  ],
}
/** How long events may be on their way to a log, in ms, and how often it is looked at. */
const PATIENCE_MS = 20_000
const LOOK_MS = 200
const NAMESPACE = `audit-${Date.now().toString(36)}`
const NS = `/api/v1/namespaces/${NAMESPACE}`

const json = { accept: 'application/json', 'content-type': 'application/json' }
const send = (
  method: string,
  path: string,
  body?: JsonObject,
  headers: Record<string, string> = {},
): Question => ({
  method,
  path,
  headers: { ...json, ...headers },
  ...(body ? { body: JSON.stringify(body) } : {}),
})
const patch = (path: string, type: string, body: Json, query = ''): Question => ({
  method: 'PATCH',
  path: path + query,
  headers: { ...json, 'content-type': type },
  body: JSON.stringify(body),
})

const container = { name: 'c', image: 'x' }
const pod = (name: string): JsonObject => ({
  metadata: { name },
  spec: { serviceAccountName: 'sa', automountServiceAccountToken: false, containers: [container] },
})
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } }
const apps = `/apis/apps/v1/namespaces/${NAMESPACE}`

/** Every verb and level, what is refused on the way at each stage of the chain, what goes on, and what is no resource. */
const QUESTIONS: readonly Question[] = [
  send('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } }),
  send('POST', `${NS}/configmaps`, { metadata: { name: 'a' }, data: { a: '<&>\u2028' } }),
  send('POST', `${NS}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'g-' } }),
  send('POST', `${NS}/configmaps`, { metadata: { name: 'a' } }),
  send('POST', `${NS}/configmaps`, { metadata: { name: 'Not Valid' } }),
  send('POST', `${NS}/configmaps?dryRun=All&fieldManager=m`, { metadata: { name: 'dry' } }),
  { ...send('POST', `${NS}/configmaps`), body: '{"metadata":' },
  { ...send('POST', `${NS}/configmaps`, undefined, { 'content-type': 'text/plain' }), body: 'x' },
  send('GET', `${NS}/configmaps/a`),
  send('GET', `${NS}/configmaps/a?pretty=true`),
  send('GET', `${NS}/configmaps/none`),
  send('GET', `${NS}/configmaps/a`, undefined, { accept: 'image/png' }),
  send('GET', `${NS}/configmaps?limit=1`),
  send('GET', `${NS}/configmaps?fieldSelector=metadata.name%3Da`),
  send('GET', `${NS}/configmaps?watch=1&timeoutSeconds=1`),
  send('GET', `${NS}/configmaps?watch=1&resourceVersion=x`),
  send('HEAD', `${NS}/configmaps/a`),
  patch(`${NS}/configmaps/a`, 'application/merge-patch+json', { data: { b: 'c' } }),
  patch(`${NS}/configmaps/a`, 'application/json-patch+json', [{ op: 'add', path: '/data/d', value: 'e' }]),
  patch(`${NS}/configmaps/a`, 'application/json-patch+json', [{ op: 'test', path: '/data/d', value: 'f' }]),
  patch(
    `${NS}/configmaps/ssa`,
    'application/apply-patch+yaml',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ssa' }, data: { a: 'b' } },
    '?fieldManager=m',
  ),
  send('PUT', `${NS}/configmaps/a`, { metadata: { name: 'a' }, data: { z: 'z' } }),
  send('PUT', `${NS}/configmaps/a`, { metadata: { name: 'other' } }),
  send('DELETE', `${NS}/configmaps/a`, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 }),
  send('DELETE', `${NS}/configmaps/none`),
  send('DELETE', `${NS}/configmaps?labelSelector=a%3Db`),
  send('POST', `${NS}/secrets`, { metadata: { name: 's' }, stringData: { a: 'b' } }),
  send('GET', `${NS}/secrets`),
  send('GET', `${NS}/limitranges`),
  send('POST', `${NS}/serviceaccounts`, { metadata: { name: 'sa' } }),
  send('POST', `${NS}/serviceaccounts/sa/token`, { spec: { expirationSeconds: 600 } }),
  send('POST', `${NS}/pods`, pod('p')),
  send('POST', `${NS}/pods`, { metadata: { name: 'two' }, spec: { containers: [] } }),
  send('GET', `${NS}/pods/p`, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }),
  send('GET', `${NS}/pods/p/log`),
  send('POST', `${NS}/pods/p/exec?command=x`),
  send('POST', `${NS}/pods/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } }),
  send('POST', `${NS}/pods/p/eviction`, { metadata: { name: 'p' } }),
  patch(`${NS}/pods/p/status`, 'application/merge-patch+json', { status: { phase: 'Running' } }),
  send('POST', `${apps}/deployments`, {
    metadata: { name: 'd' },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  }),
  send('GET', `${apps}/deployments/d/scale`),
  patch(`${apps}/deployments/d/scale`, 'application/merge-patch+json', { spec: { replicas: 2 } }),
  send('DELETE', `${apps}/deployments/d`),
  send('POST', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, {
    metadata: { name: 'j' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  }),
  send('GET', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`),
  send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
  }),
  send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'x' } }),
  send('GET', `${NS}/pods`, undefined, { 'impersonate-user': 'bob' }),
  send('GET', `${NS}/pods`, undefined, { 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }),
  send('GET', `${NS}/pods`, undefined, {
    'impersonate-user': 'bob',
    'impersonate-uid': '7',
    'impersonate-extra-scopes': 'view',
  }),
  send('GET', `${NS}/pods`, undefined, { 'impersonate-group': 'g' }),
  send('GET', `${NS}/pods`, undefined, {
    'x-forwarded-for': '10.1.2.3, 10.2.3.4',
    'user-agent': 'u'.repeat(1100),
  }),
  send('GET', '/api/v1/componentstatuses'),
  send('GET', '/apis/none.example/v1/things'),
  send('GET', '/apis/apps/v1/nothing'),
  send('PUT', '/api/v1/pods'),
  send('GET', '/apis/apps/v1?timeout=nonsense'),
  send('GET', '/api'),
  send('GET', '/apis'),
  send('GET', '/version?a=b'),
  send('GET', '/nothing'),
  send('GET', '/healthz'),
  send('DELETE', `/api/v1/namespaces/${NAMESPACE}`),
]

type Event = Record<string, Json>

/** What a log tells of each request. */
function eventsOf(file: string): Map<string, Event[]> {
  const byId = new Map<string, Event[]>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.endsWith('}')) continue
    const event = JSON.parse(line) as Event
    const id = String(event['auditID'])
    byId.set(id, [...(byId.get(id) ?? []), event])
  }
  return byId
}

const DRAWN = new Set([
  ...['uid', 'resourceVersion', 'creationTimestamp', 'time', 'deletionTimestamp', 'sourceIPs', 'token'],
  ...['requestReceivedTimestamp', 'stageTimestamp', 'auditID', 'expirationTimestamp', 'startTime'],
  ...[
    'lastTransitionTime',
    'lastProbeTime',
    'description',
    'controller-uid',
    'batch.kubernetes.io/controller-uid',
    'continue',
  ],
  'authentication.kubernetes.io/issued-credential-id',
])

/** The same, without what is drawn or depends on the clock. */
function settled(value: Json, key = ''): Json {
  if (DRAWN.has(key)) return '*'
  if (Array.isArray(value)) return value.map((item) => settled(item))
  if (typeof value === 'string')
    return value.replace(/\bg-[a-z0-9]{5}\b/g, 'g-*').replace(/secret-[a-z0-9]+/g, '*')
  if (typeof value !== 'object' || value === null) return value
  // Only of requests that were slow.
  const lasting = Object.entries(value).filter(([name]) => !name.startsWith('apiserver.latency.k8s.io/'))
  const pairs = lasting.map(([name, inner]): [string, Json] => [name, settled(inner ?? null, name)])
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Paths at which two values differ. */
function* differing(theirs: Json | undefined, ours: Json | undefined, path = ''): Generator<string> {
  if (isMap(theirs) && isMap(ours)) {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)]))
      yield* differing(theirs[key], ours[key], `${path}.${key}`)
  } else if (Array.isArray(theirs) && Array.isArray(ours) && theirs.length === ours.length) {
    for (const [index, item] of theirs.entries()) yield* differing(item, ours[index], `${path}[${index}]`)
  } else if (JSON.stringify(theirs) !== JSON.stringify(ours))
    yield `${path}: ${cut(JSON.stringify(theirs))} | ${cut(JSON.stringify(ours))}`
}

const cut = (text = 'nothing'): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text)

async function ask(url: string, prefix: string): Promise<void> {
  const peer = new Peer(url, options.token)
  for (const [index, question] of QUESTIONS.entries())
    await peer.ask({ ...question, headers: { ...question.headers, 'audit-id': `${prefix}-${index}` } })
}

async function settledLog(file: string, last: string): Promise<Map<string, Event[]>> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const events = eventsOf(file)
    const ends = events.get(last)?.some(({ stage }) => stage === 'ResponseComplete')
    if (ends || Date.now() > until) return events
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

async function main(): Promise<void> {
  const { upstream, ours, policy, 'upstream-log': theirFile, 'ours-log': ourFile } = options
  if (policy) return writeFileSync(policy, JSON.stringify(POLICY))
  if (!upstream || !ours || !theirFile || !ourFile) throw new Error('both servers and both logs are needed')
  const prefix = `audit-${Date.now().toString(36)}`
  await ask(upstream, prefix)
  await ask(ours, prefix)
  const last = `${prefix}-${QUESTIONS.length - 1}`
  const [theirs, own] = [await settledLog(theirFile, last), await settledLog(ourFile, last)]
  let count = 0
  for (const [index, { method, path }] of QUESTIONS.entries()) {
    const id = `${prefix}-${index}`
    const of = (events: Map<string, Event[]>): JsonObject =>
      Object.fromEntries((events.get(id) ?? []).map((event) => [String(event['stage']), settled(event)]))
    const found = [...differing(of(theirs), of(own))]
    if (found.length === 0) continue
    count += 1
    console.log(`${method} ${path}\n${found.map((line) => `    ${line}`).join('\n')}`)
  }
  console.log(`${QUESTIONS.length} requests, ${count} differ`)
  if (count > 0) process.exitCode = 1
}

await main()
