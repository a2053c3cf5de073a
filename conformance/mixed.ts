// Clusters put together of upstream's programs and ours: upstream's kube-controller-manager and kube-scheduler on our API
// server, and our controllers and scheduler on upstream's. Both do the same work (mixed-workload.ts), on the same
// simulated nodes; then what is left is compared, without what differs by its nature (mixed-objects.ts).
//
//	make mixed ARGS="--rounds 2"
//	   --cluster API+CONTROLLERS   which ones, among ours+upstream, upstream+ours (both without the flag), ours+ours and
//	                               upstream+upstream; repeated for several, each compared with the first
//	   --rounds N   of the work (1)   --keep DIR   logs and final objects go there   --programs DIR   (~/.cache/peers)
//
// Prints each difference, of objects and of what was told of them (mixed-events.ts). The last line is `N objects, N differ; N
// events, N differ`; without the programs nothing is run, and that is said.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { endAllAtExit, type Program, start } from '../bench/processes.ts'
import { dinghy, type Server, upstream } from '../bench/servers.ts'
import { packageRoot } from '../src/schema/facts.ts'
import { compareEvents, toldEvents } from './mixed-events.ts'
import { compareObjects, finalObjects, type Normal } from './mixed-objects.ts'
import { Kubectl } from './mixed-kubectl.ts'
import { work } from './mixed-workload.ts'

const ROOT = packageRoot()
const PROGRAMS = ['kubectl', 'etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']

const { values: options } = parseArgs({
  options: {
    cluster: { type: 'string', multiple: true, default: ['ours+upstream', 'upstream+ours'] },
    rounds: { type: 'string', default: '1' },
    keep: { type: 'string' },
    programs: { type: 'string', default: join(homedir(), '.cache/peers') },
  },
})

async function main(): Promise<number> {
  const missing = PROGRAMS.filter((name) => !existsSync(join(options.programs, name)))
  if (missing.length > 0) {
    console.log(`there is no ${missing.join(', no ')} in ${options.programs}: nothing is run`)
    return 0
  }
  endAllAtExit()
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'dinghy-mixed-'))
  try {
    const results: [string, Outcome][] = []
    for (const name of options.cluster) results.push([name, await run(name, join(folder, name))])
    return report(results)
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

interface Outcome {
  readonly objects: Normal
  readonly events: readonly string[]
}

/** The work's outcome on one cluster, which lives as long as this takes. */
async function run(name: string, folder: string): Promise<Outcome> {
  const [api, controllers] = name.split('+')
  mkdirSync(folder, { recursive: true })
  const began = performance.now()
  const server = await (api === 'ours' ? dinghy(ROOT) : upstream(options.programs)).start(join(folder, 'api'))
  const others = controllers === 'ours' ? ours(server, folder) : theirs(server, folder)
  const parts = [...others, nodes(server, folder)]
  try {
    const kubectl = new Kubectl(join(options.programs, 'kubectl'), server.kubeconfig)
    const ended = Promise.race([...parts, ...server.programs].map((part) => part.ended))
    await Promise.race([ended, work(kubectl, Number(options.rounds))])
    const objects = await finalObjects(kubectl)
    const events = await toldEvents(kubectl)
    if (options.keep !== undefined) {
      writeFileSync(join(folder, 'objects.json'), JSON.stringify(Object.fromEntries(objects), null, 1))
      writeFileSync(join(folder, 'events.txt'), events.join('\n'))
    }
    console.log(`${name}: ${objects.size} objects after ${((performance.now() - began) / 1000).toFixed(0)} s`)
    return { objects, events }
  } finally {
    for (const part of parts) await part.stop()
    await server.stop()
  }
}

const CONTROLLER_FLAGS = ['--leader-elect=false', '--use-service-account-credentials=true']

function ours(server: Server, folder: string): Program[] {
  const at = `--kubeconfig=${server.kubeconfig}`
  const own = join(ROOT, 'bin/dinghy')
  const manager = [own, 'controller-manager', at, '--secure-port=0', ...CONTROLLER_FLAGS, ...keys(folder)]
  const scheduler = [own, 'scheduler', at, '--secure-port=0', '--leader-elect=false']
  return [start(manager, join(folder, 'controllers.log')), start(scheduler, join(folder, 'scheduler.log'))]
}

function theirs(server: Server, folder: string): Program[] {
  const at = `--kubeconfig=${server.kubeconfig}`
  const program = (name: string): string => join(options.programs, name)
  const manager = [program('kube-controller-manager'), at, '--secure-port=0', ...CONTROLLER_FLAGS]
  const scheduler = [program('kube-scheduler'), at, '--secure-port=0', '--leader-elect=false']
  return [
    start([...manager, ...keys(folder)], join(folder, 'controllers.log')),
    start(scheduler, join(folder, 'scheduler.log')),
  ]
}

/** What the API server made at its start: the key of its tokens, and the certificate that pods check it with. */
function keys(folder: string): string[] {
  const found = (...names: string[]): string =>
    names.map((name) => join(folder, 'api', name)).find((name) => existsSync(name)) ?? ''
  return [
    `--service-account-private-key-file=${found('pki/sa.key', 'sa.key')}`,
    `--root-ca-file=${found('pki/ca.crt', 'certs/apiserver.crt')}`,
  ]
}

const nodes = (server: Server, folder: string): Program =>
  start(
    [join(ROOT, 'bin/dinghy'), 'kubelet', `--kubeconfig=${server.kubeconfig}`, '--nodes=3'].concat(
      '--hostname-override=node',
    ),
    join(folder, 'nodes.log'),
  )

/** What each cluster came to beside the first. */
function report(results: readonly (readonly [string, Outcome])[]): number {
  const [first, ...others] = results
  if (!first) return 0
  let [objects, events] = [0, 0]
  for (const [name, outcome] of others) {
    const found = compareObjects(first[1].objects, outcome.objects)
    for (const [object, lines] of found) {
      console.log(`${object}: - ${first[0]}, + ${name}`)
      for (const line of lines) console.log(`  ${line}`)
    }
    const told = compareEvents(first[1].events, outcome.events)
    if (told.length > 0) console.log([`events: - ${first[0]}, + ${name}`, ...told].join('\n  '))
    objects += found.size
    events += told.length
  }
  const counts = `${first[1].objects.size} objects, ${objects} differ`
  console.log(`${counts}; ${first[1].events.length} events, ${events} differ`)
  return objects + events > 0 ? 1 : 0
}

process.exitCode = await main()
