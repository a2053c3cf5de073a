// Differential test of definitions and their objects: random schemas, most with a few faults, go to a kube-apiserver and to
// this server, as new definitions and as changes of one that is there; of those that are taken, random objects are made,
// changed, applied and written to status. Every answer is compared.
//
//	node tools/run.js conformance/differential/definitions.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (20)   --faults N broken definitions of each round (20)   --objects N of each round (25)
//	   --verbose  whole definitions
//
// Ends with `N requests, N differ`; exits 1 where some do.
import { parseArgs } from 'node:util'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { type Answer, differences, mapOf } from './answers.ts'
import { breakDefinition, drawDefinition, drawObject } from './definition-shapes.ts'
import { type Draw, drawing } from './mutations.ts'
import { APPLY, inOrder, MERGE } from './owned.ts'
import { type Answers, DRAWN, Servers } from './servers.ts'

const { values: options } = parseArgs({
  options: {
    ...DRAWN,
    rounds: { type: 'string', default: '20' },
    faults: { type: 'string', default: '20' },
    objects: { type: 'string', default: '25' },
  },
})

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const SHOWN = 10

class Run {
  readonly #servers: Servers
  requests = 0
  differing = 0

  constructor(servers: Servers) {
    this.#servers = servers
  }

  async round(draw: Draw, group: string): Promise<void> {
    const sound = drawDefinition(draw, group)
    for (let i = 0; i < Number(options.faults) / 2; i++) await this.#broken(draw, sound, 'POST', DEFINITIONS)
    const made = await this.#servers.send('POST', DEFINITIONS, sound)
    if (made.theirs.status !== 201 || made.ours.status !== 201) {
      this.#compare(made, 'sound', sound)
      return
    }
    const path = `${DEFINITIONS}/widgets.${group}`
    const versions = (mapOf(sound['spec'])['versions'] as Json[]).map(mapOf)
    for (const { name } of versions)
      await this.#servers.until(`/apis/${group}/${String(name)}/widgets`, ({ status }) => status === 200)
    for (let i = 0; i < Number(options.faults) / 2; i++) await this.#broken(draw, sound, 'PATCH', path)
    for (let i = 0; i < Number(options.objects); i++)
      await this.#object(draw, group, draw.of(versions), `o${i % 3}`)
    await this.#servers.send('DELETE', path)
  }

  async #broken(draw: Draw, sound: JsonObject, method: string, path: string): Promise<void> {
    const { definition, faults } = breakDefinition(draw, sound)
    const body = method === 'PATCH' ? { spec: definition['spec'] as Json } : definition
    const answers = await this.#servers.send(method, `${path}?dryRun=All`, body)
    this.#compare(answers, `${method} ${faults.join(' & ')}`, definition)
  }

  async #object(draw: Draw, group: string, version: JsonObject, name: string): Promise<void> {
    const schema = mapOf(mapOf(version['schema'])['openAPIV3Schema'])
    const body: JsonObject = {
      apiVersion: `${group}/${String(version['name'])}`,
      kind: 'Widget',
      metadata: { name },
      ...drawObject(draw, schema),
    }
    const all = `/apis/${group}/${String(version['name'])}/widgets`
    const part = draw.chance(0.15) ? '/status' : ''
    const force = `fieldManager=${draw.of(['one', 'two'])}${draw.chance(0.6) ? '&force=true' : ''}`
    const validation = draw.of(['', '', '&fieldValidation=Strict', '&fieldValidation=Ignore'])
    const [method, path, type] = draw.of([
      ['POST', `${all}?x=y${validation}`, undefined],
      ['PUT', `${all}/${name}${part}?x=y${validation}`, undefined],
      ['PATCH', `${all}/${name}${part}?x=y${validation}`, MERGE],
      ['PATCH', `${all}/${name}${part}?${force}${validation}`, APPLY],
    ] as const)
    const answers = await this.#servers.send(method, path, body, type)
    this.#compare(answers, `${type ?? method} ${path} ${JSON.stringify(body)}`, schema)
  }

  #compare({ theirs, ours }: Answers, what: string, schema: JsonObject): void {
    this.requests += 1
    const found = differences(settled(theirs), settled(ours), true)
    if (found.length === 0) return
    this.differing += 1
    console.log(`${what} → ${theirs.status} ${ours.status}`)
    if (options.verbose) console.log(`    ${JSON.stringify(schema)}`)
    for (const line of found.slice(0, SHOWN)) console.log(`    ${line}`)
  }
}

/** Upstream goes over the fields of a schema in the order of Go's maps: causes are a set, which the message repeats. */
function settled(answer: Answer): Answer {
  const body = JSON.parse(JSON.stringify(answer.body).replaceAll(OF_ONE_SERVER, '<drawn>')) as Json
  const causes = mapOf(mapOf(body)['details'])['causes']
  if (!Array.isArray(causes)) return inOrder({ ...answer, body }, answer.warnings)
  return inOrder({ ...answer, body: { ...mapOf(body), message: '' } })
}

/** Names of types, and versions inside of texts. */
const OF_ONE_SERVER = /selfType[0-9]+|(?<=resourceVersion.{3,5})[0-9]+/g

async function main(): Promise<void> {
  const { seed } = options
  const servers = new Servers(options)
  const run = new Run(servers)
  const id = Date.now().toString(36)
  for (let i = 0; i < Number(options.rounds); i++)
    await run.round(drawing(Number(seed) * 1000 + i), `d${i}.${id}.example.com`)
  servers.close()
  console.log(`${run.requests} requests, ${run.differing} differ`)
  process.exitCode = run.differing ? 1 : 0
}

await main()
