// A user of a cluster that fails again and again: what could not be said is said again, and what came through counts once.
import { type Api, isAlreadyExists, isConflict, isNotFound } from '../../src/client/api.ts'
import type { ApiObject, Resource } from '../../src/client/resource.ts'
import { StatusError } from '../../src/machinery/status.ts'

const AGAIN_MS = 50
/** Far beyond what a loaded machine needs. */
const PATIENCE_MS = 180_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export interface Wanted<T extends ApiObject> {
  readonly what: string
  look(): Promise<T>
}

export class User {
  readonly api: Api

  constructor(api: Api) {
    this.api = api
  }

  /** Tries until the server takes it, or refuses it for good. */
  async insist<T>(call: () => Promise<T>): Promise<T> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      try {
        return await call()
      } catch (error) {
        const isFinal = error instanceof StatusError && error.code < 500 && error.code !== 429
        if ((isFinal && !isConflict(error)) || Date.now() > until) throw error
        await pause(AGAIN_MS)
      }
    }
  }

  /** A try before this one may have come through. */
  async create(resource: Resource, object: object): Promise<void> {
    await this.insist(() =>
      this.api.create(resource, object as ApiObject).catch((error: unknown) => {
        // The namespace's account or quota is on its way.
        if (error instanceof StatusError && error.reason === 'Forbidden') throw new Error(error.message)
        if (!isAlreadyExists(error)) throw error
      }),
    )
  }

  async patch(resource: Resource, place: { namespace?: string; name: string }, body: object): Promise<void> {
    await this.insist(() => this.api.patch(resource, place, body as never, { type: 'strategic' }))
  }

  async delete(resource: Resource, place: { namespace?: string; name: string }, options = {}): Promise<void> {
    await this.insist(() =>
      this.api.delete(resource, place, options).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      }),
    )
  }

  list<T extends ApiObject>(resource: Resource<T>, namespace?: string): Promise<readonly T[]> {
    return this.insist(async () => (await this.api.list(resource, { namespace })).items)
  }

  /** Looks until it holds; rejects with what was seen last. */
  async until(what: string, look: () => Promise<unknown>): Promise<void> {
    const until = Date.now() + PATIENCE_MS
    let seen: unknown
    while (Date.now() < until) {
      seen = await this.insist(look)
      if (seen === true) return
      await pause(AGAIN_MS)
    }
    throw new Error(`${what} did not come true; last seen: ${JSON.stringify(seen)}`)
  }
}
