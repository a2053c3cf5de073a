// Differential test of the request machinery: the same random requests (every verb, with right, odd and broken paths,
// queries, headers and bodies) go to a kube-apiserver and to this server, one after another, and every answer is compared.
//
//	node tools/run.js conformance/differential/requests.ts -- --upstream URL --ours URL [--token T]
//	   --seed N   --rounds N (20)   --steps N of each round (60)   --verbose  the whole round that led there
//
// Both servers take the token (secret) as an administrator's, and run no controllers. Ends with `N requests, N differ`;
// exits 1 where some do.
import { parseArgs } from 'node:util'
import { parse as parseYaml } from 'yaml'
import type { Json, JsonObject } from '../../src/machinery/json.ts'
import { type Answer, differences, isMap, mapOf, Peer } from './answers.ts'
import { type Draw, drawing } from './mutations.ts'
import { type DrawnRequest, drawRequest, leftovers } from './request-shapes.ts'
import { DEFINITION, NAMESPACE } from './request-words.ts'
import { DRAWN, named } from './servers.ts'

const { values: options } = parseArgs({
  options: {
    ...DRAWN,
    rounds: { type: 'string', default: '20' },
    steps: { type: 'string', default: '60' },
  },
})

const HEADERS = ['content-type', 'allow', 'retry-after', 'location', 'cache-control', 'warning', 'vary']

/** One server, and what requests refer to as it says it: versions, identities, the next page. */
class Side {
  readonly #peer: Peer
  readonly #seen = new Map<string, JsonObject>()
  #continue = ''

  constructor(url: string, token: string) {
    this.#peer = new Peer(url, token)
  }

  async send({ method, path, headers, body }: DrawnRequest): Promise<Answer> {
    const fill = (text: string): string => this.#fill(text, keyOf(path))
    const answer = await this.#peer.ask({
      method,
      path: fill(path),
      headers,
      ...(body === undefined ? {} : { body: fill(body) }),
    })
    this.#learn(answer.body)
    return { ...answer, body: readable(answer.body) }
  }

  #fill(text: string, key: string): string {
    if (!text.includes('{')) return text
    const { resourceVersion = '0', uid = 'none' } = this.#seen.get(key) ?? {}
    return text
      .replaceAll('{rv}', String(resourceVersion))
      .replaceAll('{uid}', String(uid))
      .replaceAll('{continue}', encodeURIComponent(this.#continue))
  }

  #learn(body: Json): void {
    const metadata = mapOf(mapOf(body)['metadata'])
    if (typeof metadata['continue'] === 'string') this.#continue = metadata['continue']
    if (typeof metadata['name'] !== 'string' || typeof metadata['uid'] !== 'string') return
    this.#seen.set(`${String(mapOf(body)['kind']).toLowerCase()}s/${metadata['name']}`, metadata)
  }

  close(): void {
    this.#peer.close()
  }
}

/** `configmaps/a` of a path below it. */
const keyOf = (path: string): string => /([a-z]+\/[a-z])(\/[a-z]*)?(\?|$)/.exec(path)?.[1] ?? ''

/** Lines of a watch and YAML as values; what tells nothing (ages, the text of columns) left out. */
function readable(body: Json): Json {
  if (typeof body !== 'string') return withoutProse(body)
  const lines = body.split('\n').filter((line) => line !== '')
  if (lines.length > 1 && lines.every((line) => line.startsWith('{'))) {
    return lines.map((line) => withoutProse(JSON.parse(line) as Json)).sort(byText)
  }
  return /^(apiVersion|items|kind|metadata):/.test(body) ? withoutProse(parseYaml(body) as Json) : body
}

const byText = (a: Json, b: Json): number => (nameOf(a) < nameOf(b) ? -1 : 1)
function nameOf(event: Json): string {
  const { type, object } = mapOf(event)
  const { name, labels } = mapOf(mapOf(object)['metadata'])
  return `${String(type)} ${String(name)} ${JSON.stringify(labels)}`
}

/** Where a server stands, and where it is. */
const COUNTER = /(?<=current: )[0-9]+|127\.0\.0\.1:[0-9]+|192\.[0-9.]+:[0-9]+/g
const AGE = /^([0-9]+[smhdy])+$/
function withoutProse(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutProse)
  if (typeof value === 'string') return AGE.test(value) ? '<age>' : value.replace(COUNTER, '<version>')
  if (!isMap(value)) return value
  const isColumn = 'priority' in value && 'format' in value
  const kept = Object.entries(value).filter(
    ([key]) => !(isColumn && key === 'description') && key !== 'continue',
  )
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutProse(item as Json)]))
}

class Walk {
  readonly #theirs: Side
  readonly #ours: Side
  readonly #draw: Draw
  requests = 0
  differing = 0

  constructor(upstream: string, ours: string, draw: Draw) {
    this.#theirs = new Side(upstream, options.token)
    this.#ours = new Side(ours, options.token)
    this.#draw = draw
  }

  async both(request: DrawnRequest): Promise<{ theirs: Answer; ours: Answer }> {
    const [theirs, ours] = await Promise.all([this.#theirs.send(request), this.#ours.send(request)])
    return { theirs, ours }
  }

  post(path: string, body: JsonObject): Promise<unknown> {
    const headers = { 'content-type': 'application/json' }
    return this.both({ method: 'POST', path, headers, body: JSON.stringify(body) })
  }

  /** From no objects to the last step, or to the first answers that differ. */
  async round(): Promise<void> {
    const said: string[] = []
    for (let step = 0; step < Number(options.steps); step++) {
      const request = drawRequest(this.#draw)
      const { theirs, ours } = await this.both(request)
      this.requests += 1
      said.push(
        `${request.method} ${request.path} ${JSON.stringify(request.headers)} ${request.body ?? ''} → ${theirs.status}`,
      )
      const found = [...differences(theirs, ours, true), ...headersApart(theirs, ours)]
      if (found.length === 0) continue
      this.differing += 1
      for (const line of options.verbose ? said : said.slice(-1)) console.log(line)
      for (const line of found.slice(0, 12)) console.log(`    ${line}`)
      if (request.method !== 'GET') break
    }
    await this.#clear()
  }

  async #clear(): Promise<void> {
    const headers = { 'content-type': 'application/merge-patch+json' }
    for (const path of leftovers()) {
      await this.both({ method: 'PATCH', path, headers, body: '{"metadata":{"finalizers":null}}' })
      await this.both({ method: 'DELETE', path: `${path}?gracePeriodSeconds=0`, headers: {} })
    }
  }

  close(): void {
    this.#theirs.close()
    this.#ours.close()
  }
}

function headersApart(theirs: Answer, ours: Answer): string[] {
  const said = ({ headers }: Answer, name: string): string => String(headers?.[name] ?? '')
  return HEADERS.filter((name) => said(theirs, name) !== said(ours, name)).map(
    (name) => `header ${name}: ${said(theirs, name)} → ${said(ours, name)}`,
  )
}

async function main(): Promise<void> {
  const { upstream, ours } = named(options)
  const walk = new Walk(upstream, ours, drawing(Number(options.seed)))
  const object = (kind: string, metadata: JsonObject): JsonObject => ({ apiVersion: 'v1', kind, metadata })
  await walk.post('/api/v1/namespaces', object('Namespace', { name: NAMESPACE }))
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`
  await walk.post(accounts, object('ServiceAccount', { name: 'default' }))
  await walk.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION)
  await new Promise((resolve) => setTimeout(resolve, ESTABLISHED_MS))
  for (let i = 0; i < Number(options.rounds); i++) await walk.round()
  walk.close()
  console.log(`${walk.requests} requests, ${walk.differing} differ`)
  process.exitCode = walk.differing ? 1 : 0
}

/** Upstream serves a custom resource some seconds after its definition says so. */
const ESTABLISHED_MS = 6_000

await main()
