// How a cluster in one process scales: thousands of simulated nodes, Deployments with ten thousand pods, the scheduler
// alone, and how soon a Deployment runs. Times on the clock and CPU time, as others may use the machine; memory. With
// `--workloads`, pods that ask for others' company, spread, or push others out (scheduling.ts).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, parallel } from './client.ts'
import { cluster, post, rest } from './clusters.ts'
import { DEPLOYMENTS, deployment } from './loads.ts'
import { Machine, machineText } from './machine.ts'
import { cpuTime, endAllAtExit, type Program, residentMemory } from './processes.ts'
import { schedulingWorkloads } from './scheduling.ts'

const LOOK_AGAIN_MS = 50
const PATIENCE_MS = 600_000
const IDLE_MS = 10_000

const args = process.argv.slice(2)
const number = (name: string, otherwise: number): number => {
  const at = args.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(args[at + 1])
}
const text = (name: string): string | undefined =>
  args.includes(`--${name}`) ? args[args.indexOf(`--${name}`) + 1] : undefined
const NODES = number('nodes', 5000)
const PODS = number('pods', 10_000)
const REPLICAS = 100

const row = (what: string, ...figures: string[]): void =>
  console.log([what.padEnd(52), ...figures].join('  '))
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

/** What a step took: on the clock, and of the processors. */
class Step {
  readonly #pid: number
  readonly #at = performance.now()
  readonly #cpu: number

  constructor({ pid }: Program) {
    this.#pid = pid
    this.#cpu = this.#used()
  }

  done(what: string): void {
    const [clock, cpu] = [performance.now() - this.#at, this.#used() - this.#cpu]
    row(what, seconds(clock), `${seconds(cpu)} of CPU`, `${residentMemory(this.#pid).toFixed(0)} MiB`)
  }

  #used(): number {
    const { main, others } = cpuTime(this.#pid)
    return main + others
  }
}

/** Looks again and again, but not so often that looking is a load. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const at = performance.now()
    if (await isSo()) return
    if (Date.now() > end) throw new Error('it takes too long')
    await rest(Math.max(LOOK_AGAIN_MS, 5 * (performance.now() - at)))
  }
}

async function readyReplicas(client: Client): Promise<number> {
  const { body } = await client.call({ method: 'GET', path: DEPLOYMENTS, keep: true })
  const { items } = JSON.parse(body) as { items: { status: { readyReplicas?: number } }[] }
  return items.reduce((sum, { status }) => sum + (status.readyReplicas ?? 0), 0)
}

/** From the answer to the create until all are ready, as a watch sees it. */
async function untilReady(client: Client, name: string, replicas: number): Promise<number> {
  let seen: () => void = () => undefined
  const ready = new Promise<void>((done) => (seen = done))
  await client.watch(`${DEPLOYMENTS}?watch=true&fieldSelector=metadata.name%3D${name}`, (text) => {
    if (text.includes(`"readyReplicas":${replicas},`)) seen()
  })
  await post(client, DEPLOYMENTS, deployment(name, replicas))
  const at = performance.now()
  await ready
  return performance.now() - at
}

async function latency(work: string): Promise<void> {
  const { program, client, stop } = await cluster(work, ['--nodes', '3'])
  try {
    await until(async () => (await nodes(client)) === 3)
    await untilReady(client, 'warm', 1)
    const one = []
    for (let i = 0; i < 5; i++) one.push(await untilReady(client, `one-${i}`, 1))
    row('Deployment of 1: created to ready, median of 5', `${one.sort((a, b) => a - b)[2]?.toFixed(0)} ms`)
    row('Deployment of 100: created to ready', `${(await untilReady(client, 'many', 100)).toFixed(0)} ms`)
    await rest(IDLE_MS)
    const step = cpuTime(program.pid)
    await rest(IDLE_MS)
    const used = cpuTime(program.pid)
    const percent = ((used.main + used.others - step.main - step.others) / IDLE_MS) * 100
    row(
      'idle, 3 nodes and 106 pods',
      `${percent.toFixed(2)} % of one CPU`,
      `${residentMemory(program.pid).toFixed(0)} MiB`,
    )
  } finally {
    await stop()
  }
}

async function nodes(client: Client): Promise<number> {
  const { body } = await client.call({ method: 'GET', path: '/api/v1/nodes?limit=1', keep: true })
  const { metadata, items } = JSON.parse(body) as {
    metadata: { remainingItemCount?: number }
    items: unknown[]
  }
  return items.length + (metadata.remainingItemCount ?? 0)
}

async function crowd(work: string): Promise<void> {
  const { program, client, stop } = await cluster(work, ['--nodes', '1'])
  try {
    await until(async () => (await nodes(client)) === 1)
    row('one node', `${residentMemory(program.pid).toFixed(0)} MiB`)
    const registered = new Step(program)
    const metadata = { name: 'simulate.dinghy.dev' }
    const data = { nodes: String(NODES) }
    await post(client, '/api/v1/namespaces/kube-system/configmaps', { metadata, data })
    await until(async () => (await nodes(client)) === NODES)
    registered.done(`${NODES} nodes registered`)
    await rest(IDLE_MS)
    const quiet = new Step(program)
    await rest(IDLE_MS)
    quiet.done(`${NODES} nodes and no pods, for 10 s`)
    const running = new Step(program)
    const count = PODS / REPLICAS
    await parallel(count, 8, (i) => post(client, DEPLOYMENTS, deployment(`d-${i}`, REPLICAS)))
    await until(async () => (await readyReplicas(client)) === PODS)
    running.done(`${PODS} pods of ${count} Deployments running`)
    await rest(IDLE_MS)
    const idle = new Step(program)
    await rest(IDLE_MS)
    idle.done(`${NODES} nodes and ${PODS} pods, for 10 s`)
  } finally {
    await stop()
  }
}

async function main(): Promise<void> {
  endAllAtExit()
  const work = mkdtempSync(join(tmpdir(), 'dinghy-scale-'))
  const machine = new Machine()
  try {
    console.log(machineText())
    await machine.look('scale')
    const isOn = (name: string): boolean => args.includes(`--${name}`) || !args.some((arg) => PARTS.has(arg))
    if (isOn('latency')) await latency(work)
    if (isOn('crowd')) await crowd(work)
    if (isOn('workloads')) await schedulingWorkloads(work, { nodes: NODES, only: text('only'), row })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const PARTS = new Set(['--latency', '--crowd', '--workloads'])

await main()
