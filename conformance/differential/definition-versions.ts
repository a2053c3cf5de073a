// Differential test of who owns which field while a definition changes: versions come and go, fields, defaults and kinds
// of lists with them, and managers apply and update in any version. The same goes to a kube-apiserver and to this server.
//
//	node tools/run.js conformance/differential/definition-versions.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (10)   --steps N of each round (40)   --verbose  what led there
//
// Ends with `N requests, N differ`; exits 1 where some do.
import { parseArgs } from 'node:util'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { differences } from './answers.ts'
import { type Draw, drawing } from './mutations.ts'
import { APPLY, inOrder, MERGE } from './owned.ts'
import { DRAWN, Servers } from './servers.ts'

const { values: options } = parseArgs({
  options: {
    ...DRAWN,
    rounds: { type: 'string', default: '10' },
    steps: { type: 'string', default: '40' },
  },
})

const VERSIONS = ['v1', 'v1beta1', 'v1alpha1']
const MANAGERS = ['one', 'two']
const text = { type: 'string' }

/** The forms that a field of the schema may have, beside none. */
const FORMS: Readonly<Record<string, readonly JsonObject[]>> = {
  a: [text, text, { type: 'integer' }],
  b: [{ type: 'string', default: 'deflt' }, text],
  any: [{ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }],
  map: [
    { type: 'object', additionalProperties: text },
    { type: 'object', additionalProperties: text, 'x-kubernetes-map-type': 'atomic' },
  ],
  part: [
    { type: 'object', properties: { x: text, y: text } },
    { type: 'object', properties: { x: text, y: { type: 'string', default: 'q' } } },
    { type: 'object', properties: { x: text, y: text }, 'x-kubernetes-map-type': 'atomic' },
  ],
  set: [
    { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    { type: 'array', items: text },
  ],
  list: [
    listOf({ name: text, v: text }, 'name'),
    listOf({ name: text, v: text }),
    listOf({ name: text, v: text, w: { type: 'string', default: 'z' } }, 'name'),
  ],
}

function listOf(properties: JsonObject, key?: string): JsonObject {
  const items = { type: 'object', properties, ...(key === undefined ? {} : { required: [key] }) }
  const byKey = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key ?? ''] }
  return { type: 'array', items, ...(key === undefined ? {} : byKey) }
}

/** What a field may hold. */
const VALUES: Readonly<Record<string, readonly Json[]>> = {
  a: ['s', 't'],
  b: ['u'],
  any: [{ k: 1 }, { k: { l: ['m'] } }],
  map: [{ k: '1' }, { k: '2', l: '1' }],
  part: [{ x: '1' }, { x: '2', y: '2' }],
  set: [['i'], ['i', 'j'], ['j']],
  list: [[{ name: 'i', v: '1' }], [{ name: 'i' }, { name: 'j', v: '2' }]],
}

const STABLE = 0.75

class Round {
  readonly #servers: Servers
  readonly #draw: Draw
  readonly #group: string
  readonly #schemas = new Map<string, JsonObject>()
  #served: string[] = []
  #change = 0
  readonly said: string[] = []
  requests = 0

  constructor(servers: Servers, draw: Draw, group: string) {
    this.#servers = servers
    this.#draw = draw
    this.#group = group
  }

  get #definitions(): string {
    return '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  }

  /** v1 is stored, and always there; others come and go. */
  #definition(): JsonObject {
    const draw = this.#draw
    const there = VERSIONS.filter((name) => name === 'v1' || draw.chance(STABLE))
    this.#served = there.filter((name) => name === 'v1' || draw.chance(STABLE))
    this.#change += 1
    const versions = there.map((name) => ({
      name,
      served: this.#served.includes(name),
      storage: name === 'v1',
      schema: { openAPIV3Schema: this.#schema(name) },
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: `C${this.#change}`, type: 'string', jsonPath: '.spec.a' }],
    }))
    const names = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${this.#group}` },
      spec: { group: this.#group, scope: 'Cluster', names, versions },
    }
  }

  #schema(version: string): JsonObject {
    const known = this.#schemas.get(version)
    if (known && this.#draw.chance(STABLE)) return known
    const properties: JsonObject = {}
    for (const [name, forms] of Object.entries(FORMS))
      if (this.#draw.chance(STABLE)) properties[name] = this.#draw.of(forms)
    const status = { type: 'object', properties: { phase: text } }
    const spec = { type: 'object', properties }
    const schema = { type: 'object', properties: { spec, status } }
    this.#schemas.set(version, schema)
    return schema
  }

  async begin(): Promise<void> {
    await this.#servers.send('POST', this.#definitions, this.#definition())
    await this.#seen()
  }

  async #seen(): Promise<void> {
    for (const version of this.#served)
      await this.#servers.untilColumn(`/apis/${this.#group}/${version}/widgets`, `C${this.#change}`)
  }

  async #redefine(): Promise<void> {
    const definition = this.#definition()
    const path = `${this.#definitions}/widgets.${this.#group}`
    this.said.push(`CRD ${JSON.stringify((definition['spec'] as JsonObject)['versions'])}`)
    const patch = { spec: definition['spec'] as JsonObject }
    const { theirs, ours } = await this.#servers.send('PATCH', path, patch, MERGE)
    if (theirs.status !== 200 || ours.status !== 200)
      throw new Error(`definition: ${theirs.status} ${ours.status} ${JSON.stringify(ours.body)}`)
    await this.#seen()
  }

  /** False where the two went apart. */
  async step(): Promise<boolean> {
    const draw = this.#draw
    if (draw.chance(0.15)) await this.#redefine()
    const version = draw.of(this.#served)
    const collection = `/apis/${this.#group}/${version}/widgets`
    const by = `fieldManager=${draw.of(MANAGERS)}${draw.chance(0.5) ? '&force=true' : ''}`
    const object = { apiVersion: `${this.#group}/${version}`, kind: 'Widget', metadata: { name: 'w' } }
    const update = draw.chance(0.35)
    const inStatus = draw.chance(0.2)
    const body = inStatus
      ? { ...object, status: { phase: draw.of(['x', 'y']) } }
      : { ...object, spec: this.#spec(version) }
    const name = `${collection}/w${inStatus ? '/status' : ''}?${update ? by.split('&')[0] : by}`
    this.said.push(`${update ? MERGE : APPLY} ${name} ${JSON.stringify(body)}`)
    const { theirs, ours } = await this.#servers.send('PATCH', name, body, update ? MERGE : APPLY)
    this.requests += 1
    this.said.push(`   → ${theirs.status} ${ours.status}`)
    const found = differences(inOrder(theirs), inOrder(ours), true)
    if (found.length === 0) return true
    for (const line of options.verbose ? this.said : this.said.slice(-2)) console.log(line)
    for (const line of found.slice(0, 12)) console.log(`    ${line}`)
    return false
  }

  /** Fields of the version's schema, and now and then one that it does not have. */
  #spec(version: string): JsonObject {
    const known = this.#schemas.get(version) as { properties: { spec: { properties: JsonObject } } }
    const spec: JsonObject = {}
    for (const [name, values] of Object.entries(VALUES)) {
      const share = name in known.properties.spec.properties ? 0.4 : 0.02
      if (this.#draw.chance(share)) spec[name] = this.#draw.of(values)
    }
    return spec
  }

  async end(): Promise<void> {
    await this.#servers.send('DELETE', `${this.#definitions}/widgets.${this.#group}`)
  }
}

async function main(): Promise<void> {
  const { seed } = options
  const servers = new Servers(options)
  const run = Date.now().toString(36)
  let requests = 0
  let differing = 0
  for (let i = 0; i < Number(options.rounds); i++) {
    const round = new Round(servers, drawing(Number(seed) * 1000 + i), `r${i}.${run}.example.com`)
    await round.begin()
    for (let step = 0; step < Number(options.steps); step++) {
      if (await round.step()) continue
      differing += 1
      break
    }
    requests += round.requests
    await round.end()
  }
  servers.close()
  console.log(`${requests} requests, ${differing} differ`)
  process.exitCode = differing ? 1 : 0
}

await main()
