// Memory of a whole control plane beside upstream's four programs: idle, with nodes, and with pods that were made by
// Deployments and given nodes. No node runs them on either side: what simulates nodes is not compared.
//
//	node tools/run.js bench/beside.ts -- [--nodes N] [--pods N] [--programs DIR]
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client, parallel } from './client.ts'
import { cluster, post, rest } from './clusters.ts'
import { DEPLOYMENTS, deployment, node } from './loads.ts'
import { endAllAtExit, type Program, residentMemory, start } from './processes.ts'
import { upstream } from './servers.ts'

const REPLICAS = 100
const CONCURRENCY = 16
const QUIET_MS = 10_000
const LOOK_AGAIN_MS = 1000
const PATIENCE_MS = 600_000
/** Upstream's managers ask no more than 20 to 50 times a second unless they are told otherwise. */
const UNHURRIED = ['--kube-api-qps=2000', '--kube-api-burst=2000']

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '5000' },
    pods: { type: 'string', default: '10000' },
    programs: { type: 'string', default: join(homedir(), '.cache/peers') },
  },
})

interface Running {
  readonly programs: readonly Program[]
  readonly client: Client
  stop(): Promise<void>
}

type Start = (folder: string) => Promise<Running>

const ours: Start = async (folder) => {
  const { program, client, stop } = await cluster(folder, [
    '--parts',
    'apiserver,controller-manager,scheduler',
  ])
  return { programs: [program], client, stop }
}

const theirs: Start = async (folder) => {
  const server = await upstream(options.programs).start(folder)
  const flags = [`--kubeconfig=${server.kubeconfig}`, '--leader-elect=false', '--secure-port=0', ...UNHURRIED]
  const program = (name: string): Program =>
    start([join(options.programs, name), ...flags], join(folder, `${name}.log`))
  const others = [program('kube-controller-manager'), program('kube-scheduler')]
  const client = new Client(server)
  return {
    programs: [...server.programs, ...others],
    client,
    async stop() {
      client.close()
      for (const one of others) await one.stop()
      await server.stop()
    },
  }
}

const mib = (programs: readonly Program[]): string =>
  programs.map(({ name, pid }) => `${name} ${residentMemory(pid).toFixed(0)}`).join(', ')

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it takes too long')
    await rest(LOOK_AGAIN_MS)
  }
}

/** How many pods of Deployments there are. */
async function made(client: Client): Promise<number> {
  const { body } = await client.call({ method: 'GET', path: DEPLOYMENTS, keep: true })
  const { items } = JSON.parse(body) as { items: { status: { replicas?: number } }[] }
  return items.reduce((sum, { status }) => sum + (status.replicas ?? 0), 0)
}

async function isAnyWaiting(client: Client): Promise<boolean> {
  const path = '/api/v1/namespaces/default/pods?limit=1&fieldSelector=spec.nodeName%3D'
  const { body } = await client.call({ method: 'GET', path, keep: true })
  return (JSON.parse(body) as { items: unknown[] }).items.length > 0
}

async function measure(name: string, begin: Start, work: string): Promise<void> {
  const { programs, client, stop } = await begin(join(work, name))
  const tell = (what: string): void => {
    const sum = programs.reduce((all, { pid }) => all + residentMemory(pid), 0)
    console.log([name.padEnd(10), what.padEnd(28), `${sum.toFixed(0)} MiB`, `(${mib(programs)})`].join('  '))
  }
  const [nodes, pods] = [Number(options.nodes), Number(options.pods)]
  try {
    await rest(QUIET_MS)
    tell('idle')
    await parallel(nodes, CONCURRENCY, (i) => post(client, '/api/v1/nodes', node(i)))
    await rest(QUIET_MS)
    tell(`${nodes} nodes`)
    const deployments = pods / REPLICAS
    await parallel(deployments, CONCURRENCY, (i) => post(client, DEPLOYMENTS, deployment(`d-${i}`, REPLICAS)))
    await until(async () => (await made(client)) === pods && !(await isAnyWaiting(client)))
    tell(`${pods} pods on ${nodes} nodes`)
    await rest(QUIET_MS)
    tell('the same, 10 s later')
  } finally {
    await stop()
  }
}

async function main(): Promise<void> {
  endAllAtExit()
  const work = mkdtempSync(join(tmpdir(), 'dinghy-beside-'))
  try {
    await measure('dinghy', ours, work)
    const missing = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].filter(
      (name) => !existsSync(join(options.programs, name)),
    )
    if (missing.length === 0) await measure('upstream', theirs, work)
    else console.log(`there is no ${missing.join(', no ')} in ${options.programs}: upstream is not measured`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

await main()
