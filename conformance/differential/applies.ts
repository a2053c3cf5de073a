// Differential test of server-side apply: the same random writes by a few managers (applies, forced or not, updates,
// writes to status and scale, in more than one version) go to a kube-apiserver and to this server, one object at a time,
// and every answer is compared: codes, messages, objects, and who owns which field.
//
//	node tools/run.js conformance/differential/applies.ts -- --upstream URL --ours URL [--token T] [KIND...]
//	   --seed N   --rounds N of each kind (20)   --steps N of each round (25)
//	   --warnings  compare them, too   --verbose  what was sent
//
// Ends with `N requests, N differ`; exits 1 where some do.
import { parseArgs } from 'node:util'
import type { JsonObject } from '../../src/machinery/json.ts'
import { type Answer, differences, mapOf } from './answers.ts'
import { type Shape, shapes } from './apply-shapes.ts'
import { type Draw, drawing } from './mutations.ts'
import { APPLY, inOrder, MERGE } from './owned.ts'
import { type Answers, DRAWN, Servers } from './servers.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...DRAWN,
    rounds: { type: 'string', default: '20' },
    steps: { type: 'string', default: '25' },
    warnings: { type: 'boolean', default: false },
  },
})

const NAMESPACE = 'applies'
/** Half of the applies are by one of these; `kubectl` is the one whose annotation counts. */
const APPLIERS = ['one', 'two', 'three', 'kubectl']
const UPDATERS = ['upd', 'ctl', 'one']

interface Step {
  readonly method: string
  readonly path: string
  readonly body?: JsonObject
  readonly type?: string
}

const settled = (answer: Answer): Answer => inOrder(answer, options.warnings ? answer.warnings : [])

class Walk {
  readonly servers = new Servers(options)
  readonly #draw: Draw
  requests = 0
  differing = 0

  constructor(draw: Draw) {
    this.#draw = draw
  }

  send({ method, path, body, type }: Step): Promise<Answers> {
    return this.servers.send(method, path, body, type)
  }

  /** One object, from nothing to its deletion. Stops where the two went apart. */
  async round(shape: Shape, name: string): Promise<void> {
    const said: string[] = []
    for (let i = 0; i < Number(options.steps); i++) {
      const step = this.#step(shape, name)
      const { theirs, ours } = await this.send(step)
      this.requests += 1
      said.push(`${step.method} ${step.path} ${JSON.stringify(step.body)} → ${theirs.status}`)
      const found = differences(settled(theirs), settled(ours), true)
      if (found.length === 0) continue
      this.differing += 1
      console.log(`${shape.path}, step ${i}: ${said.at(-1)}`)
      if (options.verbose) for (const line of said) console.log(`      ${line}`)
      for (const line of found) console.log(`    ${line}`)
      break
    }
    await this.send({ method: 'DELETE', path: `${placeOf(shape, name)}?gracePeriodSeconds=0` })
  }

  #step(shape: Shape, name: string): Step {
    const draw = this.#draw
    const version = draw.of(shape.versions)
    const place = placeOf(shape, name, version.apiVersion)
    const whole = (spec: JsonObject): JsonObject => ({
      apiVersion: version.apiVersion,
      kind: shape.kind,
      ...spec,
    })
    const named = (spec: JsonObject): JsonObject =>
      whole({ ...spec, metadata: { ...mapOf(spec['metadata']), name } })
    const by = (names: readonly string[]): string => `fieldManager=${draw.of(names)}`
    const dry = draw.chance(0.08) ? '&dryRun=All' : ''
    if (draw.chance(0.68)) {
      const force = draw.chance(0.4) ? '&force=true' : ''
      const path = `${place}?${by(APPLIERS)}${force}${dry}`
      return { method: 'PATCH', path, body: named(version.object(draw)), type: APPLY }
    }
    const part = version.parts && draw.chance(0.4) ? draw.of(version.parts) : undefined
    if (part) {
      const body = part.object(draw, name)
      const applies = draw.chance(0.5)
      const force = applies && draw.chance(0.5) ? '&force=true' : ''
      const path = `${place}/${part.name}?${by(applies ? APPLIERS : UPDATERS)}${force}${dry}`
      return { method: 'PATCH', path, body, type: applies ? APPLY : MERGE }
    }
    if (draw.chance(0.06))
      return { method: 'PATCH', path: place, body: { metadata: { managedFields: [{}] } }, type: MERGE }
    return {
      method: 'PATCH',
      path: `${place}?${by(UPDATERS)}${dry}`,
      body: version.object(draw),
      type: MERGE,
    }
  }
}

function placeOf(shape: Shape, name: string, apiVersion = shape.versions[0]?.apiVersion ?? 'v1'): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return `${root}/namespaces/${NAMESPACE}/${shape.path}/${name}`
}

async function main(): Promise<void> {
  const seed = Number(options.seed)
  const walk = new Walk(drawing(seed))
  const object = (kind: string, metadata: JsonObject): JsonObject => ({ apiVersion: 'v1', kind, metadata })
  await walk.send({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: object('Namespace', { name: NAMESPACE }),
  })
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`
  await walk.send({ method: 'POST', path: accounts, body: object('ServiceAccount', { name: 'default' }) })
  for (const shape of shapes) {
    if (positionals.length && !positionals.includes(shape.path)) continue
    for (let i = 0; i < Number(options.rounds); i++) await walk.round(shape, `r${seed}-${i}`)
  }
  walk.servers.close()
  console.log(`${walk.requests} requests, ${walk.differing} differ`)
  process.exitCode = walk.differing ? 1 : 0
}

await main()
