// Differential test of admission webhooks: drawn configurations, those with faults as dry runs whose refusals are compared,
// sound ones whose webhooks then answer what is drawn (refusals, patches of what is theirs and what is not, garbage,
// redirects, certificates that are none) to random requests. Compared are the answers to the clients, what is stored then,
// and what the webhooks were asked.
//
//	node tools/run.js conformance/differential/webhooks.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (10)   --faults N of each round (30)   --requests N of each round (30)
//	   --verbose  whole configurations
//
// Both servers must reach 127.0.0.1 of this machine. Ends with `N requests, N differ`; exits 1 where some do.
import { parseArgs } from 'node:util'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { allow } from '../../test/webhooks/hookserver.ts'
import { type Answer, differences, mapOf } from './answers.ts'
import { type Draw, drawing } from './mutations.ts'
import { inOrder } from './owned.ts'
import { DRAWN, Servers } from './servers.ts'
import { drawAnswer } from './webhook-answers.ts'
import { breakConfiguration } from './webhook-faults.ts'
import { drawHooks, drawRequest, type HookKind, OBJECTS } from './webhook-shapes.ts'
import { Webhooks } from './webhook-server.ts'

const { values: options } = parseArgs({
  options: {
    ...DRAWN,
    rounds: { type: 'string', default: '10' },
    faults: { type: 'string', default: '30' },
    requests: { type: 'string', default: '30' },
  },
})

const SHOWN = 6
const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
const KINDS = ['Mutating', 'Validating'] as const
const pathOf = (kind: HookKind): string => `${ADMISSION}/${kind.toLowerCase()}webhookconfigurations`

class Run {
  readonly #servers: Servers
  readonly #hooks: Webhooks
  requests = 0
  differing = 0

  constructor(servers: Servers, hooks: Webhooks) {
    this.#servers = servers
    this.#hooks = hooks
  }

  async round(draw: Draw, id: string): Promise<void> {
    const labels = { hooked: id }
    await this.#servers.send('POST', '/api/v1/namespaces', { metadata: { name: id, labels } })
    await this.#servers.send('POST', `/api/v1/namespaces/${id}/serviceaccounts`, {
      metadata: { name: 'default' },
    })
    for (const { path, object } of OBJECTS(id)) await this.#servers.send('POST', path, object)
    const configurations = KINDS.map((kind) => ({ kind, object: this.#configuration(draw, kind, id) }))
    for (const { kind, object } of configurations) await this.#faults(draw, kind, object)
    for (const { kind, object } of configurations) {
      const answers = await this.#servers.send('POST', pathOf(kind), object)
      this.#compare(answers, `${kind} ${JSON.stringify(object)}`)
      if (answers.theirs.status !== 201) throw new Error(JSON.stringify(answers.theirs.body))
    }
    await this.#seen(id)
    for (let i = 0; i < Number(options.requests); i++) await this.#request(draw, id, configurations)
    for (const { kind } of configurations) await this.#servers.send('DELETE', `${pathOf(kind)}/${id}`)
  }

  #configuration(draw: Draw, kind: HookKind, id: string): JsonObject {
    return { metadata: { name: id }, webhooks: drawHooks(draw, kind, { id, hooks: this.#hooks }) }
  }

  async #faults(draw: Draw, kind: HookKind, sound: JsonObject): Promise<void> {
    for (let i = 0; i < Number(options.faults); i++) {
      const { broken, faults } = breakConfiguration(draw, sound)
      const answers = await this.#servers.send('POST', `${pathOf(kind)}?dryRun=All`, broken)
      this.#compare(answers, `${kind} ${faults.join(' & ')}`, broken)
    }
  }

  /** Both ask the last webhook of each kind about this object, and about no other. */
  async #seen(id: string): Promise<void> {
    const object = { metadata: { name: 'm', labels: { probe: 'yes' } }, data: { a: 'b' } }
    const paths = KINDS.map((kind) => `/${id}/${kind}/probe`)
    await this.#servers.untilSent('PUT', `/api/v1/namespaces/${id}/configmaps/m?dryRun=All`, object, () => {
      const asked = this.#hooks.take().map((one) => String(mapOf(one)['path']))
      return paths.every((path) => asked.some((one) => one.startsWith(path)))
    })
  }

  async #request(
    draw: Draw,
    id: string,
    configurations: readonly { kind: HookKind; object: JsonObject }[],
  ): Promise<void> {
    const { behaviours } = this.#hooks
    behaviours.clear()
    const done: string[] = []
    // Which of several validating webhooks refuses first is up to their speed: one of them at most is odd.
    const odd = draw.of(['a', 'b', 'c', 'probe', ''])
    for (const { kind, object } of configurations)
      for (const hook of object['webhooks'] as JsonObject[]) {
        const name = String(hook['name']).split('.')[0] as string
        const isOdd = kind === 'Mutating' ? draw.chance(0.4) : name === odd
        const [what, behave] = isOdd ? drawAnswer(draw, kind === 'Mutating') : (['allows', allow()] as const)
        behaviours.set(`/${id}/${kind}/${name}`, behave)
        if (what !== 'allows') done.push(`${kind}/${name} ${what}`)
      }
    const { method, path, body, type } = drawRequest(draw, id)
    this.#hooks.take()
    const theirs = await this.#servers.theirs.send(method, path, body, type)
    const asked = this.#hooks.take()
    const ours = await this.#servers.ours.send(method, path, body, type)
    const what = `${method} ${path} ${JSON.stringify(body ?? null).slice(0, 300)} [${done.join('; ')}]`
    this.#compare({ theirs, ours }, what, ...configurations.map(({ object }) => object))
    this.#compare(
      { theirs: reviewed(asked), ours: reviewed(this.#hooks.take()) },
      `asked of ${what}`,
      ...configurations.map(({ object }) => object),
    )
    const stored = path.replace(/\?.*/, '')
    if (method !== 'POST') this.#compare(await this.#servers.send('GET', stored), `stored by ${what}`)
  }

  #compare({ theirs, ours }: { theirs: Answer; ours: Answer }, what: string, ...about: JsonObject[]): void {
    this.requests += 1
    const found = differences(settled(theirs), settled(ours), true)
    if (found.length === 0) return
    this.differing += 1
    console.log(`${what} → ${theirs.status} ${ours.status}`)
    if (options.verbose) console.log(`    ${JSON.stringify(about)}`)
    for (const line of found.slice(0, SHOWN)) console.log(`    ${line}`)
  }
}

const reviewed = (asked: Json[]): Answer => ({ status: 200, body: asked, warnings: [] })

/** Sources of connections are drawn, and the order in which validating webhooks answered. */
const DRAWN_NAME = /g-[a-z0-9]{5}(?=")/g
const SOURCE = /127\.0\.0\.1:[0-9]+->/g

function settled(answer: Answer): Answer {
  const text = JSON.stringify(answer.body) ?? 'null'
  const body = JSON.parse(text.replaceAll(SOURCE, '').replaceAll(DRAWN_NAME, 'g-<name>')) as Json
  return inOrder({ ...answer, body }, answer.warnings.flatMap((line) => line.split(', 299 - ')).sort())
}

async function main(): Promise<void> {
  const hooks = await Webhooks.start()
  const servers = new Servers(options)
  const run = new Run(servers, hooks)
  const id = Date.now().toString(36)
  for (let i = 0; i < Number(options.rounds); i++)
    await run.round(drawing(Number(options.seed) * 1000 + i), `w${i}-${id}`)
  servers.close()
  hooks.stop()
  console.log(`${run.requests} requests, ${run.differing} differ`)
  process.exitCode = run.differing ? 1 : 0
}

await main()
