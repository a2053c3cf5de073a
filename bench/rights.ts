// What it costs a create that somebody asks who may do this: with 5,000 bindings and all plugins of admission that are on
// by default, beside a server with none of either.
import { Client, parallel } from './client.ts'
import { account } from './flood.ts'
import type { Findings } from './measures.ts'
import { type Size, Workload } from './phases.ts'
import { cpuTime } from './processes.ts'
import type { Round } from './rounds.ts'
import { type Contender, type Server, withServer } from './servers.ts'

const BINDINGS = 5_000
const CONCURRENCY = 32
/** It may list and create pods, on a server that runs no controllers, too. */
const ROLE = 'system:controller:replicaset-controller'
/** The first to warm up in, the second to measure in. */
const NAMESPACES = ['rights-a', 'rights-b']
const RBAC = 'rbac.authorization.k8s.io'

/** CPU in ms of a pod's create by a service account, and how many percent of it are rights and admission. */
export async function rights(round: Round): Promise<Findings> {
  const { contender, machine, options } = round
  await machine.look(`${contender.name}: rights`)
  const bare = contender.without?.()
  const found: Findings = { create_plain: await creates(round, contender, 0) }
  if (bare) found['create_bare'] = await creates(round, bare, 0)
  found['create_bound'] = await creates(round, contender, BINDINGS)
  const before = found['create_bare'] ?? found['create_plain']
  found['create_more'] = ((found['create_bound'] ?? 0) / (before ?? 1) - 1) * 100
  console.error(`${options.pods} creates each`)
  return found
}

function creates(round: Round, contender: Contender, bindings: number): Promise<number> {
  return withServer(contender, round.work, async (server) => {
    const admin = new Client(server)
    const token = await account(admin, 'worker', ROLE)
    for (const namespace of NAMESPACES) {
      const workload = new Workload(server, round.options, namespace)
      await workload.prepare()
      workload.close()
    }
    await parallel(bindings, CONCURRENCY, (i) => bind(admin, i))
    const cost = await cpuOfCreates({ ...server, credentials: { token } }, round.options)
    admin.close()
    return cost
  })
}

/** Half of them for all namespaces, half for those that are written to; each for somebody else. */
function bind(admin: Client, i: number): Promise<unknown> {
  const place = i % 2 ? 'clusterrolebindings' : `namespaces/${NAMESPACES[(i >> 1) % 2]}/rolebindings`
  const body = JSON.stringify({
    metadata: { name: `bench-${i}` },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'view' },
    subjects: [
      { apiGroup: RBAC, kind: 'User', name: `user-${i}` },
      { apiGroup: RBAC, kind: 'Group', name: `group-${i % 100}` },
    ],
  })
  return admin.call({ method: 'POST', path: `/apis/${RBAC}/v1/${place}`, body })
}

/** In ms for each, when the code is warm. */
async function cpuOfCreates(server: Server, size: Size): Promise<number> {
  const used = (): number =>
    server.programs.map(({ pid }) => cpuTime(pid)).reduce((sum, { main, others }) => sum + main + others, 0)
  await untilAllowed(server)
  let cost = 0
  for (const namespace of NAMESPACES) {
    const workload = new Workload(server, size, namespace)
    const before = used()
    const { operations } = await workload.run('create')
    cost = (used() - before) / operations
    workload.close()
  }
  return cost
}

/** On kube-apiserver bindings take effect a moment after they are written. */
async function untilAllowed(server: Server): Promise<void> {
  const client = new Client(server)
  const isAllowed = (): Promise<boolean> =>
    client.call({ method: 'GET', path: '/api/v1/namespaces/default/pods' }).then(
      () => true,
      () => false,
    )
  while (!(await isAllowed())) await new Promise((resolve) => setTimeout(resolve, 50))
  client.close()
}
