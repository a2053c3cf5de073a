// Two servers that are asked the same: a kube-apiserver and this one. Used by the differential tests of definitions and
// policies.
import type { JsonObject } from '../../src/machinery/json.ts'
import { type Answer, Peer } from './answers.ts'
import { mapOf } from './owned.ts'

export interface Answers {
  readonly theirs: Answer
  readonly ours: Answer
}

/** How long a change may take to be seen by both, and how often it is looked for. */
const PATIENCE_MS = 20_000
const LOOK_MS = 50

export class Pair {
  readonly #theirs: Peer
  readonly #ours: Peer

  constructor(upstream: string, ours: string, token: string) {
    this.#theirs = new Peer(upstream, token)
    this.#ours = new Peer(ours, token)
  }

  async send(method: string, path: string, body?: JsonObject, type?: string): Promise<Answers> {
    const [theirs, ours] = await Promise.all([
      this.#theirs.send(method, path, body, type),
      this.#ours.send(method, path, body, type),
    ])
    return { theirs, ours }
  }

  /** Until both answer as wanted. @throws where they do not within twenty seconds */
  async until(path: string, wanted: (answer: Answer) => boolean, accept?: string): Promise<void> {
    const headers = { accept: accept ?? 'application/json' }
    const end = performance.now() + PATIENCE_MS
    for (const peer of [this.#theirs, this.#ours]) {
      for (;;) {
        const answer = await peer.ask({ method: 'GET', path, headers })
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
    this.#theirs.close()
    this.#ours.close()
  }
}
