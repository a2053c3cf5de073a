// Two servers that are asked the same, a kube-apiserver and this one, and how command lines name them. Used by all scripts
// here.
import type { JsonObject } from '../../src/machinery/json.ts'
import { type Answer, mapOf, Peer } from './answers.ts'

export interface Answers {
  readonly theirs: Answer
  readonly ours: Answer
}

/** How long a change may take to be seen by both, and how often it is looked for. */
const PATIENCE_MS = 20_000
const LOOK_MS = 50

/** For parseArgs: where the servers are. */
export const SERVERS = {
  upstream: { type: 'string' },
  ours: { type: 'string' },
  token: { type: 'string', default: 'secret' },
} as const

/** The same where what they are asked is drawn. */
export const DRAWN = {
  ...SERVERS,
  seed: { type: 'string', default: '1' },
  verbose: { type: 'boolean', default: false },
} as const

interface Named {
  readonly upstream?: string | undefined
  readonly ours?: string | undefined
}

/** Throws where a server is not named. */
export function named({ upstream, ours }: Named): { upstream: string; ours: string } {
  if (!upstream || !ours) throw new Error('--upstream URL and --ours URL are needed')
  return { upstream, ours }
}

export class Servers {
  readonly theirs: Peer
  readonly ours: Peer

  /** As the command line names them. Throws where it does not. */
  constructor(options: Named & { readonly token: string }) {
    const { upstream, ours } = named(options)
    const { token } = options
    this.theirs = new Peer(upstream, token)
    this.ours = new Peer(ours, token)
  }

  async send(method: string, path: string, body?: JsonObject, type?: string): Promise<Answers> {
    const [theirs, ours] = await Promise.all([
      this.theirs.send(method, path, body, type),
      this.ours.send(method, path, body, type),
    ])
    return { theirs, ours }
  }

  /** Until both answer as wanted. @throws where they do not within twenty seconds */
  async until(path: string, wanted: (answer: Answer) => boolean, accept?: string): Promise<void> {
    const headers = { accept: accept ?? 'application/json' }
    const end = performance.now() + PATIENCE_MS
    for (const peer of [this.theirs, this.ours]) {
      for (;;) {
        const answer = await peer.ask({ method: 'GET', path, headers })
        if (wanted(answer)) break
        if (performance.now() > end)
          throw new Error(`${path} stays at ${JSON.stringify(answer).slice(0, 300)}`)
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
    }
  }

  /** Until both answer what is sent as wanted. @throws where they do not within twenty seconds */
  async untilSent(
    method: string,
    path: string,
    body: JsonObject,
    wanted: (answer: Answer) => boolean,
  ): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    for (const peer of [this.theirs, this.ours]) {
      for (;;) {
        const answer = await peer.send(method, path, body)
        if (wanted(answer)) break
        if (performance.now() > end)
          throw new Error(`${path} stays at ${JSON.stringify(answer).slice(0, 300)}`)
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
    }
  }

  /** Until both serve a resource with a column of this name: each change of a definition gives it another. */
  untilColumn(path: string, column: string): Promise<void> {
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    return this.until(path, (answer) => JSON.stringify(mapOf(answer.body)).includes(`"${column}"`), table)
  }

  close(): void {
    this.theirs.close()
    this.ours.close()
  }
}
