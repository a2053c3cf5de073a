// Who may do what by the policy that a cluster starts with: every bootstrap role, and everybody who is bound to one, is
// asked about with every verb and every resource, of a kube-apiserver and of this server, by SubjectAccessReview.
//
//	node tools/run.js conformance/differential/roles.ts -- --upstream URL --ours URL [--token T] [--sample N] [ROLE...]
//	   --sample N  ask about every Nth pair of verb and resource only
//
// Both servers must be new. Ends with `N questions, N differ`; exits 1 where some do.
import { parseArgs } from 'node:util'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { aggregate, bootstrapped, metadataOf } from './aggregated.ts'
import { Peer } from './answers.ts'
import { RBAC } from './rights-shapes.ts'
import { named, SERVERS } from './servers.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...SERVERS,
    sample: { type: 'string', default: '1' },
  },
})

const SAR = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
const NAMESPACES = ['kube-system', 'kube-public']
const VERBS = [
  ...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
  ...['bind', 'escalate', 'impersonate', 'approve', 'sign', 'use', 'attest'],
]
const PATHS = [
  '/healthz',
  '/livez/ping',
  '/readyz',
  '/version',
  '/metrics',
  '/api',
  '/apis/apps',
  '/openapi/v3',
  '/logs',
]
/** Asked of each server at once. */
const PARALLEL = 8

interface Identity {
  readonly title: string
  readonly user?: string
  readonly groups?: readonly string[]
  readonly namespace: string
}

/** A user for every role, bound to it on this server, and all whom the policy binds. */
async function identities(peer: Peer, names: readonly string[]): Promise<Identity[]> {
  const wanted = (name: string): boolean => names.length === 0 || names.includes(name)
  const found = new Map<string, Identity>()
  const bind = async (role: JsonObject, kind: 'Role' | 'ClusterRole'): Promise<void> => {
    const { name, namespace = '' } = metadataOf(role)
    if (!wanted(name)) return
    const user = `role:${namespace}/${name}`
    const place =
      kind === 'Role' ? `${RBAC}/namespaces/${namespace}/rolebindings` : `${RBAC}/clusterrolebindings`
    await peer.send('POST', place, {
      metadata: { name: `ask:${name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    })
    found.set(user, { title: user, user, namespace: namespace || 'default' })
  }
  for (const role of await bootstrapped(peer, `${RBAC}/clusterroles`)) await bind(role, 'ClusterRole')
  for (const namespace of NAMESPACES) {
    for (const role of await bootstrapped(peer, `${RBAC}/namespaces/${namespace}/roles`))
      await bind(role, 'Role')
  }
  const places = ['clusterrolebindings', ...NAMESPACES.map((one) => `namespaces/${one}/rolebindings`)]
  for (const place of places) {
    for (const binding of await bootstrapped(peer, `${RBAC}/${place}`)) {
      if (!wanted((binding['roleRef'] as { name: string }).name)) continue
      for (const one of subjects(binding)) found.set(one.title, one)
    }
  }
  return [...found.values()]
}

function subjects(binding: JsonObject): Identity[] {
  const namespace = metadataOf(binding).namespace ?? 'default'
  const listed = (binding['subjects'] ?? []) as { kind: string; name: string; namespace?: string }[]
  return listed.map((subject) => {
    const { kind, name } = subject
    const title = `${kind} ${name} in ${namespace}`
    if (kind === 'Group') return { title, groups: [name], namespace }
    const user = kind === 'User' ? name : `system:serviceaccount:${subject.namespace}:${name}`
    return { title, user, namespace }
  })
}

/** Of everything that upstream serves. */
async function resources(peer: Peer): Promise<JsonObject[]> {
  const paths = ['/api/v1']
  for (const { preferredVersion } of groupsOf((await peer.send('GET', '/apis')).body)) {
    paths.push(`/apis/${preferredVersion.groupVersion}`)
  }
  const found: JsonObject[] = []
  for (const path of paths) {
    const { body } = await peer.send('GET', path)
    const group = path === '/api/v1' ? '' : (path.split('/')[2] as string)
    for (const { name } of (body as unknown as { resources: { name: string }[] }).resources) {
      const [resource = '', subresource] = name.split('/')
      found.push({ group, resource, ...(subresource ? { subresource } : {}) })
    }
  }
  return found
}

const groupsOf = (body: Json): { preferredVersion: { groupVersion: string } }[] =>
  (body as unknown as { groups: { preferredVersion: { groupVersion: string } }[] }).groups

/** The spec of each question about one identity, less who it is. */
function questions(known: readonly JsonObject[], namespace: string): JsonObject[] {
  const sample = Number(options.sample)
  const pairs = known.flatMap((resource) =>
    VERBS.map((verb) => ({ resourceAttributes: { ...resource, verb } })),
  )
  const paths = PATHS.map((path) => ({ nonResourceAttributes: { path, verb: 'get' } }))
  const asked = [...pairs.filter((_, i) => i % sample === 0), ...paths]
  // In one namespace, and in all of them.
  return asked.flatMap<JsonObject>((one) =>
    'resourceAttributes' in one
      ? [{ resourceAttributes: { ...one.resourceAttributes, namespace } }, { ...one }]
      : [one],
  )
}

async function allowed(peer: Peer, spec: JsonObject): Promise<boolean> {
  const { status, body } = await peer.send('POST', SAR, { spec })
  if (status !== 201) throw new Error(`a review was answered with ${status}: ${JSON.stringify(body)}`)
  return (body as { status: { allowed: boolean } }).status.allowed
}

async function main(): Promise<void> {
  const { token } = options
  const { upstream, ours } = named(options)
  const [theirs, own] = [new Peer(upstream, token), new Peer(ours, token)]
  await aggregate(theirs)
  const asked = await identities(theirs, positionals)
  const answered = new Set((await identities(own, positionals)).map(({ title }) => title))
  const known = await resources(theirs)
  let total = 0
  let differing = 0
  for (const { title, namespace, ...who } of asked) {
    if (!answered.delete(title)) console.log(`${title}: not bound here`)
    const queue = questions(known, namespace).map((spec) => ({ ...who, ...spec }) as JsonObject)
    total += queue.length
    const work = async (): Promise<void> => {
      for (let spec = queue.pop(); spec; spec = queue.pop()) {
        const [there, here] = await Promise.all([allowed(theirs, spec), allowed(own, spec)])
        if (there === here) continue
        differing++
        console.log(`${title}: ${JSON.stringify(spec)}: upstream ${there}, here ${here}`)
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, work))
  }
  for (const title of answered) console.log(`${title}: bound here only`)
  console.log(`${asked.length} users, ${total} questions, ${differing} differ`)
  process.exit(differing + answered.size > 0 ? 1 : 0)
}

await main()
