// A kube-apiserver and this server, asked the same: what differs is told, each sort of it once, and counted. Used by the
// scripts about rights: rights.ts, escalations.ts, tokens.ts and others.
import { parseArgs } from 'node:util'
import type { JsonObject } from '../../src/machinery/json.ts'
import { type Answer, differences, Peer } from './answers.ts'
import { type Draw, drawing } from './mutations.ts'
import { DRAWN, named } from './servers.ts'

export type Headers = Readonly<Record<string, string | string[]>>

/** A request with a body that is an object. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: JsonObject
  readonly headers?: Headers
  /** Of the body; JSON, or a merge patch where that is the method. */
  readonly type?: string
}

export interface Both<T> {
  readonly theirs: T
  readonly ours: T
}

/** What the scripts' command lines have in common. */
export interface Settings {
  readonly upstream: string
  readonly ours: string
  readonly token: string
  readonly seed: number
  readonly rounds: number
  readonly steps: number
  readonly verbose: boolean
  readonly parts: readonly string[]
}

/** Read from the command line. Throws where a server is not named. */
export function settings(rounds: number, steps: number): Settings {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...DRAWN,
      rounds: { type: 'string', default: String(rounds) },
      steps: { type: 'string', default: String(steps) },
    },
  })
  const { token, verbose } = values
  const { upstream, ours } = named(values)
  const [seed, most, each] = [values.seed, values.rounds, values.steps].map(Number) as [
    number,
    number,
    number,
  ]
  return { upstream, ours, token, seed, rounds: most, steps: each, verbose, parts: positionals }
}

/** Makes answers comparable that differ by their nature. */
export type Settle = (answer: Answer) => Answer

const CONTENT: Readonly<Record<string, string>> = { PATCH: 'application/merge-patch+json' }
const wire = ({ method, path, body, headers = {}, type }: Asked) => ({
  method,
  path,
  headers: {
    accept: 'application/json',
    ...(body ? { 'content-type': type ?? CONTENT[method] ?? 'application/json' } : {}),
    ...headers,
  },
  ...(body ? { body: JSON.stringify(body) } : {}),
})

export class Pair {
  readonly peers: Both<Peer>
  readonly draw: Draw
  readonly #verbose: boolean
  readonly #told = new Set<string>()
  readonly codes = new Map<number, number>()
  requests = 0
  differing = 0

  constructor({ upstream, ours, token, seed, verbose }: Settings) {
    this.peers = { theirs: new Peer(upstream, token), ours: new Peer(ours, token) }
    this.draw = drawing(seed)
    this.#verbose = verbose
  }

  /** Both are asked, at once; not counted. */
  async both(asked: Asked | Both<Asked>): Promise<Both<Answer>> {
    const { theirs: left, ours: right } = 'theirs' in asked ? asked : { theirs: asked, ours: asked }
    const [theirs, ours] = await Promise.all([
      this.peers.theirs.ask(wire(left)),
      this.peers.ours.ask(wire(right)),
    ])
    return { theirs, ours }
  }

  post(path: string, body: JsonObject): Promise<Both<Answer>> {
    return this.both({ method: 'POST', path, body })
  }

  /** Asks both and tells how the answers differ. `again`: so often upstream is asked anew that may answer in any order. */
  async compare(
    asked: Asked | Both<Asked>,
    settle: Settle = (answer) => answer,
    again = 0,
  ): Promise<Both<Answer>> {
    const answers = await this.both(asked)
    this.requests += 1
    this.codes.set(answers.theirs.status, (this.codes.get(answers.theirs.status) ?? 0) + 1)
    let found = differences(settle(answers.theirs), settle(answers.ours), true)
    const question = 'theirs' in asked ? asked.theirs : asked
    for (let i = 0; i < again && found.length > 0 && mayRepeat(question, answers); i++) {
      const theirs = await this.peers.theirs.ask(wire(question))
      found = differences(settle(theirs), settle(answers.ours), true)
    }
    if (found.length > 0) this.tell(`${question.method} ${question.path} ${shown(question)}`, found)
    return answers
  }

  /** Counts a difference, and tells it where its like was not told. */
  tell(what: string, found: readonly string[]): void {
    this.differing += 1
    const fresh = found.filter((line) => {
      const sort = line.replaceAll(/[0-9]+|\\*"[^"]*("|$)/g, '#')
      return !this.#told.has(sort) && this.#told.add(sort)
    })
    if (fresh.length === 0 && !this.#verbose) return
    console.log(what)
    for (const line of this.#verbose ? found : fresh) console.log(`    ${line}`)
  }

  /** Ends the connections and tells the figures; the exit code is 1 where something differs. */
  end(): void {
    this.peers.theirs.close()
    this.peers.ours.close()
    const codes = [...this.codes].sort(([a], [b]) => a - b).map(([code, count]) => `${count} × ${code}`)
    console.log(`${this.requests} requests, ${this.differing} differ (${codes.join(', ')})`)
    process.exitCode = this.differing > 0 ? 1 : 0
  }
}

/** What changed something is not asked again; reviews change nothing. */
const mayRepeat = ({ path }: Asked, { theirs, ours }: Both<Answer>): boolean =>
  path.includes('reviews') || (theirs.status >= 400 && ours.status >= 400)

const shown = ({ headers = {}, body }: Asked): string =>
  `${Object.keys(headers).length > 0 ? JSON.stringify(headers) : ''} ${body ? JSON.stringify(body) : ''}`

/** At least so many of the list, at most so many, each at most once, in their order. */
export function several<T>(draw: Draw, list: readonly T[], least: number, most: number): T[] {
  const count = least + draw.of(Array.from({ length: most - least + 1 }, (_, i) => i))
  const rest = [...list]
  while (rest.length > count) rest.splice(rest.indexOf(draw.of(rest)), 1)
  return rest
}

/** The value with this chance, or nothing: to be spread into an object. */
export const perhaps = (draw: Draw, share: number, make: () => JsonObject): JsonObject =>
  draw.chance(share) ? make() : {}

/** The headers of an administrator who acts as somebody else. */
export const as = (user: string, groups: readonly string[] = []): Headers => ({
  'impersonate-user': user,
  ...(groups.length > 0 ? { 'impersonate-group': [...groups] } : {}),
})
